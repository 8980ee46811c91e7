// The process beside `tk record --lines`. Started by tk itself, with what it needs to know in its only word; nobody types this.
import { collect } from "../lib/collect/collector.ts";
import type { CollectorPlan } from "../lib/collect/start_collector.ts";
import { EXIT, say, tellBug } from "./exit.ts";

export function main(words: readonly string[]): void {
  const plan = planOf(words[1]);
  if (plan === undefined) {
    say("tk: lines-collector is what `tk record --lines` starts by itself; there is nothing to do here");
    process.exitCode = EXIT.usage;
    return;
  }
  try {
    collect(plan);
  } catch (error) {
    // The recorder sees that we have gone and says so.
    process.exitCode = tellBug(error);
  }
}

function planOf(word: string | undefined): CollectorPlan | undefined {
  try {
    const plan = JSON.parse(word ?? "") as CollectorPlan;
    const { base, feed, control, stop, lock, recorder, zero } = plan;
    const numbers = [feed, control, stop, lock, recorder].every((n) => Number.isInteger(n) && n > 2);
    return numbers && /^\/.*\/tk-lines-\w+$/.test(base) && /^\d+$/.test(zero) ? plan : undefined;
  } catch {
    return undefined;
  }
}
