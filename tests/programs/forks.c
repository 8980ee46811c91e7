// Every way on Linux in which a process begins, becomes another program, or ends; one word on the command line each.
// tests/programs/det.sh calls it under `tk record` and under `strace -f`: so what it does must be the same in every run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *tiny = "./tiny";

static void check(int ok, const char *what) {
  if (ok) return;
  perror(what);
  _exit(99);
}

static void reap(pid_t pid) {
  int status;
  while (waitpid(pid, &status, __WALL) < 0) check(errno == EINTR, "waitpid");
}

static void reap_all(void) {
  int status;
  while (waitpid(-1, &status, __WALL) > 0 || errno == EINTR) continue;
}

static void exec_tiny(const char *word) {
  char *argv[] = {"tiny", (char *)word, NULL};
  execve(tiny, argv, environ);
  _exit(98);
}

static void do_vfork(void) {
  for (int i = 0; i < 4; i++) {
    pid_t pid = vfork();
    if (pid == 0) {
      if (i == 2) _exit(22); // ends without an exec
      exec_tiny("vfork");
    }
    check(pid > 0, "vfork");
    reap(pid);
  }
}

static void do_spawn(void) {
  for (int i = 0; i < 3; i++) {
    char *argv[] = {"tiny", "spawned", NULL};
    pid_t pid;
    check(posix_spawn(&pid, tiny, NULL, NULL, argv, environ) == 0, "posix_spawn");
    reap(pid);
  }
  char *argv[] = {"no-such-program", NULL};
  pid_t pid;
  (void)!posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ); // one failed exec for each folder of PATH
  posix_spawnattr_t attr;
  posix_spawnattr_init(&attr);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  char *own_group[] = {"tiny", "own group", NULL};
  check(posix_spawn(&pid, tiny, NULL, &attr, own_group, environ) == 0, "posix_spawn");
  reap(pid);
}

static void *forking_thread(void *arg) {
  for (int i = 0; i < 3; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (i == 1) _exit(40 + (int)(long)arg);
      exec_tiny("from a thread");
    }
    reap(pid);
  }
  return NULL;
}

static void do_threads(void) {
  pthread_t t[4];
  for (long i = 0; i < 4; i++) check(pthread_create(&t[i], NULL, forking_thread, (void *)i) == 0, "pthread_create");
  for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
}

static void *exec_thread(void *arg) {
  (void)arg;
  exec_tiny("thread became the program");
  return NULL;
}

static void *sleeping_thread(void *arg) {
  (void)arg;
  for (;;) pause();
}

// A thread that is not the leader execs: it takes over the leader's id, all the other threads vanish.
static void do_thread_exec(void) {
  pthread_t t;
  for (int i = 0; i < 3; i++) pthread_create(&t, NULL, sleeping_thread, NULL);
  pthread_create(&t, NULL, exec_thread, NULL);
  for (;;) pause();
}

static void *late_exec_thread(void *arg) {
  (void)arg;
  usleep(20000);
  exec_tiny("after its leader");
  return NULL;
}

static void do_leader_exit(void) {
  pthread_t t;
  pthread_create(&t, NULL, late_exec_thread, NULL);
  pthread_exit(NULL);
}

static void *exit_thread(void *arg) {
  (void)arg;
  usleep(10000);
  exit(17); // the whole process, from a thread that is not the leader
}

static void do_thread_exit(void) {
  pthread_t t;
  pthread_create(&t, NULL, exit_thread, NULL);
  for (;;) pause();
}

static long raw_clone(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

static void do_clone(void) {
  signal(SIGUSR1, SIG_IGN);
  unsigned long odd[] = {0, SIGUSR1, SIGCHLD, SIGUSR2};
  signal(SIGUSR2, SIG_IGN);
  for (int i = 0; i < 4; i++) {
    long pid = raw_clone(odd[i]);
    if (pid == 0) {
      if (i == 1) exec_tiny("odd exit signal");
      syscall(SYS_exit_group, 30 + i);
    }
    check(pid > 0, "clone");
    reap(pid);
  }
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.exit_signal = SIGCHLD;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) exec_tiny("clone3");
  check(pid > 0, "clone3");
  reap(pid);
  memset(&args, 0, sizeof args);
  args.flags = CLONE_VFORK;
  args.exit_signal = SIGCHLD;
  pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) syscall(SYS_exit_group, 35);
  check(pid > 0, "clone3 vfork");
  reap(pid);
  (void)!raw_clone(CLONE_THREAD); // refused: no process begins
}

