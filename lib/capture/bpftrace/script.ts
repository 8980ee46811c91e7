// The bpftrace program that records: text made for one machine and one run. What it prints is the raw log that
// lib/format/_raw_line.ts reads; nothing here interprets it.
//
// Written for bpftrace 0.17 (tested) and for what later versions changed up to 0.26 (by their changelogs): `args->`
// and not `args.`, every variable set before the block that uses it, casts wherever signs could be compared, no
// `exit()`, no `join`. All strings leave as hex, because a word may hold newlines, commas or something that looks like
// an event.
//
// One event may take several lines: first its pieces (EXEC_FILENAME, EXEC_WORDS, EXEC_WORD), then its head, all with the
// same `ts` and `pid`, and all from one CPU, so in this order. Lines of different CPUs may change places: order is by `ts`.

/** What is recorded: the children of one process and everything under them. */
export interface Scope {
  /** That process: tk itself, which starts the command and, while bpftrace listens, nothing else. */
  readonly under: number;
  /** Print what all other processes of the system do, too; forks and exits then say `mine=1` or `mine=0`. */
  readonly system: boolean;
}

/** How the kernel's own structures can be read: by their type information, in the shape that the kernel has, or not at all. */
export type KernelTypes =
  /** Linux 6.5 and newer, where `struct pid` ends in a flexible array. */
  | "flexible-pid"
  /** Before that. */
  | "array-pid"
  /** No type information: tracepoints alone. */
  | "none";

export interface ScriptOptions {
  readonly scope: Scope;
  readonly types: KernelTypes;
  /** Most bytes of one argument list that are read; the kernel's verifier walks through every one of these rounds. */
  readonly argvLimit: number;
  /**
   * Most bytes of a string, a multiple of 8; BPFTRACE_STRLEN (BPFTRACE_MAX_STRLEN from 0.20 on) has to be the same. Two
   * to three of them have to fit on a stack of 512 bytes.
   */
  readonly chunk: number;
  /** Size of a page of memory. */
  readonly pageKb: number;
}

/** Most pieces of a failed exec's words. */
export const FAILED_PIECES = 256;
const PATH_MAX = 4096;

/**
 * Numbers an event. Two CPUs may come by the same number, but none is ever left out: a number is only written after the
 * one before it was read, and so printed. So a number that never arrives is an event that was lost.
 */
const COUNT = `$seq = @seq; @seq = $seq + (uint64)1;`;

/** Steps by which a string is walked when its length is not known: with its NUL, a string of a chunk is a little shorter. */
export function stepOf(chunk: number): number {
  return chunk - 8;
}

export function bpftraceScript(options: ScriptOptions): string {
  return CLOCK + (options.types === "none" ? plainScript(options) : typedScript(options));
}

/**
 * `elapsed` counts from bpftrace's start, so that it stays a small number; this line ties it to the clock of `nsecs`,
 * which is CLOCK_BOOTTIME, or CLOCK_MONOTONIC on kernels before 5.7.
 */
const CLOCK = `
BEGIN { printf("CLOCK: elapsed=%llu,clock=%llu\\n", elapsed, nsecs); }
`;

/** A test whether the process `id` is recorded. */
function followed(scope: Scope, id: string): string {
  return scope.system ? "(1)" : `(@tree[(uint64)${id}])`;
}

/** Statements for a fork of `parent`: the child joins the tree; $mine says whether it did. */
function adopt(scope: Scope, parent: string, then: string): string {
  return `
  $mine = (uint64)0;
  if ((uint64)${parent} == (uint64)${scope.under} || @tree[(uint64)${parent}]) {
    $mine = (uint64)1;
    @tree[(uint64)args->pid] = (uint64)1;
  }
  if ${scope.system ? "(1)" : "($mine)"} {
    ${then}
  }`;
}

const CLONE_THREAD = "0x10000";

/**
 * Prints the file at $f and the words at $v, each in steps, and sets $more when that is not all: more pieces than the
 * loop has rounds, a word that looks as if its page was not in memory (zeros there and before it), or no word at all.
 */
