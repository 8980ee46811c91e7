// What a recording by ptrace cannot know, as sentences for its header and for the docs.

const ALWAYS: readonly string[] = [
  "a process made with CLONE_UNTRACED is not recorded",
  "utime_ns, stime_ns and max_rss_kb include the children that a process has waited for, and the root's max_rss_kb begins with the recorder's",
];

const EVENTS: readonly string[] = [
  "execs that failed are not recorded",
  "setpgid and setsid are not recorded as events; the process group is read at fork, exec and exit, the session at exec",
];

const UNPRIVILEGED = "set-user-ID and set-group-ID programs ran without the privileges of their owner";

const FILTERED = "the command ran with no_new_privs and a seccomp filter, which it can see";

export function limits(mode: "events" | "complete", privileged: boolean): string[] {
  return [
    ...(mode === "events" ? EVENTS : []),
    ...(privileged ? [] : [UNPRIVILEGED]),
    ...(mode === "complete" && !privileged ? [FILTERED] : []),
    ...ALWAYS,
  ];
}
