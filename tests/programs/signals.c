// Says which signals it got and from whom, one per line, until it has got SIGUSR2 twice.
// For the claim that a signal sent to tk reaches the command once, and as if it had been sent to the command.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  printf("ready\n");
  fflush(stdout);
  int last = 0;
  for (;;) {
    siginfo_t info;
    int s = sigwaitinfo(&all, &info);
    if (s <= 0 || s == SIGCONT || s == SIGWINCH) continue;
    printf("%d code %d uid %d from parent %d\n", s, info.si_code, info.si_uid, info.si_pid == getppid());
    fflush(stdout);
    if (s == SIGUSR2 && ++last == 2) return 21;
  }
}
