// Lives that are hard to follow: parents killed inside fork, threads by the thousand, threads that all fork.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// Each child forks as fast as it can and is killed in the middle of it; its own children are left to themselves.
static void killed_forkers(void) {
  for (int i = 0; i < 200; i++) {
    pid_t pid = fork();
    if (pid == 0)
      for (;;) {
        pid_t child = fork();
        if (child == 0) {
          execl("./tiny", "tiny", "orphan", (char *)0);
          _exit(1);
        }
        waitpid(child, 0, WNOHANG);
      }
    usleep(200 + i * 37 % 1500);
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
  }
}

// As before, but the whole group is killed: children die before anybody has heard of them.
static void killed_groups(void) {
  for (int i = 0; i < 200; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      for (int k = 0; k < 2; k++) fork();
      for (;;)
        if (fork() == 0) _exit(3);
        else
          while (waitpid(-1, 0, WNOHANG) > 0) continue;
    }
    // From both sides, as shells do it: on a busy machine the child may not have run yet, and its children would be left.
    setpgid(pid, pid);
    usleep(500 + i * 37 % 1500);
    kill(-pid, SIGKILL);
    waitpid(pid, 0, 0);
  }
}

static void *nothing(void *arg) { return arg; }

static void *forker(void *arg) {
  for (int i = 0; i < 25; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(1);
    waitpid(pid, 0, 0);
  }
  return arg;
}

static void threads(void) {
  pthread_t t[8];
  for (int i = 0; i < 2000; i++) {
    pthread_create(&t[0], 0, nothing, 0);
    pthread_join(t[0], 0);
  }
  for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, forker, 0);
  for (int i = 0; i < 8; i++) pthread_join(t[i], 0);
}

// The process is killed while its threads come, go and fork.
static void killed_threads(void) {
  for (int i = 0; i < 60; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      for (int k = 0; k < 3; k++) {
        pthread_t t;
        pthread_create(&t, 0, forker, 0);
      }
      for (;;) {
        pthread_t t;
        if (pthread_create(&t, 0, nothing, 0) == 0) pthread_join(t, 0);
      }
    }
    usleep(500 + i * 91 % 3000);
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "killed-forkers")) killed_forkers();
  if (!strcmp(argv[1], "killed-groups")) killed_groups();
  if (!strcmp(argv[1], "threads")) threads();
  if (!strcmp(argv[1], "killed-threads")) killed_threads();
  return 0;
}