function walkedStrings(pid: string, chunk: number): string {
  return `
      ${walkedFilename(pid, chunk)}
      $blind = (uint64)0;
      $n = (uint64)0;
      $i = (uint64)0;
      $at = (uint64)0;
      $p = *(uint64 *)uptr($v);
      while ($n < ${FAILED_PIECES}) {
        if ($p == 0) { break; }
        printf("EXEC_WORD: seq=%llu,ts=%llu,pid=%d,index=%llu,at=%llu,hex=%rh\\n", $seq, $ts, ${pid}, $i, $at, buf(str(uptr($p + $at)), ${chunk}));
        ${zeroByte("$p", stepOf(chunk))}
        if ((*(uint64 *)uptr($p + $at) | *(uint64 *)uptr((uint64)($p + $at - 8))) == 0) { $blind = (uint64)1; }
        $at = $at + ${stepOf(chunk)};
        if ($z != 0) {
          $i = $i + 1;
          $at = (uint64)0;
          $p = *(uint64 *)uptr($v + $i * 8);
        }
        $n = $n + 1;
      }
      // An exec has at least one word.
      if ($n == 0) { $blind = (uint64)1; }
      $more = $blind;
      if ($p != 0) { $more = (uint64)1; }`;
}

/** Sets $z when one of the `length` bytes from `pointer` + $at on is zero; bytes that cannot be read are. */
function zeroByte(pointer: string, length: number): string {
  return `$z = (uint64)0;
        $o = $at;
        unroll (${length / 8}) {
          $w = *(uint64 *)uptr(${pointer} + $o);
          $z = $z | (((uint64)($w - 0x0101010101010101) & ~$w) >> 7 & 0x0101010101010101);
          $o = $o + 8;
        }`;
}

/** Prints the file name at $f, which has no length either. */
function walkedFilename(pid: string, chunk: number): string {
  return `$at = (uint64)0;
      while ($at < ${PATH_MAX}) {
        printf("EXEC_FILENAME: seq=%llu,ts=%llu,pid=%d,at=%llu,hex=%rh\\n", $seq, $ts, ${pid}, $at, buf(str(uptr($f + $at)), ${chunk}));
        ${zeroByte("$f", stepOf(chunk))}
        if ($z != 0) { break; }
        $at = $at + ${stepOf(chunk)};
      }`;
}

