"""Generators: suspended, resumed, sent to, thrown into, closed, delegated to."""


def count(n):
    for i in range(n):
        yield i
    return "done"


def echo():
    got = None
    while True:
        got = yield got
        if got == "stop":
            return got


def delegate(n):
    result = yield from count(n)
    yield result
    yield from [10, 20]


def guarded(log):
    try:
        yield 1
        yield 2
    except ValueError:
        log.append("value")
        yield 3
    finally:
        log.append("finally")


def fails():
    yield 1
    raise KeyError("k")


def passes(generator):
    for value in generator:
        yield value * 2


def both(n):
    x = (yield n) + (yield n + 1)
    return x


def main():
    log = []
    print(list(count(3)), list(delegate(2)), list(passes(count(2))))
    g = echo()
    next(g)
    print(g.send(5))
    try:
        g.send("stop")
    except StopIteration as end:
        print(end.value)
    g = guarded(log)
    next(g)
    print(g.throw(ValueError()))
    next(g, None)
    g = guarded(log)
    next(g)
    g.close()
    g = guarded(log)
    next(g)
    try:
        g.throw(KeyError("thrown"))
    except KeyError:
        log.append("key")
    try:
        list(passes(fails()))
    except KeyError:
        log.append("fails")
    g = both(1)
    next(g)
    g.send(2)
    try:
        g.send(3)
    except StopIteration as end:
        log.append(end.value)
    print(log)


main()
