// Prints everything that a program can see of the way it was started, one fact per line, into the file named first.
// tests/cli/record_transparency.test.ts compares a plain start with one under `tk record`: a new difference is a bug.
// Links to nothing but libc; asks the kernel directly where libc would answer from memory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;
static char text[1 << 20];
static size_t used;

#define P(...) (used += snprintf(text + used, sizeof text - used, __VA_ARGS__))

static void bytes(const char *s) {
  for (; *s; s++) {
    unsigned char c = *s;
    if (c < 32 || c > 126 || c == '\\') P("\\x%02x", c);
    else P("%c", c);
  }
  P("\n");
}

struct kernel_sigaction {
  void *handler;
  unsigned long flags;
  void *restorer;
  unsigned long mask;
};

static void signals(void) {
  for (int s = 1; s <= 64; s++) {
    struct kernel_sigaction sa;
    memset(&sa, 0, sizeof sa);
    if (syscall(SYS_rt_sigaction, s, NULL, &sa, 8) != 0) P("sigaction %d errno %d\n", s, errno);
    else P("sigaction %d %p %lx %lx\n", s, sa.handler, sa.flags, sa.mask);
  }
  unsigned long mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
  P("mask %lx\n", mask);
  mask = 0;
  syscall(SYS_rt_sigpending, &mask, 8);
  P("pending %lx\n", mask);
  stack_t st;
  sigaltstack(NULL, &st);
  P("sigaltstack %p %d\n", st.ss_sp, st.ss_flags);
}

static void limits(void) {
  for (int r = 0; r < 16; r++) {
    struct rlimit rl;
    if (getrlimit(r, &rl) == 0) P("rlimit %d %llu %llu\n", r, (unsigned long long)rl.rlim_cur, (unsigned long long)rl.rlim_max);
  }
}

static void descriptors(void) {
  struct stat first[4096];
  int open_fds[4096], n = 0;
  for (int fd = 0; fd < 4096; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    char name[64], target[4096] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(name, target, sizeof target - 1);
    if (len < 0) len = 0;
    target[len] = 0;
    char *inode = strchr(target, '['); // pipe:[123]: the number is new in every run
    if (inode) *inode = 0;
    struct stat st;
    fstat(fd, &st);
    int same = fd;
    for (int i = 0; i < n; i++)
      if (first[i].st_dev == st.st_dev && first[i].st_ino == st.st_ino) {
        same = open_fds[i];
        break;
      }
    first[n] = st;
    open_fds[n++] = fd;
    P("fd %d %s flags %d status %o position %lld like %d tty %d owner %d\n", fd, target, flags, fcntl(fd, F_GETFL), (long long)lseek(fd, 0, SEEK_CUR), same, isatty(fd), fcntl(fd, F_GETOWN));
    if (isatty(fd)) {
      struct termios t;
      struct winsize w;
      tcgetattr(fd, &t);
      ioctl(fd, TIOCGWINSZ, &w);
      P("tty %d %x %x %x %x size %d %d foreground %d\n", fd, t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, w.ws_row, w.ws_col, tcgetpgrp(fd) == getpgrp());
    }
  }
}

static void file(const char *name, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    P("%s errno %d\n", name, errno);
    return;
  }
  static char block[65536];
  ssize_t n = read(fd, block, sizeof block - 1);
  close(fd);
  if (n < 0) n = 0;
  block[n] = 0;
  for (char *line = strtok(block, "\n"); line; line = strtok(NULL, "\n")) P("%s %s\n", name, line);
}

static void status_file(void) {
  // Not listed: ids of this very process, and the memory and context switches of this very run.
  static const char *skip[] = {"Tgid", "Pid", "PPid", "NSpid", "NStgid", "Vm", "Rss", "Hugetlb", "voluntary", "nonvoluntary", "SigQ", "State", 0};
  FILE *f = fopen("/proc/self/status", "re");
  char line[4096];
  while (fgets(line, sizeof line, f)) {
    int wanted = 1;
    for (int i = 0; skip[i]; i++)
      if (!strncmp(line, skip[i], strlen(skip[i]))) wanted = 0;
    if (wanted) P("status %s", line);
  }
  fclose(f);
}

static void link_of(const char *name, const char *path) {
  char target[4096];
  ssize_t n = readlink(path, target, sizeof target - 1);
  if (n < 0) {
    P("%s errno %d\n", name, errno);
    return;
  }
  target[n] = 0;
  P("%s %s\n", name, target);
}