/** With the kernel's types: exact process groups, the new program's own argument area, exit status and peak memory. */
function typedScript({ scope, types, argvLimit, chunk, pageKb }: ScriptOptions): string {
  // A process group or session is a struct pid; its number in the first namespace is in the first of its `numbers`.
  const number = (type: 2 | 3) =>
    types === "flexible-pid"
      ? `((struct upid *)((uint64)$t->signal->pids[${type}] + sizeof(struct pid)))->nr`
      : `$t->signal->pids[${type}]->numbers[0].nr`;
  const pgid = number(2);
  const sid = number(3);
  return `
tracepoint:task:task_newtask /(args->clone_flags & ${CLONE_THREAD}) == 0/ {
  $t = (struct task_struct *)curtask;
  ${adopt(
    scope,
    "$t->tgid",
    `${COUNT}
    printf("FORK: seq=%llu,ts=%llu,parent_pid=%d,child_pid=%d,parent_pgid=%d,mine=%llu\\n", $seq, elapsed, $t->tgid, args->pid, ${pgid}, $mine);`,
  )}
}

tracepoint:sched:sched_process_exec {
  $t = (struct task_struct *)curtask;
  if ${followed(scope, "$t->tgid")} {
    ${COUNT}
    $ts = elapsed;
    $f = $t->mm->env_end;
    ${walkedFilename("$t->tgid", chunk)}
    $a = $t->mm->arg_start;
    $len = (uint64)($t->mm->arg_end - $a);
    $at = (uint64)0;
    while ($at < ${argvLimit}) {
      if ($at + ${chunk} >= $len) { break; }
      printf("EXEC_WORDS: seq=%llu,ts=%llu,pid=%d,at=%llu,hex=%rh\\n", $seq, $ts, $t->tgid, $at, buf(uptr($a + $at), ${chunk}));
      $at = $at + ${chunk};
    }
    printf("EXEC_WORDS: seq=%llu,ts=%llu,pid=%d,at=%llu,hex=%rh\\n", $seq, $ts, $t->tgid, $at, buf(uptr($a + $at), (uint64)($len - $at)));
    printf("EXEC: seq=%llu,ts=%llu,pid=%d,ppid=%d,pgid=%d,sid=%d,argv_bytes=%llu\\n", $seq, $ts, $t->tgid, $t->real_parent->tgid, ${pgid}, ${sid}, $len);
  }
}

tracepoint:syscalls:sys_enter_execve, tracepoint:syscalls:sys_enter_execveat {
  $t = (struct task_struct *)curtask;
  if ${followed(scope, "$t->tgid")} {
    @file[(uint64)$t->pid] = (uint64)args->filename;
    @argv[(uint64)$t->pid] = (uint64)args->argv;
  }
}

tracepoint:syscalls:sys_exit_execve, tracepoint:syscalls:sys_exit_execveat {
  $t = (struct task_struct *)curtask;
  if (@file[(uint64)$t->pid]) {
    $f = @file[(uint64)$t->pid];
    $v = @argv[(uint64)$t->pid];
    delete(@file[(uint64)$t->pid]);
    delete(@argv[(uint64)$t->pid]);
    if (args->ret < 0) {
      ${COUNT}
      $ts = elapsed;${walkedStrings("$t->tgid", chunk)}
      printf("BADEXEC: seq=%llu,ts=%llu,pid=%d,ret=%d,more=%llu\\n", $seq, $ts, $t->tgid, args->ret, $more);
    }
  }
}

tracepoint:sched:sched_process_exit {
  $t = (struct task_struct *)curtask;
  delete(@file[(uint64)$t->pid]);
  delete(@argv[(uint64)$t->pid]);
  delete(@moved[(uint64)$t->pid]);
  delete(@group[(uint64)$t->pid]);
  if ($t->signal->live.counter == 0) {
    $mine = @tree[(uint64)$t->tgid];
    if ${scope.system ? "(1)" : "($mine)"} {
      delete(@tree[(uint64)$t->tgid]);
      ${COUNT}
      $code = $t->group_leader->exit_code;
      if ($t->signal->flags & 4) { $code = $t->signal->group_exit_code; }
      printf("EXIT: seq=%llu,ts=%llu,pid=%d,ppid=%d,pgid=%d,status=%d,max_rss_kb=%llu,mine=%llu\\n", $seq, elapsed, $t->tgid, $t->real_parent->tgid, ${pgid}, $code, $t->signal->maxrss * ${pageKb}, $mine);
    }
  }
}

tracepoint:syscalls:sys_exit_setsid {
  $t = (struct task_struct *)curtask;
  if (args->ret > 0) {
    if ${followed(scope, "$t->tgid")} {
      ${COUNT}
      printf("SETSID: seq=%llu,ts=%llu,pid=%d,ppid=%d,pgid=%d,sid=%d\\n", $seq, elapsed, $t->tgid, $t->real_parent->tgid, args->ret, args->ret);
    }
  }
}

tracepoint:syscalls:sys_enter_setpgid {
  $t = (struct task_struct *)curtask;
  if ${followed(scope, "$t->tgid")} {
    @moved[(uint64)$t->pid] = (uint64)args->pid + 1;
    @group[(uint64)$t->pid] = (uint64)args->pgid;
  }
}

tracepoint:syscalls:sys_exit_setpgid {
  $t = (struct task_struct *)curtask;
  if (@moved[(uint64)$t->pid]) {
    $pid = (uint64)(@moved[(uint64)$t->pid] - 1);
    $pgid = @group[(uint64)$t->pid];
    delete(@moved[(uint64)$t->pid]);
    delete(@group[(uint64)$t->pid]);
    if (args->ret == 0) {
      $ppid = (uint64)$t->tgid;
      $self = (uint64)$t->tgid;
      if ($pid == 0) { $pid = $self; }
      if ($pid == $self) { $ppid = (uint64)$t->real_parent->tgid; }
      if ($pgid == 0) { $pgid = $pid; }
      ${COUNT}
      printf("SETPGID: seq=%llu,ts=%llu,pid=%d,ppid=%d,pgid=%d\\n", $seq, elapsed, $pid, $ppid, $pgid);
    }
  }
}

END {
  clear(@tree); clear(@file); clear(@argv); clear(@moved); clear(@group); clear(@seq);
}
`;
}

/**
 * Without the kernel's types: an exec's words as its caller had them when it asked (a word whose page was not in memory
 * yet is empty), no process groups of others, the exit status from what the process was last told to do.
 */
