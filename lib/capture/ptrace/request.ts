// Names and numbers of ptrace(2), wait4(2) and of what they fill in. From include/uapi/linux/ptrace.h and wait.h.

export const PTRACE = {
  CONT: 7,
  SYSCALL: 24,
  GETEVENTMSG: 0x4201,
  GETSIGINFO: 0x4202,
  SETSIGINFO: 0x4203,
  SEIZE: 0x4206,
  INTERRUPT: 0x4207,
  LISTEN: 0x4208,
  GET_SYSCALL_INFO: 0x420e,
} as const;

export const OPTION = {
  SYSGOOD: 1,
  FORK: 2,
  VFORK: 4,
  CLONE: 8,
  EXEC: 16,
  SECCOMP: 128,
  EXITKILL: 0x100000,
} as const;

export const EVENT = { NONE: 0, FORK: 1, VFORK: 2, CLONE: 3, EXEC: 4, SECCOMP: 7, STOP: 128 } as const;

/** Children and clones alike, and only those of this thread: the runtime's own children belong to its other threads. */
export const WAIT_FLAGS = 0x40000000 | 0x20000000;
export const WNOHANG = 1;

/** Signal of a system call stop under OPTION.SYSGOOD. */
export const SYSCALL_STOP = 5 | 0x80;

/** Offsets in struct ptrace_syscall_info. */
export const INFO = {
  SIZE: 128,
  op: 0,
  arch: 4,
  stackPointer: 16,
  result: 24,
  isError: 32,
  /** Of an entry or seccomp stop: six words. */
  arguments: 32,
  /** Of a seccomp stop: the filter's SECCOMP_RET_DATA. */
  seccompData: 80,
} as const;

export const INFO_OP_EXIT = 2;

/** Offsets in struct rusage. */
export const USAGE = {
  SIZE: 256,
  utimeSeconds: 0,
  utimeMicros: 8,
  stimeSeconds: 16,
  stimeMicros: 24,
  maxRss: 32,
} as const;
