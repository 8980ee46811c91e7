/** The one place that says which tk this is; a law test compares it with package.json. */
export const VERSION = "0.1.0";

/** What a recording's header names as its generator. */
export const GENERATOR = `tk ${VERSION}`;
