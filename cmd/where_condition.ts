// The words of `--where` to a condition about events, before anything is read: a mistake is shown with its place underlined.
import { Effect } from "effect";
import { compileCondition } from "../lib/query/check_query.ts";
import { errorSentence, explainError } from "../lib/query/query_error.ts";
import type { Condition } from "../lib/query/typed.ts";
import { UsageError } from "./usage_error.ts";

export const conditionOf = (text: string): Effect.Effect<Condition, UsageError> =>
  Effect.suspend(() => {
    const condition = compileCondition(text, { table: "events" });
    if (condition.isOk()) return Effect.succeed(condition.value);
    const { error } = condition;
    return Effect.fail(
      new UsageError(
        `--where: ${errorSentence(error)}`,
        error.hint ?? "docs/query.md lists the fields and operators",
        explainError(text, error).slice(0, 2),
      ),
    );
  });