// The child of a CLONE_PARENT is its creator's sibling.
static void do_clone_parent(void) {
  pid_t middle = fork();
  if (middle == 0) {
    long pid = raw_clone(CLONE_PARENT | SIGCHLD);
    if (pid == 0) exec_tiny("sibling of its creator");
    check(pid > 0, "clone parent");
    _exit(36);
  }
  reap_all();
}

static void do_execveat(void) {
  char *argv[] = {"tiny", "by descriptor", NULL};
  int fd = open(tiny, O_RDONLY);
  check(fd >= 0, "open");
  if (fork() == 0) {
    syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    _exit(97);
  }
  reap_all();
  int dir = open(".", O_RDONLY | O_DIRECTORY);
  if (fork() == 0) {
    syscall(SYS_execveat, dir, "tiny", argv, environ, 0);
    _exit(97);
  }
  reap_all();
  if (fork() == 0) {
    syscall(SYS_execveat, dir, "not there", argv, environ, 0);
    syscall(SYS_execveat, 999, "tiny", argv, environ, 0);
    syscall(SYS_execveat, fd, "", argv, environ, 0);
    int script = open("./with_shebang", O_RDONLY | O_CLOEXEC);
    syscall(SYS_execveat, script, "", argv, environ, AT_EMPTY_PATH); // the interpreter could not open it again
    _exit(51);
  }
  reap_all();
  if (fork() == 0) {
    int script = open("./with_shebang", O_RDONLY);
    check(dup2(script, 55) == 55, "dup2");
    syscall(SYS_execveat, 55, "", argv, environ, AT_EMPTY_PATH);
    _exit(97);
  }
  reap_all();
}

static void do_daemon(int sleep_us) {
  if (fork() == 0) {
    setsid();
    setsid(); // refused: it leads a group already
    if (fork() == 0) {
      int null = open("/dev/null", O_RDWR);
      dup2(null, 0), dup2(null, 1), dup2(null, 2);
      usleep(sleep_us);
      if (sleep_us > 100000) _exit(61);
      exec_tiny("daemon");
    }
    _exit(60);
  }
  reap_all();
}

static void do_groups(void) {
  int go[2];
  check(pipe(go) == 0, "pipe");
  pid_t child = fork();
  char c;
  if (child == 0) {
    close(go[1]);
    (void)!read(go[0], &c, 1);
    _exit(0);
  }
  setpgid(child, child);
  setpgid(child, getpgrp());
  setpgid(child, 12345678);
  setpgid(99999999, 0);
  setpgid(child, -1);
  close(go[1]);
  reap(child);
  if (fork() == 0) {
    setpgid(0, 0);
    setpgid(0, 0);
    if (fork() == 0) {
      setpgid(0, 0);
      exec_tiny("in a group of its own");
    }
    reap_all();
    _exit(0);
  }
  reap_all();
}

static void do_signals(void) {
  int deaths[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGSEGV, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGXCPU, SIGVTALRM, SIGIO, SIGTRAP, 34, 40, 64};
  for (unsigned i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      struct sigaction dfl;
      memset(&dfl, 0, sizeof dfl);
      dfl.sa_handler = SIG_DFL;
      sigaction(deaths[i], &dfl, NULL);
      kill(getpid(), deaths[i]);
      for (;;) pause();
    }
    reap(pid);
  }
  // stopped and continued by others: lives on
  pid_t pid = fork();
  if (pid == 0) {
    raise(SIGSTOP);
    exec_tiny("after a stop");
  }
  int status;
  waitpid(pid, &status, WUNTRACED);
  kill(pid, SIGCONT);
  reap(pid);
}

static void child_exec(const char *file, char **argv, char **env) {
  pid_t pid = fork();
  if (pid == 0) {
    syscall(SYS_execve, file, argv, env);
    _exit(errno & 0x7f);
  }
  reap(pid);
}

