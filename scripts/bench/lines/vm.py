# A stack machine that computes primes: a method call for each instruction.
class Machine:
    def __init__(self, code):
        self.code = code
        self.stack = []
        self.slots = [0] * 8
        self.at = 0
        self.out = []

    def push(self, value):
        self.stack.append(value)

    def pop(self):
        return self.stack.pop()

    def op_const(self, value):
        self.push(value)

    def op_load(self, slot):
        self.push(self.slots[slot])

    def op_store(self, slot):
        self.slots[slot] = self.pop()

    def op_add(self, _):
        right = self.pop()
        left = self.pop()
        self.push(left + right)

    def op_mod(self, _):
        right = self.pop()
        left = self.pop()
        self.push(left % right)

    def op_less(self, _):
        right = self.pop()
        left = self.pop()
        self.push(left < right)

    def op_jump(self, to):
        self.at = to

    def op_unless(self, to):
        if not self.pop():
            self.at = to

    def op_emit(self, _):
        self.out.append(self.pop())

    def run(self):
        handlers = {name[3:]: getattr(self, name) for name in dir(self) if name.startswith("op_")}
        code = self.code
        while self.at < len(code):
            name, argument = code[self.at]
            self.at += 1
            handlers[name](argument)
        return self.out


def program(limit):
    # n = 2; while n < limit: d = 2; while d < n: if n % d == 0: next n; d += 1; emit n
    return [
        ("const", 2),
        ("store", 0),
        ("load", 0),
        ("const", limit),
        ("less", None),
        ("unless", 29),
        ("const", 2),
        ("store", 1),
        ("load", 1),
        ("load", 0),
        ("less", None),
        ("unless", 22),
        ("load", 0),
        ("load", 1),
        ("mod", None),
        ("unless", 24),
        ("load", 1),
        ("const", 1),
        ("add", None),
        ("store", 1),
        ("jump", 8),
        ("jump", 8),
        ("load", 0),
        ("emit", None),
        ("load", 0),
        ("const", 1),
        ("add", None),
        ("store", 0),
        ("jump", 2),
    ]


def main(limit=90):
    return sum(Machine(program(limit)).run())
