// How a process ended, from the kernel's wait status and back to words.

export type ExitStatus =
  | { readonly how: "exited"; readonly code: number }
  | { readonly how: "signaled"; readonly signal: number; readonly coreDumped: boolean }
  | { readonly how: "unknown" };

export const UNKNOWN_STATUS: ExitStatus = { how: "unknown" };

const SIGNALS: readonly string[] =
  "0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(
    " ",
  );

/** `SIGTERM` for 15, `SIGRTMIN+2` for 36, `signal 99` for what Linux does not name. */
export function signalName(signal: number): string {
  if (signal >= 1 && signal <= 31) return `SIG${SIGNALS[signal]}`;
  if (signal >= 34 && signal <= 64) return signal === 34 ? "SIGRTMIN" : `SIGRTMIN+${signal - 34}`;
  return `signal ${signal}`;
}

/** From the status word that wait4(2) fills in. */
export function decodeWaitStatus(word: number): ExitStatus {
  const low = word & 0x7f;
  if (low === 0) return { how: "exited", code: (word >> 8) & 0xff };
  return { how: "signaled", signal: low, coreDumped: (word & 0x80) !== 0 };
}

/** What a shell would put into `$?`: the code, or 128 + signal. */
export function shellStatus(status: ExitStatus): number | undefined {
  if (status.how === "exited") return status.code;
  return status.how === "signaled" ? 128 + status.signal : undefined;
}
