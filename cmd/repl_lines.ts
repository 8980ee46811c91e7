// The executed lines of a recording as the table that queries read: what each line cost in each process. Undefined when none were recorded.
import { Int32List, Float64List } from "../lib/base/columns.ts";
import { LineCosts } from "../lib/lines/line_costs.ts";
import { ABSENT } from "../lib/model/ids.ts";
import type { Recording } from "../lib/model/recording.ts";
import { StringPool } from "../lib/query/text_pool.ts";
import type { LineTable } from "../lib/query/world.ts";
import { recordingLines } from "../lib/traces/recording_lines.ts";

export function lineTableOf(recording: Recording): LineTable | undefined {
  const traces = recordingLines(recording, recording.problems);
  if (traces === undefined) return undefined;
  const ns = 1e9 / traces.clock.ticksPerSecond;
  const numbers = {
    line: new Int32List(),
    pid: new Int32List(),
    count: new Float64List(),
    self: new Float64List(),
    total: new Float64List(),
  };
  const file = new Int32List();
  const files = new StringPool();
  const time = new Float64List();
  // Threads of one process together.
  const processes = new Map<number, { pid: number; start: number; costs: LineCosts }>();
  for (const track of traces.tracks) {
    const start = track.blocks > 0 ? track.startOf(0) * ns : NaN;
    const pid = track.pid ?? ABSENT;
    let process = processes.get(pid);
    if (process === undefined) processes.set(pid, (process = { pid, start, costs: new LineCosts() }));
    traces.addCosts(process.costs, track.index);
  }
  for (const { pid, start, costs } of processes.values())
    for (let i = 0; i < costs.length; i++) {
      const cost = costs.at(i);
      const source = cost.file < 0 ? undefined : traces.sources[cost.file];
      numbers.line.push(cost.line);
      numbers.pid.push(pid);
      numbers.count.push(cost.count);
      numbers.self.push(cost.self * ns);
      numbers.total.push(cost.cumulated * ns);
      file.push(source === undefined ? ABSENT : files.key(source.path));
      time.push(start);
    }
  return {
    length: time.length,
    numbers: {
      line: numbers.line.view(),
      pid: numbers.pid.view(),
      count: numbers.count.view(),
      self: numbers.self.view(),
      total: numbers.total.view(),
    },
    texts: { file: { keys: file.view(), pool: files } },
    time: time.view(),
  };
}
