# What daemons do: count descriptors, close all they do not know, use the numbers again.
import os
def spin(n):
    x = 0
    for i in range(n):
        x += i
    return x
spin(5000)
print(os.open("/dev/null", os.O_RDONLY))
spin(50000)
print(sorted(int(name) for name in os.listdir("/proc/self/fd") if int(name) < 100))
os.closerange(3, 256)
files = [open("kept%d" % i, "w") for i in range(4)]
for file in files:
    file.write("kept\n")
spin(150000)
for file in files:
    file.flush()
print([file.fileno() for file in files])
