// One line's values on their way into a row of the table, filled by the fast or by the careful path, which agree on what
// each field of each kind means.
import { KIND } from "../model/event.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import { FIELD } from "./_fields.ts";

export class Row {
  kind: number = KIND.unknown;
  ts = NaN;
  seq: number = ABSENT;
  pid: number = ABSENT;
  ppid: number = ABSENT;
  pgid: number = ABSENT;
  sid: number = ABSENT;
  code: number = ABSENT;
  signal = 0;
  core = false;
  count = 0;
  /** The words came as an array: tk's own way, proctrace joins them. */
  list = false;

  clear(kind: number): void {
    this.kind = kind;
    this.ts = NaN;
    this.seq = ABSENT;
    this.pid = ABSENT;
    this.ppid = ABSENT;
    this.pgid = ABSENT;
    this.sid = ABSENT;
    this.code = ABSENT;
    this.signal = 0;
    this.core = false;
    this.count = 0;
    this.list = false;
  }

  /** `id` is one of `FIELD` that the kind has and that is a number. */
  set(id: number, value: number): void {
    switch (id) {
      case FIELD.seq:
        this.seq = value;
        break;
      case FIELD.timestamp:
        this.ts = value;
        break;
      case FIELD.pid:
      case FIELD.child_pid:
        this.pid = value;
        break;
      case FIELD.ppid:
      case FIELD.parent_pid:
        this.ppid = value;
        break;
      case FIELD.pgid:
      case FIELD.parent_pgid:
        this.pgid = value;
        break;
      case FIELD.sid:
        this.sid = value;
        break;
      case FIELD.exit_code:
      case FIELD.errno:
        this.code = value;
        break;
      case FIELD.signal:
        this.signal = value;
        break;
      case FIELD.count:
        this.count = value;
        break;
    }
  }

  /** proctrace writes an exec's own pid as its group, and of setpgid(2) the result, 0; halves and joined words are its own. */
  private isProctraceGroup(): boolean {
    if (this.kind === KIND.setpgid) return this.pgid === 0;
    return this.kind === KIND.exec_part || (this.kind === KIND.exec && !this.list);
  }

  /** Appends the row; the line has `len` bytes at `at` of the text. */
  append(table: EventTable, at: number, len: number): void {
    const row = table.room();
    table.kind[row] = this.kind;
    table.ts[row] = this.ts;
    table.seq[row] = this.seq;
    table.pid[row] = this.pid;
    table.ppid[row] = this.ppid;
    table.pgid[row] = this.isProctraceGroup() ? ABSENT : this.pgid;
    table.sid[row] = this.sid;
    table.code[row] = this.signal === 0 ? this.code : ABSENT;
    table.signal[row] = this.signal === 0 ? 0 : this.signal | (this.core ? 128 : 0);
    table.mate[row] = ABSENT;
    table.at[row] = at;
    table.len[row] = len;
    table.length = row + 1;
  }
}
