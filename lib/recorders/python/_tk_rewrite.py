# Engine `fast`, first half: the syntax tree of a module with one call per statement written into it. Pure: trees in, trees
# out; what the calls do is in `_tk_fast.py`. Nothing that the program can see of itself may change: line numbers, columns,
# docstrings, names (but for one local `_tk_a` in functions), the order of evaluation. docs/lines-python.md tells what is recorded.
import ast
import sys

# Names of constants that the loader replaces by functions once the code is compiled: no global or builtin is added.
ENTER, ENTER_AT, PUT, DRIVE, DRIVE_PLAIN, ITERATE, MANAGE, WOKEN, UNWOUND, FRAME = (
    "\0tk:" + name
    for name in ("enter", "enter_at", "put", "drive", "drive_plain", "iterate", "manage", "woken", "unwound", "frame")
)
RETURN, LEAVE, UNWIND = -1, -2, -3

# Compilers that read a function's own text or bytecode: their functions stay as they are.
COMPILED_BY = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "kernel", "stencil", "script", "overload", "jit_module"}
# Functions that can see the names of the calling function's locals.
SEES_LOCALS = {"locals", "vars", "dir", "eval", "exec"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
TRIES = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
MATCH = getattr(ast, "Match", ())


# What cannot run other code, operators on objects of one's own left aside: a statement of only these is light.
LIGHT = tuple(
    getattr(ast, name)
    for name in (
        "Name Constant BinOp UnaryOp BoolOp Compare IfExp Tuple List Dict Subscript Attribute NamedExpr Slice Index ExtSlice Assign AugAssign "
        "AnnAssign Return Expr Pass Break Continue Assert expr_context operator unaryop boolop cmpop"
    ).split()
    if hasattr(ast, name)
)


# Calls of these are light, too: they look at an object, or at its size.
LOOKS = {"len", "ord", "chr", "isinstance", "abs", "id", "type", "callable", "bool"}


def is_light(node):
    if not isinstance(node, LIGHT):
        return False
    todo = [node]
    while todo:
        for child in ast.iter_child_nodes(todo.pop()):
            if isinstance(child, ast.Call):
                if not isinstance(child.func, ast.Name) or child.func.id not in LOOKS or child.keywords:
                    return False
            elif not isinstance(child, LIGHT) or isinstance(child, ast.MatMult):
                return False
            todo.append(child)
    return True


class Scope:
    """What a frame runs: a module, a class body or a function."""

    def __init__(self, kind, name, word):
        self.kind = kind
        self.name = name
        self.word = word
        self.local = kind == "function"  # events go through the local `_tk_a`
        self.loops = []  # line of the header that `continue` goes to, 0 for `while`
        self.after_light = False  # the statement before the one at hand is light
        self.unstamped = False  # `_tk_b` may be used
        self.line = 0  # of the statement that was executed just before, where that is known
        self.suspends = False  # the statement at hand contains a yield or an await


def own_nodes(function):
    """The nodes that a function's own frame evaluates, nested functions and lambdas left out."""
    todo = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            todo += node.decorator_list + node.args.defaults + [d for d in node.args.kw_defaults if d is not None]
        elif isinstance(node, ast.Lambda):
            todo += node.args.defaults + [d for d in node.args.kw_defaults if d is not None]
        elif isinstance(node, ast.ClassDef):
            todo += node.decorator_list + node.bases + node.keywords + node.body
        else:
            todo += ast.iter_child_nodes(node)


class Suspensions(ast.NodeTransformer):
    """Marks in the expressions of one frame where it leaves its thread and where it is back."""

    def __init__(self, rewriter):
        self.rewriter = rewriter

    def visit_Lambda(self, node):
        return node

    def visit_GeneratorExp(self, node):
        # Runs later, in a frame of its own; only its first iterable is evaluated here.
        node.generators[0].iter = self.visit(node.generators[0].iter)
        return node

    def visit_Await(self, node):
        self.generic_visit(node)
        r = self.rewriter
        r.scope.suspends = True
        node.value = r.call(DRIVE, [node.value, r.constant(r.scope.word, node)], node)
        return node

    def visit_YieldFrom(self, node):
        self.generic_visit(node)
        r = self.rewriter
        r.scope.suspends = True
        node.value = r.call(DRIVE_PLAIN, [node.value, r.constant(r.scope.word, node)], node)
        return node

    def visit_Yield(self, node):
        # yield v  ->  ((yield (v, _tk_a := _tk_a(LEAVE))[0]), _tk_a := enter(word))[0]
        self.generic_visit(node)
        r = self.rewriter
        r.scope.suspends = True
        leave = r.bind(r.put(LEAVE, node), node)
        node.value = leave if node.value is None else r.first([node.value, leave], node)
        return r.first([node, r.bind(r.enter(node), node)], node)

    def visit_comprehension(self, node):
        self.generic_visit(node)
        if node.is_async:
            r = self.rewriter
            r.scope.suspends = True
            node.iter = r.call(ITERATE, [node.iter, r.constant(r.scope.word, node.iter)], node.iter)
        return node


class Rewriter:
    def __init__(self, code_word, left, light_lines):
        """code_word(first line, qualified name): the word of entering it; left(first line, name, why): told of what is not
        rewritten; light_lines: gets the lines whose events may be without a stamp."""
        self.light_lines = light_lines
        self.code_word = code_word
        self.left = left
        self.suspensions = Suspensions(self)

    # Nodes: all at the place of the statement that they serve.

    def place(self, node, at):
        node.lineno, node.col_offset = at.lineno, at.col_offset
        node.end_lineno, node.end_col_offset = at.end_lineno, at.end_col_offset
        return node

    def constant(self, value, at):
        return self.place(ast.Constant(value=value, kind=None), at)

    def name(self, name, at, store=False):
        return self.place(ast.Name(id=name, ctx=ast.Store() if store else ast.Load()), at)

    def call(self, function, arguments, at):
        # `f if True else None` compiles to f; calling a constant outright would be warned of.
        constant = self.constant(function, at)
        chosen = self.place(ast.IfExp(test=self.constant(True, at), body=constant, orelse=self.constant(None, at)), at)
        return self.place(ast.Call(func=chosen, args=arguments, keywords=[]), at)

    def put(self, word, at, light=False):
        argument = self.constant(word, at)
        if self.scope.local:
            name = "_tk_b" if light and self.scope.unstamped else "_tk_a"
            return self.place(ast.Call(func=self.name(name, at), args=[argument], keywords=[]), at)
        return self.call(PUT, [argument], at)

    def enter(self, at):
        return self.call(ENTER, [self.constant(self.scope.word, at)], at)

    def bind(self, value, at):
        return self.place(ast.NamedExpr(target=self.name("_tk_a", at, True), value=value), at)

    def first(self, values, at):
        both = self.place(ast.Tuple(elts=values, ctx=ast.Load()), at)
        return self.place(ast.Subscript(value=both, slice=self.index(at), ctx=ast.Load()), at)

    def index(self, at):
        zero = self.constant(0, at)
        return zero if sys.version_info >= (3, 9) else ast.Index(value=zero)

    def statement(self, expression, at):
        return self.place(ast.Expr(value=expression), at)

    def assign(self, value, at):
        return self.place(ast.Assign(targets=[self.name("_tk_a", at, True)], value=value, type_comment=None), at)

    def event(self, line, at, light=False):
        return self.statement(self.put(line, at, light), at)

    def attempt(self, body, handler, at, orelse=(), finalbody=()):
        """try: body; except BaseException: handler; raise"""
        base = self.place(ast.Raise(exc=None, cause=None), at)
        caught = self.place(ast.ExceptHandler(type=None, name=None, body=[*handler, base]), at)
        return self.place(
            ast.Try(body=body, handlers=[caught], orelse=list(orelse), finalbody=list(finalbody)), at
        )

    # Statements.

    def module(self, tree):
        self.scope = Scope("module", "", self.code_word(1, "<module>"))
        head, rest = self.head(tree.body)
        if rest:
            at = self.place(ast.Pass(), rest[0])
            tree.body = head + self.framed(self.block(rest), at)
        elif head:
            tree.body = head + self.framed([self.place(ast.Pass(), head[-1])], head[-1])
        return tree

    def head(self, body):
        """What must stay first: the docstring and imports from __future__."""
        n = 0
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            n = 1
        while n < len(body) and isinstance(body[n], ast.ImportFrom) and body[n].module == "__future__":
            n += 1
        return body[:n], body[n:]

    def framed(self, body, at):
        """A module's or class's body: it cannot return early."""
        done = self.event(RETURN, at)
        body = [self.statement(self.enter(at), at), self.attempt(body, [self.event(UNWIND, at)], at, [done])]
        return body

    def block(self, statements):
        out = []
        for statement in statements:
            self.add(statement, out)
        return out

    def add(self, s, out):
        if isinstance(s, (ast.Global, ast.Nonlocal)):
            out.append(s)
            return
        if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and s.value.value is not Ellipsis:
            out.append(s)
            return
        line = s.lineno
        outer, self.scope.suspends = self.scope.suspends, False
        header = not isinstance(s, ast.While) or self.endless(s)
        if isinstance(s, FUNCTIONS + (ast.ClassDef,)) and s.decorator_list:
            line = min(line, *(d.lineno for d in s.decorator_list))
        header = header and line != self.scope.line  # several statements on a line are one event
        self.scope.line = line
        # Light itself and after a light one: its time is between those of its neighbours.
        light = is_light(s.test if isinstance(s, (ast.If, ast.While)) else s)
        unstamped = light and self.scope.after_light and isinstance(s, ast.stmt)
        if light and self.scope.unstamped:
            self.light_lines.add(line)
        self.scope.after_light = light
        if isinstance(s, FUNCTIONS):
            self.function(s)
        elif isinstance(s, ast.ClassDef):
            self.class_body(s)
        elif isinstance(s, TRIES):
            self.guarded(s)
        elif isinstance(s, (ast.For, ast.AsyncFor, ast.While)):
            self.loop(s)
        elif isinstance(s, ast.If):
            s.test = self.expression(s.test)
            s.body, after_body = self.nested(s.body, light), self.scope.after_light
            s.orelse = self.nested(s.orelse, light)
            self.scope.after_light = after_body and self.scope.after_light
        elif isinstance(s, (ast.With, ast.AsyncWith)):
            self.managed(s)
        elif MATCH and isinstance(s, MATCH):
            s.subject = self.expression(s.subject)
            for case in s.cases:
                if case.guard is not None:
                    case.guard = self.expression(case.guard)
                case.body = self.nested(case.body)
        else:
            s = self.expression(s)
        if not isinstance(s, ast.If):
            self.scope.after_light = light
        if hasattr(s, "body") or MATCH and isinstance(s, MATCH):
            self.scope.line = 0
        if header:
            out.append(self.event(line, s, unstamped))
        if isinstance(s, ast.Continue) and self.scope.loops and self.scope.loops[-1]:
            out.append(self.event(self.scope.loops[-1], s))
        if self.scope.suspends:
            arguments = [self.name("_tk_a", s), self.constant(self.scope.word, s)]
            s = self.attempt([s], [self.assign(self.call(WOKEN, arguments, s), s)], s)
        self.scope.suspends = outer
        out.append(s)

    def nested(self, statements, after_light=False):
        """A block inside a statement: what it suspends is its own statements' affair."""
        suspends, self.scope.after_light = self.scope.suspends, after_light
        out = self.block(statements)
        self.scope.suspends = suspends
        return out

    def expression(self, node):
        return self.suspensions.visit(node) if self.scope.kind == "function" else node

    def guarded(self, s):
        s.body, s.orelse, s.finalbody = self.nested(s.body), self.nested(s.orelse), self.nested(s.finalbody)
        for handler in s.handlers:
            if handler.type is None:
                handler.body = [self.event(handler.lineno, handler), *self.nested(handler.body)]
                continue
            # except X:  ->  except (_tk_a(line) or X):  the event comes when the clause is tried
            tried = [self.put(handler.lineno, handler.type), self.expression(handler.type)]
            handler.type = self.place(ast.BoolOp(op=ast.Or(), values=tried), handler.type)
            handler.body = self.nested(handler.body)

    def endless(self, s):
        """`while True`, which before 3.10 jumps back to its body: its line is executed once."""
        return isinstance(s.test, ast.Constant) and sys.version_info < (3, 10)

    def loop(self, s):
        scope = self.scope
        if isinstance(s, ast.While):
            scope.loops.append(0)
            s.body = self.nested(s.body, is_light(s.test))
            scope.loops.pop()
            s.test = self.expression(s.test)
            if not self.endless(s):
                s.test = self.place(ast.BoolOp(op=ast.Or(), values=[self.put(s.lineno, s.test), s.test]), s.test)
        else:
            s.iter = self.expression(s.iter)
            if isinstance(s, ast.AsyncFor):
                scope.suspends = True
                s.iter = self.call(ITERATE, [s.iter, self.constant(scope.word, s.iter)], s.iter)
            scope.loops.append(s.lineno)
            falls_through = not isinstance(s.body[-1], (ast.Continue, ast.Break, ast.Return, ast.Raise))
            s.body = self.nested(s.body)
            scope.loops.pop()
            if falls_through:
                s.body.append(self.event(s.lineno, s))
        s.orelse = self.nested(s.orelse)

    def managed(self, s):
        for item in s.items:
            item.context_expr = at = self.expression(item.context_expr)
            if isinstance(s, ast.AsyncWith):
                self.scope.suspends = True
                item.context_expr = self.call(MANAGE, [at, self.constant(self.scope.word, at)], at)
        s.body = self.nested(s.body)

    def qualified(self, name):
        scope = self.scope
        if not scope.name:
            return name
        return scope.name + (".<locals>." if scope.kind == "function" else ".") + name

    def first_line(self, s):
        return min([s.lineno, *(d.lineno for d in s.decorator_list)])

    def class_body(self, s):
        s.decorator_list = [self.expression(d) for d in s.decorator_list]
        s.bases = [self.expression(b) for b in s.bases]
        s.keywords = [self.expression(k) for k in s.keywords]
        outer = self.scope
        name = self.qualified(s.name)
        self.scope = Scope("class", name, self.code_word(self.first_line(s), name))
        head, rest = self.head(s.body)
        if rest:
            s.body = head + self.framed(self.block(rest), self.place(ast.Pass(), s.body[0]))
        self.scope = outer

    def function(self, s):
        s.decorator_list = [self.expression(d) for d in s.decorator_list]
        s.args.defaults = [self.expression(d) for d in s.args.defaults]
        s.args.kw_defaults = [d if d is None else self.expression(d) for d in s.args.kw_defaults]
        name = self.qualified(s.name)
        line = self.first_line(s)
        for decorator in s.decorator_list:
            for node in ast.walk(decorator):
                word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
                if word in COMPILED_BY:
                    self.left(line, name, "compiled by @" + word)
                    return
        suspends = isinstance(s, ast.AsyncFunctionDef)
        sees = False
        of_something = set()  # dir(x) looks at x alone
        for node in own_nodes(s):
            if isinstance(node, (ast.Yield, ast.YieldFrom)):
                suspends = True
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("vars", "dir"):
                if node.args and not isinstance(node.args[0], ast.Starred):
                    of_something.add(node.func)
            elif isinstance(node, ast.Name) and node.id in SEES_LOCALS and node not in of_something:
                sees = True
        if sees and suspends:
            self.left(line, name, "a generator or coroutine that looks at its own locals")
            return
        outer = self.scope
        self.scope = scope = Scope("function", name, self.code_word(line, name))
        scope.local = not sees
        scope.unstamped = not sees and not suspends
        head, rest = self.head(s.body)
        at = rest[0] if rest else s
        last = rest[-1] if rest else s
        body = self.block(rest) or [self.place(ast.Pass(), at)]
        if sees:
            call = self.call(FRAME, [self.constant(scope.word, at)], at)
            item = ast.withitem(context_expr=call, optional_vars=None)
            s.body = head + [self.place(ast.With(items=[item], body=body, type_comment=None), at)]
        else:
            unwound = self.assign(self.call(UNWOUND, [self.name("_tk_a", last)], last), last)
            guarded = self.attempt(body, [unwound], last, (), [self.event(RETURN, last)])
            s.body = [*head, self.entered(body, at), guarded]
        self.scope = outer

    def entered(self, body, at):
        """Entering a function, with its first line when that comes at once: its event is taken from the body."""
        line = self.constant(0, at)
        first = body[0]
        if not self.scope.unstamped:
            return self.assign(self.enter(at), at)
        if len(body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Call):
            call = first.value
            if isinstance(call.func, ast.Name) and call.func.id in ("_tk_a", "_tk_b"):
                del body[0]
                line = call.args[0]
        value = self.call(ENTER_AT, [self.constant(self.scope.word, at), line], at)
        targets = [self.name("_tk_a", at, True), self.name("_tk_b", at, True)]
        both = self.place(ast.Tuple(elts=targets, ctx=ast.Store()), at)
        return self.place(ast.Assign(targets=[both], value=value, type_comment=None), at)


def rewrite(tree, code_word, left, light_lines):
    return Rewriter(code_word, left, light_lines).module(tree)