function plainScript({ scope, chunk }: ScriptOptions): string {
  return `
tracepoint:task:task_newtask /(args->clone_flags & ${CLONE_THREAD}) == 0/ {
  ${adopt(
    scope,
    "pid",
    `${COUNT}
    printf("FORK: seq=%llu,ts=%llu,parent_pid=%d,child_pid=%d,mine=%llu\\n", $seq, elapsed, pid, args->pid, $mine);`,
  )}
}

tracepoint:syscalls:sys_enter_execve, tracepoint:syscalls:sys_enter_execveat {
  if ${followed(scope, "pid")} {
    ${COUNT}
    $ts = elapsed;
    $f = (uint64)args->filename;
    $v = (uint64)args->argv;
    @asked[(uint64)tid] = $ts;
    @number[(uint64)tid] = $seq;${walkedStrings("pid", chunk)}
    @more[(uint64)tid] = $more;
  }
}

tracepoint:syscalls:sys_exit_execve, tracepoint:syscalls:sys_exit_execveat {
  if (@asked[(uint64)tid]) {
    if (args->ret < 0) {
      printf("BADEXEC: seq=%llu,ts=%llu,pid=%d,ret=%d,more=%llu\\n", @number[(uint64)tid], @asked[(uint64)tid], pid, args->ret, @more[(uint64)tid]);
    } else {
      printf("EXEC: seq=%llu,ts=%llu,pid=%d,more=%llu\\n", @number[(uint64)tid], @asked[(uint64)tid], pid, @more[(uint64)tid]);
    }
    delete(@asked[(uint64)tid]);
    delete(@number[(uint64)tid]);
    delete(@more[(uint64)tid]);
  }
}

tracepoint:syscalls:sys_enter_exit, tracepoint:syscalls:sys_enter_exit_group {
  if ${followed(scope, "pid")} { @status[(uint64)pid] = ((uint64)args->error_code & 255) * 256 + 65536; }
}

tracepoint:signal:signal_deliver {
  if (args->sa_handler == 0 && (args->sig < 17 || args->sig > 23) && args->sig != 28) {
    if ${followed(scope, "pid")} {
      if (@status[(uint64)pid] == 0) { @status[(uint64)pid] = (uint64)args->sig + 65536; }
    }
  }
}

tracepoint:sched:sched_process_exit {
  delete(@asked[(uint64)tid]);
  delete(@number[(uint64)tid]);
  delete(@more[(uint64)tid]);
  if (pid == tid) {
    $mine = @tree[(uint64)pid];
    if ${scope.system ? "(1)" : "($mine)"} {
      delete(@tree[(uint64)pid]);
      ${COUNT}
      if (@status[(uint64)pid] != 0) {
        printf("EXIT: seq=%llu,ts=%llu,pid=%d,status=%llu,mine=%llu\\n", $seq, elapsed, pid, @status[(uint64)pid] & 65535, $mine);
        delete(@status[(uint64)pid]);
      } else {
        printf("EXIT: seq=%llu,ts=%llu,pid=%d,mine=%llu\\n", $seq, elapsed, pid, $mine);
      }
    }
  }
}

tracepoint:syscalls:sys_exit_setsid {
  if (args->ret > 0) {
    if ${followed(scope, "pid")} {
      ${COUNT}
      printf("SETSID: seq=%llu,ts=%llu,pid=%d,pgid=%d,sid=%d\\n", $seq, elapsed, pid, args->ret, args->ret);
    }
  }
}

tracepoint:syscalls:sys_enter_setpgid {
  if ${followed(scope, "pid")} {
    @moved[(uint64)tid] = (uint64)args->pid + 1;
    @group[(uint64)tid] = (uint64)args->pgid;
  }
}

tracepoint:syscalls:sys_exit_setpgid {
  if (@moved[(uint64)tid]) {
    $pid = (uint64)(@moved[(uint64)tid] - 1);
    $pgid = @group[(uint64)tid];
    delete(@moved[(uint64)tid]);
    delete(@group[(uint64)tid]);
    if (args->ret == 0) {
      if ($pid == 0) { $pid = (uint64)pid; }
      if ($pgid == 0) { $pgid = $pid; }
      ${COUNT}
      printf("SETPGID: seq=%llu,ts=%llu,pid=%d,pgid=%d\\n", $seq, elapsed, $pid, $pgid);
    }
  }
}

END {
  clear(@tree); clear(@asked); clear(@number); clear(@more); clear(@status); clear(@moved); clear(@group); clear(@seq);
}
`;
}
