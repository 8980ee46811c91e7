// Flags and operands that two or more verbs share.
import { Option } from "effect";
import { Argument, Flag } from "effect/cli";

export const input = Flag.String("input").pipe(
  Flag.withAlias("i"),
  Flag.withMetavar("FILE"),
  Flag.withDescription("A recording to read; `-` is standard input. The same as naming it without -i"),
  Flag.atLeast(0),
);

export const inputs = Argument.String("recording").pipe(
  Argument.withDescription("A recording, plain or compressed (gzip, zstd); `-` or nothing is standard input"),
  Argument.variadic(),
);

export const output = Flag.String("output").pipe(
  Flag.withAlias("o"),
  Flag.withMetavar("FILE"),
  Flag.withDescription("Where to write; standard output if omitted"),
  Flag.optional,
);

export const strict = Flag.Boolean("strict").pipe(
  Flag.withDescription("End with status 3 when any of the input was bad (it is told and left out either way)"),
  Flag.withDefault(false),
  Flag.withoutNegation,
);

/** What -i and the operands named, in that order; standard input when nothing was named. */
export function inputNames(named: readonly string[], operands: readonly string[]): string[] {
  const all = [...named, ...operands];
  return all.length > 0 ? all : ["-"];
}

/** A count or number of at least `least`; a sign, a fraction or an exponent is a mistake, not rounded away. */
export const wholeNumber = (name: string, least: number) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least ? Option.some(Number(text)) : Option.none()),
      () => `a whole number from ${least}`,
    ),
  );

export const maybe = <A>(option: Option.Option<A>): A | undefined => Option.getOrUndefined(option);

/** Bytes from `512M`, `1.5GiB`, `65536`: powers of 1024. */
export function parseSize(text: string): number | undefined {
  const m = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!m) return undefined;
  const power = ["", "k", "m", "g", "t"].indexOf(m[2]!.toLowerCase());
  return Math.floor(Number(m[1]) * 1024 ** power);
}
