# Engine `fast`, second half: selected modules are compiled with a call per statement in them (`_tk_rewrite.py`) when they are
# imported, and these are the calls. Streams are those of `exact`. What is not selected runs as if nobody recorded.
# Here: the event writer of a thread, the driver that marks where generators and coroutines are suspended, the import hook.
import ast
import sys
import types
from _thread import _local, get_ident
from importlib.machinery import PathFinder, SourceFileLoader
from time import perf_counter_ns

import _tk_rewrite as names

RETURN, LEAVE, UNWIND = names.RETURN, names.LEAVE, names.UNWIND


PROBE = 512  # events at the beginning of a block that are all stamped
LONG = 5000  # ns: no light statement takes this long, unless it is arithmetic on arrays and the like


def writer(stream, light_lines, here):
    """The event writer of a thread, put into its storage `here`: put(word); lines(word) for lines that need no stamp; cells, with which
    a frame's first events are written. Returns forget(), after which the next event begins another stream."""
    words = times = None
    free = []  # slots of the block that are not used yet, the next one last: a list's pop is the cheapest counter there is
    slot = free.pop
    rest = []
    busy = False
    every = True

    def put(word):
        try:
            i = slot()
            times[i] = perf_counter_ns()
            words[i] = word
        except IndexError:
            full(word)
        except BaseException:
            torn(word)
            raise

    def lines(word):
        try:
            i = slot()
            if every:
                times[i] = perf_counter_ns()
            words[i] = word
        except IndexError:
            full(word)
        except BaseException:
            torn(word)
            raise

    both = put, lines

    def full(word):
        """The block is full, or its first events are there to be looked at: whether light statements are indeed."""
        nonlocal busy, words, times, every
        if busy:  # a signal handler's event while the block is changed
            return
        busy = True
        try:
            if rest:
                every = heavy()
                free[:] = rest
                del rest[:]
            else:
                frame = sys._getframe(1)
                while frame is not None and frame.f_code.co_filename == __file__:
                    frame = frame.f_back
                # The frame that is being entered is not open yet.
                here.cells = words = times = None
                stream.turn(frame.f_back if frame is not None and word <= -4 else frame)
                words, times = stream.words, stream.times
                room = len(words)
                taken = room - stream.slot.__self__.__length_hint__()
                every = True
                if taken + PROBE < room:
                    rest[:] = range(room - 1, taken + PROBE - 1, -1)
                    free[:] = range(taken + PROBE - 1, taken - 1, -1)
                else:
                    free[:] = range(room - 1, taken - 1, -1)
                here.cells = slot, words, times, both
        finally:
            busy = False
        put(word)

    def heavy():
        seen = long = 0
        last = (rest[-1] if rest else len(words)) - 1
        for i in range(max(0, last - PROBE + 1), last):
            if words[i] in light_lines:
                seen += 1
                if times[i + 1] - times[i] > LONG:
                    long += 1
        return long * 50 > seen

    def torn(word):
        """A signal handler raised its exception into put: no slot before the last may stay unwritten, it would end the block."""
        if words is None:
            return
        i = (free or rest or [len(words)])[-1] - 1
        while i >= 0 and words[i] == 0:
            times[i] = perf_counter_ns()
            words[i] = word
            i -= 1

    def forget():
        nonlocal words, times
        here.cells = words = times = None
        stream.leave()
        del free[:], rest[:]

    here.put = put
    here.both = both
    here.full = full
    here.cells = None
    return forget


