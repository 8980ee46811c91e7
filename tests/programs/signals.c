// Says which signals it got and from whom, one per line, until it has got SIGUSR2 twice.
// For the claim that a signal sent to tk reaches the command once, and as if it had been sent to the command.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t last;

static void got(int s, siginfo_t *info, void *context) {
  (void)context;
  char line[100];
  int n = snprintf(line, sizeof line, "%d code %d uid %d from parent %d\n", s, info->si_code, info->si_uid, info->si_pid == getppid());
  (void)!write(1, line, n);
  if (s == SIGUSR2) last++;
}

int main(void) {
  int heard[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP};
  for (unsigned i = 0; i < sizeof heard / sizeof *heard; i++) {
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = got;
    sa.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&sa.sa_mask);
    sigaction(heard[i], &sa, NULL);
  }
  (void)!write(1, "ready\n", 6);
  while (last < 2) usleep(10000);
  return 21;
}
