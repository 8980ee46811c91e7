# Ends of processes that give nobody a chance to tidy up; argument: which.
import ctypes, multiprocessing, os, signal, sys, time
def spin(n):
    i = 0
    while i < n:
        i += 1
def child(ready):
    spin(70000)
    ready.set()
    time.sleep(60)
if __name__ == "__main__":
    how = sys.argv[1]
    if how == "terminate":
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        process = context.Process(target=child, args=(ready,))
        process.start()
        ready.wait()
        process.terminate()
        process.join()
        sys.exit(0)
    spin(70000)
    if how == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if how == "_exit": os._exit(5)
    if how == "crash": ctypes.string_at(0)
    if how == "exec": os.execv(sys.executable, [sys.executable, "-c", "x = 1\ny = 2"])
    if how == "spawn": 
        for method in ("spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                pool.map(spin, [10])