def calls(begin_thread):
    """The functions that rewritten code calls, by the names of `_tk_rewrite.py`. begin_thread(here) gives the calling thread its `put`."""
    here = _local()
    ours = set()

    def enter(word):
        try:
            slot, words, times, both = here.cells
            i = slot()
            times[i] = perf_counter_ns()
            words[i] = word
            return both[0]
        except (AttributeError, TypeError, IndexError, ValueError):
            return entered(word, 0)[0]

    def enter_at(word, line):
        """A frame and its first line: one moment, so the clock is read once."""
        try:
            slot, words, times, both = here.cells
            i = slot()
            times[i] = now = perf_counter_ns()
            words[i] = word
            word = 0
            if line:
                i = slot()
                times[i] = now
                words[i] = line
            return both
        except (AttributeError, TypeError, IndexError, ValueError):
            return entered(word, line)

    def entered(word, line):
        """The same where there is no room, or no stream yet. word 0: it has been written."""
        if not hasattr(here, "put"):
            begin_thread(here)
        if word:
            here.put(word)
        if line:
            here.put(line)
        return here.both

    def put(word):
        try:
            event = here.put
        except AttributeError:
            begin_thread(here)
            event = here.put
        event(word)

    def unwound(event):
        # None: suspended and never back on a thread.
        if event is not None:
            event(UNWIND)
        return abs

    def woken(event, word):
        """An exception came out of a statement that can suspend: thrown in while suspended, or from below."""
        if event is None:
            event = enter(word)
        trace = sys.exc_info()[2]
        while trace is not None and trace.tb_next is not None and trace.tb_next.tb_frame.f_code in ours:
            trace.tb_next = trace.tb_next.tb_next
        return event

    def steps(inner, word):
        """What `yield from inner` does (PEP 380), with a mark at each suspension. Exceptions of `inner` go through outside of any
        except clause, so that they get no other context than without us."""
        send = getattr(inner, "send", None)
        value = None
        try:
            value = send(None) if send is not None else next(inner)
        except StopIteration as end:
            return end.value
        event = put
        while True:
            event(LEAVE)
            thrown = None
            try:
                value = yield value
            except BaseException as error:
                thrown = error
            event = enter(word)
            if thrown is None:
                try:
                    if value is None:
                        value = next(inner) if send is None else send(None)
                    else:
                        value = inner.send(value)
                except StopIteration as end:
                    return end.value
                continue
            try:
                if isinstance(thrown, GeneratorExit):
                    close = getattr(inner, "close", None)
                    if close is not None:
                        close()
                    raise thrown
                throw = getattr(inner, "throw", None)
                if throw is None:
                    raise thrown
                value = throw(thrown)
            except StopIteration as end:
                if end is thrown:
                    raise
                return end.value
            finally:
                thrown = None

    def drive_plain(inner, word):
        kind = type(inner)
        if kind is not types.GeneratorType:
            if kind is types.CoroutineType:
                return inner  # the interpreter decides whether this is allowed
            inner = iter(inner)
        return steps(inner, word)

    awaited = types.coroutine(steps)

    async def refused(thing):
        return await thing

    def drive(thing, word):
        kind = type(thing)
        if kind is types.CoroutineType or (kind is types.GeneratorType and thing.gi_code.co_flags & 0x100):
            return awaited(thing, word)
        method = getattr(kind, "__await__", None)
        if method is None:
            return refused(thing)
        inner = method(thing)
        if not hasattr(inner, "__next__") or type(inner) is types.CoroutineType:
            return refused(thing)
        return awaited(inner, word)

    class Iterate:
        __slots__ = ("inner", "step", "word")

        def __init__(self, inner, word):
            self.inner, self.word = inner, word

        def __aiter__(self):
            self.inner = inner = type(self.inner).__aiter__(self.inner)
            self.step = getattr(type(inner), "__anext__", None)
            return inner if self.step is None else self

        def __anext__(self):
            return drive(self.step(self.inner), self.word)

    def iterate(inner, word):
        return Iterate(inner, word) if hasattr(type(inner), "__aiter__") else inner

    class Manage:
        __slots__ = ("inner", "word")

        def __init__(self, inner, word):
            self.inner, self.word = inner, word

        def __aenter__(self):
            return drive(type(self.inner).__aenter__(self.inner), self.word)

        def __aexit__(self, *how):
            return drive(type(self.inner).__aexit__(self.inner, *how), self.word)

    def manage(inner, word):
        kind = type(inner)
        return Manage(inner, word) if hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__") else inner

    class Frame:
        """The frame of a function that looks at its own locals: nothing of ours is among them."""

        __slots__ = ("word",)

        def __init__(self, word):
            self.word = word

        def __enter__(self):
            put(self.word)

        def __exit__(self, kind, error, trace):
            put(RETURN if kind is None else UNWIND)

    for function in (
        steps,
        awaited,
        drive,
        drive_plain,
        refused,
        Iterate.__aiter__,
        Iterate.__anext__,
        Manage.__aenter__,
        Manage.__aexit__,
    ):
        ours.add(function.__code__)
    return {
        names.ENTER: enter,
        names.ENTER_AT: enter_at,
        names.PUT: put,
        names.DRIVE: drive,
        names.DRIVE_PLAIN: drive_plain,
        names.ITERATE: iterate,
        names.MANAGE: manage,
        names.WOKEN: woken,
        names.UNWOUND: unwound,
        names.FRAME: Frame,
    }, here