static void do_argv(void) {
  char *odd[] = {"tiny", "two\nlines\n", "'single' \"double\" `back` $dollar \\", "", " ", "\xff\xfe\x80", "caf\xe9", "caf\xc3\xa9", "\xed\xa0\x80", "\xf0\x9f\x8d\x92", "\xc0\x80", "tab\there", "\x01\x1b[31m\x7f", "{\"json\":1}", "", NULL};
  child_exec(tiny, odd, environ);
  char *none[] = {NULL};
  child_exec(tiny, none, environ); // Linux >= 5.18 makes this one empty word
  char *no_env[] = {"tiny", "no environment", NULL};
  child_exec(tiny, no_env, none);
  char *nameless[] = {"", NULL};
  child_exec(tiny, nameless, environ);
  static char longest[120 * 1024];
  for (unsigned i = 0; i < sizeof longest - 1; i++) longest[i] = 'a' + i % 26;
  char *lengthy[] = {"tiny", longest, longest, longest, "end", NULL};
  child_exec(tiny, lengthy, environ);
  static char *many[30002];
  static char words[30000][8];
  many[0] = "tiny";
  for (int i = 0; i < 30000; i++) {
    snprintf(words[i], sizeof words[i], "%d", i);
    many[i + 1] = words[i];
  }
  child_exec(tiny, many, environ);
}

static void do_badexec(void) {
  char *argv[] = {"word", "x", NULL};
  static char name[5000];
  memset(name, 'n', sizeof name - 1);
  child_exec("./not-there", argv, environ);
  child_exec("./plain_file", argv, environ); // EACCES
  child_exec(".", argv, environ);
  child_exec("./plain_file/below", argv, environ); // ENOTDIR
  child_exec("./garbage", argv, environ); // ENOEXEC
  child_exec("./bad_shebang", argv, environ); // its interpreter is missing
  child_exec("./loop", argv, environ); // ELOOP
  child_exec(name, argv, environ); // ENAMETOOLONG
  child_exec("", argv, environ);
  child_exec("./caf\xe9-\n-\"quoted\"", argv, environ);
  static char too_long[200 * 1024];
  memset(too_long, 'x', sizeof too_long - 1);
  char *big[] = {"big", too_long, NULL};
  child_exec(tiny, big, environ); // E2BIG: a word of more than 128 KiB
  char *odd[] = {"w\xff\xfe", "", "a\nb", NULL};
  child_exec("./not-there-either", odd, environ);
  // several in a row in one process, then one that works
  if (fork() == 0) {
    char *path[] = {"tiny", "last", NULL};
    execve("./a/tiny", path, environ);
    execve("./b/tiny", path, environ);
    execve(tiny, path, environ);
    _exit(97);
  }
  reap_all();
  if (fork() == 0) {
    execlp("missing-everywhere", "missing-everywhere", "-v", (char *)NULL);
    _exit(127);
  }
  reap_all();
}

// Pointers that lead nowhere: the kernel says EFAULT, and a recorder must not fall over them.
static void do_badpointers(void) {
  char *argv[] = {"word", NULL};
  child_exec((char *)16, argv, environ);
  child_exec(tiny, (char **)16, environ);
  char *half[] = {"word", (char *)16, NULL};
  child_exec(tiny, half, environ);
}

static void do_tree(int depth) {
  for (int i = 0; i < 2; i++) {
    if (fork() == 0) {
      if (depth > 0) do_tree(depth - 1);
      _exit(depth * 2 + i);
    }
  }
  reap_all();
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core); // a core file would be one more difference between two runs
  if (!strcmp(what, "vfork")) do_vfork();
  else if (!strcmp(what, "spawn")) do_spawn();
  else if (!strcmp(what, "threads")) do_threads();
  else if (!strcmp(what, "thread-exec")) do_thread_exec();
  else if (!strcmp(what, "leader-exit")) do_leader_exit();
  else if (!strcmp(what, "thread-exit")) do_thread_exit();
  else if (!strcmp(what, "clone")) do_clone();
  else if (!strcmp(what, "clone-parent")) do_clone_parent();
  else if (!strcmp(what, "execveat")) do_execveat();
  else if (!strcmp(what, "daemon")) do_daemon(50000);
  else if (!strcmp(what, "slow-daemon")) do_daemon(700000);
  else if (!strcmp(what, "groups")) do_groups();
  else if (!strcmp(what, "signals")) do_signals();
  else if (!strcmp(what, "argv")) do_argv();
  else if (!strcmp(what, "badexec")) do_badexec();
  else if (!strcmp(what, "badpointers")) do_badpointers();
  else if (!strcmp(what, "tree")) do_tree(3);
  else {
    fprintf(stderr, "forks: vfork spawn threads thread-exec leader-exit thread-exit clone clone-parent execveat daemon slow-daemon groups signals argv badexec badpointers tree\n");
    return 2;
  }
  return 0;
}
