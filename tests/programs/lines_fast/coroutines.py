"""Coroutines, asynchronous generators, iterators, context managers, cancellation."""
import asyncio


async def value(n):
    return n


async def sleeps(n):
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return n


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


class Lock:
    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, kind, error, trace):
        await asyncio.sleep(0)
        return kind is KeyError


async def locked():
    async with Lock() as lock:  # differs
        await value(1)
        raise KeyError(lock)


async def cancelled(log):
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        log.append("cancelled")
        await asyncio.sleep(0)
        raise


async def fails():
    await asyncio.sleep(0)
    raise ValueError("failed")


async def main():
    log = []
    total = await value(1) + await sleeps(2)
    async for tick in ticks(2):  # differs
        total += tick
    await locked()
    total += sum([await value(k) for k in range(2)])  # differs
    results = await asyncio.gather(sleeps(3), sleeps(4), fails(), return_exceptions=True)
    task = asyncio.ensure_future(cancelled(log))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("seen")
    try:
        await fails()
    except ValueError as error:
        trace = error.__traceback__
        names = []
        while trace is not None:
            names.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        log.append(names)
    try:
        await 5
    except TypeError as error:
        log.append(str(error))
    print(total, results, log)


asyncio.run(main())
