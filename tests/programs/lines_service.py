# A service that uses the recorder's module by itself: arguments: module's folder, spool, name, mode.
import asyncio, os, sys, time
folder, spool, name, mode = sys.argv[1:5]
sys.path.insert(0, folder)
from tk_trackexec import precise_timestamping, record, stop
directory = record(package="__main__", dir=spool, name=name, sparse=mode == "sparse", keep=3)
print(directory is not None)
def spin(n):
    x = 0
    for i in range(n):
        x += i
    return x
def precise():
    a = 1
    time.sleep(0.002)
    return a
async def waits():
    for i in range(3):
        await asyncio.sleep(0.01)
spin(40000)
with precise_timestamping():
    precise()
spin(5)
asyncio.run(waits())
if mode == "fork":
    pid = os.fork()
    if pid == 0:
        spin(3)
        os._exit(0)
    os.waitpid(pid, 0)
if mode == "child":
    os.system("%s %s %s %s server-db exact" % (sys.executable, __file__, folder, spool))
stop()
spin(3)
print("served")