def with_calls(code, values, owners):
    """The code with functions and words in place of their names. owners: each recorded code object with its word."""
    constants = list(code.co_consts)
    word = 0
    for i, constant in enumerate(constants):
        kind = type(constant)
        if kind is str and constant[:4] == "\0tk:":
            constants[i] = value = values.get(constant, constant)
            if type(value) is int:
                word = value
        elif kind is types.CodeType:
            constants[i] = with_calls(constant, values, owners)
    code = code.replace(co_consts=tuple(constants))
    if word and (code.co_name[0] != "<" or code.co_name == "<module>"):
        owners.append((code, word))
    return code


class Fast:
    """The engine: `start`, `stop` and `forked` are called by the recorder as those of `exact`."""

    def __init__(self, recorder, stream_type, thread_end):
        self.recorder = recorder
        self.stream_type = stream_type
        self.thread_end = thread_end
        self.writers = {}  # thread → its `forget`
        self.functions, self.here = calls(self.begin_thread)
        self.modules = []  # (path, names of the module, its table of code, the number of its first)
        self.owners = []  # rewritten code objects and the words of entering them
        self.light_lines = set()  # of all files together; what is light in one is seldom heavy in another
        self.left = {}  # (path, first line) → why this function is not rewritten

    def begin_thread(self, here):
        stream = self.stream_type(self.recorder)
        ident = get_ident()
        self.writers[ident] = stream, writer(stream, self.light_lines, here)
        here.mark = self.thread_end(self.thread_ends, ident)

    def thread_ends(self, ident):
        known = self.writers.pop(ident, None)
        if known:
            known[0].end()

    def start(self, frame):
        position = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(position, Finder(self))

    def stop(self):
        sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "engine", None) is not self]

    def forked(self):
        """In the child: names are told again under the numbers that are compiled in."""
        for stream, forget in self.writers.values():
            forget()
        mine = self.writers.get(get_ident())
        self.writers.clear()
        if mine:
            self.writers[get_ident()] = mine
        modules, self.modules = self.modules, []
        for path, names_, table, first in modules:
            self.declare(path, names_, table, first)
        for code, word in self.owners:
            self.recorder.words[id(code)] = word

    def declare(self, path, names_, table, first=None):
        """Tells of a module's code; the number of its first."""
        recorder = self.recorder
        with recorder.lock:
            if first is None:
                first = recorder.codes
            recorder.codes = max(recorder.codes, first + len(table))
            file = recorder.file(path, names_)
            recorder.tell(*(("C", first + i, file, line, name) for i, (line, name) in enumerate(table)))
        self.modules.append((path, names_, table, first))
        return first

    def wants(self, name, path):
        selection = self.recorder.selection
        return not self.recorder.over and selection.wants(selection.path(path), {"__name__": name, "__file__": path})

    def rewritten(self, name, path, data):
        """The module's code with calls in it; None when it cannot be had, and then it is as if we had not been asked."""
        table = []

        def word(line, qualified):
            table.append((line, qualified))
            return "\0tk:%d" % (len(table) - 1)

        left = []
        try:
            tree = names.rewrite(ast.parse(data, path), word, lambda *what: left.append(what), self.light_lines)
            code = compile(tree, path, "exec", dont_inherit=True)
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            return None
        full = self.recorder.selection.path(path)
        try:
            first = self.declare(full, {}, table)
        except OSError as error:
            self.recorder.fail(error)
            return None
        values = dict(self.functions)
        for i in range(len(table)):
            values["\0tk:%d" % i] = -4 - (first + i)
        owners = []
        code = with_calls(code, values, owners)
        for one, its in owners:
            self.recorder.words[id(one)] = its
        self.owners += owners
        for line, qualified, why in left:
            self.left[path, line] = why
            self.recorder.note("%s:%d: %s is not rewritten: %s" % (full, line, qualified, why))
        return code


class Loader(SourceFileLoader):
    """Loads a selected module; whatever cannot be rewritten is loaded as always."""

    engine = None

    def get_code(self, fullname):
        code = None
        try:
            path = self.get_filename(fullname)
            code = self.engine.rewritten(fullname, path, self.get_data(path))
        except (ImportError, OSError):
            pass
        return super().get_code(fullname) if code is None else code


class Finder:
    """Asks the finders after itself, and takes over the loading of plain source files."""

    def __init__(self, engine):
        self.engine = engine

    def find_spec(self, name, path=None, target=None):
        finders = sys.meta_path
        at = next((i for i, finder in enumerate(finders) if finder is self), len(finders))
        for finder in finders[at + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is None:
                continue
            loader = spec.loader
            if type(loader) is SourceFileLoader and self.engine.wants(name, loader.path):
                spec.loader = mine = Loader(loader.name, loader.path)
                mine.engine = self.engine
            return spec
        return None

    def invalidate_caches(self):
        pass
