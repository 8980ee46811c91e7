// `--where EXPR`, which several verbs have: the flag alone, since what understands it is loaded only when it is given.
import { Flag } from "effect/cli";

export const where = Flag.String("where").pipe(
  Flag.withAlias("filter"),
  Flag.withMetavar("EXPR"),
  Flag.withDescription(
    "Only the events of which this is true, such as 'exe == cc1 and wall > 100ms' or 'under(4711)'; header, end and lost events stay",
  ),
  Flag.optional,
);
