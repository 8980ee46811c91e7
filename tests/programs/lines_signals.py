# Handlers of signals while nearly every instruction is the recorder's: none may see it, and none may be lost.
import os, signal, sys, traceback
class Late(Exception): pass
def counts(number, frame):
    seen.append(frame.f_code.co_filename)
def raises(number, frame):
    raise Late("late")
def spin(n):
    x = i = 0
    while i < n:
        x = x + i
        i += 1
    return x
seen = []
signal.signal(signal.SIGALRM, counts)
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
while len(seen) < 20:
    spin(1000)
signal.setitimer(signal.ITIMER_REAL, 0)
print(sorted(os.path.basename(name) for name in set(seen)))
signal.signal(signal.SIGALRM, raises)
for turn in range(20):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        while True:
            spin(100)
    except Late:
        text = traceback.format_exc()
        if "tk_trackexec" in text:
            print(text)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGALRM) is raises)
signal.signal(signal.SIGALRM, lambda number, frame: os.kill(os.getpid(), signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.002)
while True:
    spin(10)
