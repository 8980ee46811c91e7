# Threads, coroutines, generators, recursion, forks: every stream must stay balanced, and the output what it is alone.
import sys, os, threading, asyncio, time, multiprocessing, signal
def gen(n):
    try:
        for i in range(n):
            got = yield i
    finally:
        mark = 1
def outer(n):
    r = yield from gen(n)
    return r
def catches():
    try:
        yield
    except ValueError:
        return "caught"
def waits():
    yield (yield from catches())
def fails(depth):
    if depth == 0:
        raise KeyError("deep")
    try:
        fails(depth - 1)
    finally:
        done = 1
async def agen(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
async def worker(n):
    total = 0
    async for x in agen(n):
        total += x
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.005)
    except asyncio.TimeoutError:
        pass
    t = asyncio.ensure_future(asyncio.sleep(3))
    await asyncio.sleep(0)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        total += 1
    return total
async def main():
    print(await asyncio.gather(*[worker(i) for i in range(5)]))
def busy(n):
    x = 0
    for i in range(n):
        x += sum(outer(3)) if i % 7 == 0 else 1
    return x
def thread(n):
    busy(n)
    try:
        fails(5)
    except KeyError:
        pass
def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)
def infinite(n):
    return infinite(n + 1)
def pool(x):
    return x * x
if __name__ == "__main__":
    # First, since a process with threads may not fork.
    pid = os.fork()
    if pid == 0:
        busy(10)
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") else 3)
    ctx = multiprocessing.get_context("fork")
    with ctx.Pool(2) as p:
        print(p.map(pool, range(6)))
    g = outer(3); next(g)
    try: g.throw(ValueError("in"))
    except ValueError: print("thrown")
    g = outer(3); next(g); g.close()
    g = waits(); next(g); print(g.throw(ValueError("in"))); g.close()
    g = gen(2); next(g); del g
    print([x for x in gen(3)], {k: v for k, v in zip("ab", gen(2))}, sum(x for x in gen(4)))
    asyncio.run(main())
    ts = [threading.Thread(target=thread, args=(3000,)) for _ in range(5)]
    for t in ts: t.start()
    for t in ts: t.join()
    sys.setrecursionlimit(20000)
    threading.stack_size(512 << 20)
    t = threading.Thread(target=lambda: print(deep(9990))); t.start(); t.join()
    threading.stack_size(0)
    sys.setrecursionlimit(1000)
    try:
        infinite(0)
    except RecursionError:
        print("RecursionError")
    print("end")
