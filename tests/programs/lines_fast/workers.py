"""Threads and forks."""
import os
import threading


def work(n):
    total = 0
    for i in range(n):
        total += step(i)
    return total


def step(i):
    return i + 1


def fork():
    child = os.fork()
    if child == 0:
        work(3)
        os._exit(work(2))
    return os.waitpid(child, 0)[1] >> 8


def main():
    threads = [threading.Thread(target=work, args=(k,), name="worker-%d" % k) for k in (5, 6)]  # differs
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(fork(), work(2))


main()
