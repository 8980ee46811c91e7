// Publishes reports to sinks in a process of its own: sink_writer.ts FOLDER CONFIGS COUNT SIZE
// CONFIGS is JSON of tests/support/sinks.ts's named sinks. Prints each delivery and what was told.
import { openSinks } from "../../lib/sink/fan_out.ts";
import { sinkSettings, type NamedSink } from "../support/sinks.ts";

const [folder = ".", configs = "{}", count = "1", size = "10"] = process.argv.slice(2);
const set = openSinks(sinkSettings(JSON.parse(configs) as Record<string, NamedSink>), {
  directory: folder,
  environment: process.env,
  logSearchPath: [],
  stdout: 1,
  stderr: 2,
  tell: (level, message) => level !== "trace" && console.log(`${level}: ${message}`),
});
for (let i = 0; i < Number(count); i++) {
  const delivery = await set.publish("report", "exec", { pid: process.pid, n: i, fill: "x".repeat(Number(size)) });
  console.log(JSON.stringify(delivery));
}
await set.close();
