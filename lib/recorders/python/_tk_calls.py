# What rewritten code (`_tk_rewrite.py`) calls: the event writer of a thread, and the driver that marks where generators and
# coroutines are suspended. An event costs one small call; its time is written before its word, into the thread's mapped block.
import sys
import types
from _thread import _local
from time import perf_counter_ns

import _tk_rewrite as names

RETURN, LEAVE, UNWIND = names.RETURN, names.LEAVE, names.UNWIND


OURS = {(lambda: 0).__code__.co_filename}  # whose frames are not the program's
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
            # The clock first: at the recursion limit a call fails, and a slot that was taken must be written.
            now = perf_counter_ns()
            i = slot()
            times[i] = now
            words[i] = word
        except IndexError:
            full(word)
        except BaseException:
            torn(word)
            raise

    def lines(word):
        try:
            if every:
                now = perf_counter_ns()
                i = slot()
                times[i] = now
            else:
                i = slot()
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
                while frame is not None and frame.f_code.co_filename in OURS:
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
    here.torn = torn
    here.cells = None
    return forget


def calls(begin_thread):
    """The functions that rewritten code calls, by the names of `_tk_rewrite.py`. begin_thread(here) gives the calling thread its `put`."""
    here = _local()
    ours = set()

    def enter(word):
        try:
            slot, words, times, both = here.cells
            now = perf_counter_ns()
            i = slot()
            times[i] = now
            words[i] = word
            return both[0]
        except (AttributeError, TypeError, IndexError, ValueError):
            return entered(word, 0)[0]
        except BaseException:
            if hasattr(here, "torn"):
                here.torn(word)
            raise

    def enter_at(word, line):
        """A frame and its first line: one moment, so the clock is read once."""
        try:
            slot, words, times, both = here.cells
            now = perf_counter_ns()
            i = slot()
            times[i] = now
            words[i] = word
            word = 0
            if line:
                i = slot()
                times[i] = now
                words[i] = line
            return both
        except (AttributeError, TypeError, IndexError, ValueError):
            return entered(word, line)
        except BaseException:
            if hasattr(here, "torn"):
                here.torn(word or line)
            raise

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

    def drive(thing, word):
        # What cannot be awaited, or not now, the interpreter itself refuses in its own words.
        kind = type(thing)
        if kind is types.CoroutineType:
            return awaited(thing, word) if thing.cr_await is None else thing
        if kind is types.GeneratorType:
            return awaited(thing, word) if thing.gi_code.co_flags & 0x100 else thing
        method = getattr(kind, "__await__", None)
        if method is None:
            return thing
        inner = method(thing)
        if not hasattr(inner, "__next__") or type(inner) is types.CoroutineType:
            return thing
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