static void prctls(void) {
  int v = 0;
  prctl(PR_GET_PDEATHSIG, &v);
  P("pdeathsig %d\n", v);
  P("dumpable %d\n", prctl(PR_GET_DUMPABLE));
  P("keepcaps %d\n", prctl(PR_GET_KEEPCAPS));
  P("securebits %d\n", prctl(PR_GET_SECUREBITS));
  P("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  P("timerslack %d\n", prctl(PR_GET_TIMERSLACK));
  P("thp_disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  P("timing %d\n", prctl(PR_GET_TIMING));
  v = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &v);
  P("subreaper %d\n", v);
  v = 0;
  prctl(PR_GET_TSC, &v);
  P("tsc %d\n", v);
  P("mce_kill %d\n", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  char name[17] = "";
  prctl(PR_GET_NAME, name);
  P("name %s\n", name);
  P("personality %x\n", personality(0xffffffff));
}

static void scheduling(void) {
  struct sched_param sp;
  sched_getparam(0, &sp);
  P("scheduler %d %d\n", sched_getscheduler(0), sp.sched_priority);
  P("nice %d\n", getpriority(PRIO_PROCESS, 0));
  P("ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  P("cpus %d\n", CPU_COUNT(&set));
  for (int which = 0; which < 3; which++) {
    struct itimerval it;
    getitimer(which, &it);
    P("itimer %d %d %d\n", which, it.it_value.tv_sec != 0 || it.it_value.tv_usec != 0, (int)it.it_interval.tv_sec);
  }
}

static void identity(void) {
  uid_t r, e, s;
  gid_t rg, eg, sg;
  getresuid(&r, &e, &s);
  getresgid(&rg, &eg, &sg);
  P("uids %d %d %d gids %d %d %d\n", r, e, s, rg, eg, sg);
  P("pgrp same as parent %d absolute %d\n", getpgrp() == getpgid(getppid()), getpgrp());
  P("sid %d\n", getsid(0));
  FILE *f = fopen("/proc/self/stat", "re");
  char line[2048] = "";
  (void)!fgets(line, sizeof line, f);
  fclose(f);
  int tty = 0, tpgid = 0;
  char *after = strrchr(line, ')');
  if (after) sscanf(after + 1, " %*c %*d %*d %*d %d %d", &tty, &tpgid);
  P("tty_nr %d foreground %d\n", tty, tpgid == getpgrp());
  int status;
  int child = waitpid(-1, &status, WNOHANG | __WALL);
  P("children %d errno %d\n", child, errno);
  mode_t m = umask(0);
  umask(m);
  P("umask %o\n", m);
}

static void auxiliary(void) {
  P("execfn %s\n", (char *)getauxval(AT_EXECFN));
  P("platform %s\n", getauxval(AT_PLATFORM) ? (char *)getauxval(AT_PLATFORM) : "");
  unsigned long keys[] = {AT_SECURE, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_FLAGS, AT_HWCAP, AT_HWCAP2, AT_PAGESZ, AT_CLKTCK, AT_PHNUM, AT_PHENT};
  for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) P("auxv %lu %lx\n", keys[i], getauxval(keys[i]));
}

static void raw_words(const char *name, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  static char block[1 << 18];
  ssize_t n = 0, got;
  while ((got = read(fd, block + n, sizeof block - 1 - n)) > 0) n += got;
  close(fd);
  block[n] = 0;
  for (ssize_t i = 0; i < n; i += strlen(block + i) + 1) {
    P("%s ", name);
    bytes(block + i);
  }
}

int main(int argc, char **argv) {
  descriptors(); // first: the others open files
  signals();
  limits();
  P("argc %d\n", argc);
  for (int i = 0; argv[i]; i++) {
    P("argv ");
    bytes(argv[i]);
  }
  for (char **e = environ; *e; e++) {
    P("environ ");
    bytes(*e);
  }
  raw_words("cmdline", "/proc/self/cmdline");
  raw_words("proc_environ", "/proc/self/environ");
  auxiliary();
  identity();
  prctls();
  scheduling();
  status_file();
  link_of("cwd", "/proc/self/cwd");
  link_of("root", "/proc/self/root");
  link_of("exe", "/proc/self/exe");
  const char *spaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"};
  for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", spaces[i]);
    link_of(path, path);
  }
  file("cgroup", "/proc/self/cgroup");
  file("limits", "/proc/self/limits");
  file("oom_score_adj", "/proc/self/oom_score_adj");
  file("coredump_filter", "/proc/self/coredump_filter");
  file("timerslack_ns", "/proc/self/timerslack_ns");
  file("autogroup", "/proc/self/autogroup");
  file("loginuid", "/proc/self/loginuid");
  file("sessionid", "/proc/self/sessionid");
  file("uid_map", "/proc/self/uid_map");
  file("comm", "/proc/self/comm");
  file("wchan_children", "/proc/thread-self/children");
  if (argc < 2) {
    (void)!write(1, text, used);
    return 0;
  }
  int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (out < 0) return 3;
  for (size_t done = 0; done < used;) {
    ssize_t n = write(out, text + done, used - done);
    if (n <= 0) return 4;
    done += n;
  }
  return 5; // so that the test sees whose status came back
}
