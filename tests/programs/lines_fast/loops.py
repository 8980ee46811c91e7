"""Loops, calls, recursion."""
from __future__ import annotations


def factorial(n):
    if n < 2:
        return 1
    return n * factorial(n - 1)


def loops(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            continue
        elif i == 7:
            break
        total += i
    else:
        total = -1
    while n > 0:
        n -= 1
        if n == 2:
            continue
        total += n
    while True:
        total += 1
        if total > 60:
            break
    return total


def several(n):
    a = n; b = a + 1; c = b + 1
    if a: b = c
    return a + b + c


def outer(n):
    seen = 0

    def inner(k):
        nonlocal seen
        seen += k
        return seen

    for k in range(n):
        inner(k)
    return seen


class Base:
    def name(self):
        return "base"


class Thing(Base):
    """A class with everything that a class has."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def name(self):
        return super().name() + __class__.__name__

    @property
    def doubled(self):
        return self.value * 2

    @staticmethod
    def made(value):
        return Thing(value)


def locals_seen(a, b):
    c = a + b
    return sorted(locals()) + sorted(vars())


print(factorial(5), loops(9), several(2), outer(4))
print(Thing.made(4).doubled, Thing(1).name(), Thing.__doc__, locals_seen(1, 2))
