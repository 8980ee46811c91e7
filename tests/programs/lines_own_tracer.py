# A program with a trace function of its own: it must see what it sees alone, and the recorder comes back after it.
import bdb
import sys
import threading
seen = []
def mine(frame, event, arg):
    seen.append((event, frame.f_code.co_name, frame.f_lineno))
    return mine
def f(x):
    y = x + 1
    return y
print(sys.gettrace())
f(1)
sys.settrace(mine)
print(sys.gettrace() is mine)
f(2)
sys.settrace(None)
print(seen, sys.gettrace())
def after():
    return f(3)
after()
class Debugger(bdb.Bdb):
    def user_line(self, frame):
        self.set_continue()
def debugged():
    Debugger().set_trace()
    a = 1
    return f(a)
debugged()
threading.settrace(mine)
t = threading.Thread(target=f, args=(5,)); t.start(); t.join()
threading.settrace(None)
t = threading.Thread(target=after); t.start(); t.join()
def last():
    return 1
last()
