# Python's ways to start a process, each the same in every run.
import multiprocessing as mp
import os
import subprocess
import sys


def work(n):
    return n * n


def leave(n):
    sys.exit(n)


if __name__ == "__main__":
    subprocess.run(["./tiny", "from python"], check=True)
    subprocess.run("./tiny through a shell; exit 5", shell=True)
    subprocess.run(["./tiny", "new session"], start_new_session=True)
    subprocess.run(["./tiny", "in a folder"], cwd="sub", executable="../tiny")
    subprocess.run(["./tiny", "after fork"], preexec_fn=lambda: os.umask(0o77))
    subprocess.run(["./tiny", b"bytes \xff\xfe"])
    try:
        subprocess.run(["./not-there-for-python"])
    except FileNotFoundError:
        pass
    a = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    b = subprocess.Popen(["wc", "-c"], stdin=a.stdout, stdout=subprocess.PIPE)
    a.stdin.write(b"x" * 1000)
    a.stdin.close()
    a.stdout.close()
    print(b.communicate()[0].decode().strip())
    a.wait()
    os.waitpid(os.posix_spawn("./tiny", ["tiny", "posix_spawn"], os.environ), 0)
    if os.fork() == 0:
        os._exit(33)
    os.wait()
    fork = mp.get_context("fork")
    ps = [fork.Process(target=leave, args=(n,)) for n in (0, 3, 4)]
    for p in ps:
        p.start()
    for p in ps:
        p.join()
    with fork.Pool(3) as pool:
        print(sum(pool.map(work, range(30), chunksize=10)))
        pool.close()
        pool.join()
    spawned = mp.get_context("spawn").Process(target=leave, args=(6,))
    spawned.start()
    spawned.join()
