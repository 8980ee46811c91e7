// The sinks that a configuration may name and the fields each of them has: one table for the checks and for the documentation.
// What a sink does with them is lib/sink's business.
//
// Units once checked: Duration in milliseconds, Size in bytes; `ms` accepts an integer in milliseconds or a Duration.

export interface SinkField {
  readonly name: string;
  readonly type: "string" | "bool" | "int" | "Size" | "ms" | "strings" | "dict";
  readonly required: boolean;
  readonly doc: string;
  /** Smallest number allowed. */
  readonly least?: number;
  readonly choices?: readonly string[];
}

export interface SinkType {
  readonly id: string;
  readonly doc: string;
  readonly fields: readonly SinkField[];
}

function field(
  name: string,
  type: SinkField["type"],
  doc: string,
  more: { readonly required?: true; readonly least?: number; readonly choices?: readonly string[] } = {},
): SinkField {
  return { required: false, ...more, name, type, doc };
}

const FILENAME = field("filename", "string", "The file; `~` is the home directory, relative to where tk was started", {
  required: true,
});
const SEARCH = field(
  "log_search_path",
  "strings",
  "Directories tried when the file's own cannot be used; the global log_search_path if omitted",
);
const DISABLE = field("disable_after_errors", "int", "Consecutive failures after which it rests; 3 if omitted", {
  least: 1,
});

const HTTP = [
  field("uri", "string", "Where to send the report: http:// or https://", { required: true }),
  field("content_type", "string", "The content type told to the server; `application/json` if omitted"),
  field("headers", "dict", "Further request headers"),
  field("timeout", "ms", "Milliseconds (or a Duration) for one attempt; 1000 if omitted, 0 is no limit", { least: 0 }),
  field("disallow_http", "bool", "Refuse http://"),
  field("pinned_cert_file", "string", "A PEM file; only servers with a certificate of it are believed"),
  field("prefer_bundled_certs", "bool", "Use the certificates that come with tk rather than the system's"),
  DISABLE,
];

export const SINK_TYPES: readonly SinkType[] = [
  { id: "stdout", doc: "Standard output", fields: [] },
  { id: "stderr", doc: "Standard error", fields: [] },
  {
    id: "file",
    doc: "A file that grows",
    fields: [
      FILENAME,
      SEARCH,
      field("use_search_path", "bool", "Whether to try log_search_path at all; true if omitted"),
    ],
  },
  {
    id: "rotating_log",
    doc: "A file that loses its oldest lines when it is full",
    fields: [
      FILENAME,
      field("max", "Size", "The size from which on lines are dropped, at least 1024 bytes", {
        required: true,
        least: 1024,
      }),
      field("truncation_amount", "Size", "How much is dropped at least; below max, a quarter of it if omitted", {
        least: 1,
      }),
      SEARCH,
    ],
  },
  { id: "post", doc: "HTTP POST", fields: HTTP },
  { id: "presign", doc: "HTTP PUT to an address that a first PUT answers", fields: HTTP },
  {
    id: "s3",
    doc: "One object per report in S3 or what speaks like it",
    fields: [
      field("uri", "string", "`s3://bucket/path`", { required: true }),
      field("uid", "string", "Access key id", { required: true }),
      field("secret", "string", "Secret access key", { required: true }),
      field("region", "string", "Region; any text for most compatible stores", { required: true }),
      field("token", "string", "Session token"),
      field("extra", "string", "A part of each object's name"),
      field("endpoint", "string", "Address of a compatible store, such as `http://localhost:9000`"),
      DISABLE,
    ],
  },
  {
    id: "dns",
    doc: "One look-up per artifact; the name carries the data",
    fields: [
      field("domain_template", "string", "The name, with `{KEY}` for values", { required: true }),
      field("record_type", "string", "`A` (if omitted), `AAAA` or `any`", { choices: ["A", "AAAA", "any"] }),
      field("missing_key_placeholder", "string", "Stands for keys without a value; `x` if omitted"),
      field("dns_server", "string", "Address of the server, with `:port` if it is not 53; the system's if omitted"),
      field("dns_timeout", "ms", "Milliseconds (or a Duration); 5000 if omitted", { least: 1 }),
      field("require_chalk_mark", "bool", "Only for artifacts that carry a mark"),
      DISABLE,
    ],
  },
];

/** What messages can go through on their way to a sink. */
export const FILTERS = [
  "pretty_json",
  "fix_new_line",
  "log_level",
  "log_prefix",
  "wrap",
  "github_log_group",
  "gitlab_log_section",
  "add_topic",
] as const;

const WRITTEN: Readonly<Record<SinkField["type"], string>> = {
  string: "string",
  bool: "bool",
  int: "int",
  Size: "Size",
  ms: "int or Duration or Size",
  strings: "list[string]",
  dict: "dict[string, string]",
};

/** A field's type as it is written in a configuration; a name means the same with every sink. */
export const SINK_FIELD_TYPES: ReadonlyMap<string, string> = new Map(
  SINK_TYPES.flatMap((sink) => sink.fields.map((f) => [f.name, WRITTEN[f.type]] as const)),
);

export function findSinkType(id: string): SinkType | undefined {
  return SINK_TYPES.find((sink) => sink.id === id);
}

/** The fields of authentication configurations, by type; all are required. */
export const AUTH_TYPES: Readonly<Record<string, readonly string[]>> = {
  basic: ["username", "password"],
  jwt: ["token"],
};
