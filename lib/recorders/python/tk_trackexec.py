"""Records the lines that a Python program executes, with the time of each, for `tk replay` and `tk analyse`.

Two ways in: `tk record --lines` injects this file (sitecustomize.py beside it calls `_boot`), or a program imports its own
copy and calls `record`, `stop` and `with precise_timestamping()`. It is one file without dependencies so that it can be
vendored, which is why it is longer than its neighbours. Python 3.7 and newer, CPython.

Each thread has a stream: files of 12 bytes an event, mapped into memory, the time written before the word, so that whatever
ends the process, all that was executed is in them. The layout of the directory is described in docs/lines-python.md.
Law of this file: the program must not feel it. Nothing is printed, no descriptor is kept open, no exception leaves.
"""
import _thread
import errno
import os
import sys
from time import perf_counter_ns, time_ns

try:
    import fcntl
    from mmap import mmap
except ImportError:  # Windows, or a Python without them: everything below does nothing
    mmap = None

__all__ = ["record", "stop", "precise_timestamping"]

HEAD = 64
FIRST = 4096  # a process that runs for a moment costs 48 KiB
ROOM = 65536
SOURCE_LIMIT = 16 << 20
RETURN, YIELD, UNWIND = -1, -2, -3
_MINE = os.path.abspath(__file__)
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR)
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW if mmap else 0


def _nothing():
    """The slots of a stream without a block: the first event asks for one."""
    return iter(()).__next__


# ---- What is recorded


class Selection(object):
    """Packages by name and files by path; nothing chosen: all outside the standard library and site-packages."""

    def __init__(self, text, cwd):
        self.cwd = cwd
        self.names = []
        self.paths = []
        for item in text.split(","):
            item = item.strip().replace("%2C", ",").replace("%25", "%")
            if not item:
                continue
            if os.sep in item or item.startswith(".") or item.endswith(".py"):
                path = os.path.normpath(os.path.join(cwd, item))
                self.paths += {path, os.path.realpath(path)}
            else:
                self.names.append(item)
        self.all = not self.names and not self.paths
        library = os.path.dirname(os.path.abspath(os.__file__))
        self.library = tuple({library + os.sep, os.path.realpath(library) + os.sep})

    def path(self, filename):
        """Absolute: programs change their directory, and then `app.py` would be another file."""
        return filename if filename[:1] in ("<", "") else os.path.normpath(os.path.join(self.cwd, filename))

    def wants(self, path, names):
        """`names`: the globals of the code, which know the module."""
        if path == _MINE or path.startswith("<frozen ") or os.path.dirname(path) == _folder:
            return False
        if self.all:
            if path[:1] in ("<", ""):
                # Code from strings belongs to the module it runs in; one without a file is `-c` or standard input.
                path = names.get("__file__")
                if not isinstance(path, str):
                    return names.get("__name__") == "__main__"
                path = self.path(path)
            if path.startswith(self.library) or path.startswith("<"):
                return False
            parts = path.split(os.sep)
            return "site-packages" not in parts and "dist-packages" not in parts
        if self.names:
            found = {names.get("__name__"), getattr(names.get("__spec__"), "name", None)}
            if "__main__" in found:
                found.add(os.path.splitext(os.path.basename(path))[0])
            for wanted in self.names:
                for name in found:
                    if isinstance(name, str) and (name == wanted or name.startswith(wanted + ".")):
                        return True
        for wanted in self.paths:
            for one in {path, os.path.realpath(path)}:
                if one == wanted or one.startswith(wanted.rstrip(os.sep) + os.sep):
                    return True
        return False


_folder = None  # RUN/py: its files are never recorded


# ---- Blocks: files mapped into memory, without a descriptor left open


def _reserve(fd, size):
    """A full disk must say so now: later it would be a SIGBUS in the middle of the program."""
    try:
        os.posix_fallocate(fd, 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV):
            raise
        left = size
        while left > 0:
            left -= os.write(fd, bytes(min(left, 1 << 16)))


_stuck = []  # maps whose descriptor number the program uses by now


if sys.version_info >= (3, 13):

    def _map(fd, size):
        return mmap(fd, size, trackfd=False), -1

    def _unmap(mapped, number, fd):
        mapped.close()

else:
    # Before 3.13 mmap duplicates the descriptor and closes that number when it ends. Programs count descriptors, close
    # those they do not know and use their numbers again, so the duplicate is closed at once, and its number is taken back
    # for the moment of unmapping: if somebody has it by then, the map stays.
    def _map(fd, size):
        number = os.dup(fd)
        os.close(number)
        mapped = mmap(fd, size)
        ours = os.fstat(fd)
        numbers = [number] + [int(n) for n in os.listdir("/proc/self/fd")] if not _is(number, ours) else [number]
        for number in numbers:
            if number != fd and _is(number, ours):
                os.close(number)
                return mapped, number
        return mapped, -1

    def _is(number, status):
        try:
            return os.path.samestat(os.fstat(number), status)
        except OSError:
            return False

    def _unmap(mapped, number, fd):
        if number >= 0:
            took = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, number)
            if took != number:
                os.close(took)
                _stuck.append((mapped, number))
                return
        mapped.close()


class Stream(object):
    """The events of one thread.

    An engine takes `slot`, `words` and `times` into variables of its own and writes an event as
    `i = slot(); times[i] = perf_counter_ns(); words[i] = word`; on StopIteration it calls `turn` and takes them anew.
    """

    __slots__ = ("recorder", "number", "block", "words", "times", "slot", "mapped", "lost")

    def __init__(self, recorder):
        self.recorder = recorder
        self.number = self.block = -1
        self.words = self.times = self.mapped = None
        self.slot = _nothing()
        self.lost = 0

    def turn(self, frame):
        """Makes room. `frame`: the innermost one that is already open, for a stream that begins here; or None."""
        recorder = self.recorder
        try:
            if recorder.over:
                return self._pause()
            if self.lost:
                # What was missed may have opened and closed frames: the rest is another stream, that begins with what is open.
                if self.number >= 0:
                    recorder.tell(("L", self.lost, "no room for them at the time"))
                self.end()
            if self.number < 0:
                self._begin(frame)
            else:
                self._open(ROOM)
            return True
        except OSError as error:
            if error.errno not in _PASSING:
                recorder.fail(error)
            return self._pause()
        except MemoryError:
            return self._pause()

    def end(self):
        """The thread is over, or what follows is another stream."""
        if self.number >= 0:
            self.recorder.tell(("X", self.number, perf_counter_ns()))
        self.leave()
        self.lost = 0

    def leave(self):
        """Forgets the block and everything else, so that the next event begins a stream."""
        if self.mapped is not None:
            self.words.release()
            self.times.release()
            _stuck.append(self.mapped)
        self.words = self.times = self.mapped = None
        self.number = self.block = -1
        self.slot = _nothing()

    def _begin(self, frame):
        recorder = self.recorder
        enters = []
        while frame is not None:
            word = recorder.enter(frame.f_code, frame.f_globals)
            if word:
                enters.append(word)
            frame = frame.f_back
        with recorder.lock:
            number = recorder.streams
            recorder.streams += 1
        recorder.tell(("S", number, _native_id(), recorder.thread_name(), _interpreter()))
        self.number = number
        self._open(max(FIRST, (len(enters) + FIRST) & ~1023))
        for word in reversed(enters):
            i = self.slot()
            self.times[i] = perf_counter_ns()
            self.words[i] = word

    def _open(self, room):
        recorder = self.recorder
        path = "%s.%d.%d" % (recorder.base, self.number, self.block + 1)
        size = HEAD + room * 12
        # Under another name until it is whole: whoever sees it by its own sees its full size.
        made = path + ".new"
        fd = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            try:
                _reserve(fd, size)
                mapped, number = _map(fd, size)
                mapped[:12] = b"TKL1" + (1).to_bytes(4, "little") + room.to_bytes(4, "little")
                os.rename(made, path)
            except BaseException:
                os.unlink(made)
                raise
            old = self.mapped
            if old is not None:
                self.words.release()
                self.times.release()
                _stuck.append(old)
            view = memoryview(mapped)
            self.words = view[HEAD : HEAD + 4 * room].cast("i")
            self.times = view[HEAD + 4 * room :].cast("q")
            view.release()
            self.slot = iter(range(room)).__next__
            self.mapped = (mapped, number)
            self.block += 1
            waiting = _stuck[:]
            del _stuck[:]
            for one, its in waiting:
                _unmap(one, its, fd)
        finally:
            os.close(fd)

    def _pause(self):
        """Events go nowhere for a while; then it is tried again."""
        self.words = memoryview(bytearray(4 * FIRST)).cast("i")
        self.times = memoryview(bytearray(8 * FIRST)).cast("q")
        self.slot = iter(range(FIRST)).__next__
        if self.mapped is not None:
            _stuck.append(self.mapped)
            self.mapped = None
        self.lost += FIRST
        return False


def _native_id():
    try:
        return _thread.get_native_id()
    except AttributeError:  # 3.7
        try:
            return int(os.readlink("/proc/thread-self").rsplit("/", 1)[1])
        except (OSError, ValueError, IndexError):
            return os.getpid()


def _interpreter():
    for name in ("_interpreters", "_xxsubinterpreters"):
        known = sys.modules.get(name)
        if known is not None:
            try:
                number = known.get_current()
                return int(number[0] if isinstance(number, tuple) else number)
            except Exception:
                return 0
    return 0


def _field(value):
    text = str(value)
    if text.isprintable() and "%" not in text:
        return text
    return "".join("%%%02X" % ord(c) if c < " " or c in "%\x7f" else c for c in text)


class Recorder(object):
    """One interpreter's recording into one directory: names of files and code, streams, sources."""

    def __init__(self, directory, selection, engine):
        self.directory = directory
        self.selection = selection
        self.engine_name = engine
        self.engine = None
        self.words = {}  # id(code) → word of entering it; 0: not selected
        self.keep = []  # the code objects, so that their ids are not given to others
        self.over = False
        self.reset()

    def reset(self):
        """At the beginning, and in a forked child: another recording, which declares its names again."""
        self.pid = os.getpid()
        self.start = perf_counter_ns()
        self.base = "%s/%d-%x" % (self.directory, self.pid, self.start)
        self.lock = _thread.allocate_lock()
        self.told = False
        self.files = {}
        self.codes = 0
        self.streams = 0
        for key in [key for key, word in self.words.items() if word]:
            del self.words[key]

    def tell(self, *records):
        """Appends to the `.meta` file; nothing is kept open."""
        fd = os.open(self.base + ".meta", os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
        try:
            if not self.told:
                self.told = True
                now, wall = perf_counter_ns(), time_ns()
                first = ("P", self.pid, os.getppid(), now, wall, sys.version.split()[0], sys.executable or "")
                records = (first + (self.engine_name, _running()),) + records
            data = "".join("\t".join(map(_field, r)) + "\n" for r in records).encode("utf-8", "surrogateescape")
            if os.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, "no room")
        finally:
            os.close(fd)

    def note(self, sentence):
        try:
            self.tell(("N", sentence))
        except OSError:
            pass

    def fail(self, error):
        """Recording is over; the program is not."""
        if self.over:
            return
        self.over = True
        try:
            self.tell(("L", 0, "recording stopped: %s" % (error.strerror or error)))
        except OSError:
            pass
        if self.engine:
            self.engine.stop()

    def enter(self, code, names):
        """The word of entering this code object, seen for the first time perhaps; 0 when it is not selected."""
        word = self.words.get(id(code))
        if word is not None:
            return word
        with self.lock:
            word = self.words.get(id(code))
            if word is None:
                path = self.selection.path(code.co_filename)
                word = 0
                if not self.over and self.selection.wants(path, names):
                    word = self._declare(code, path, names)
                self.keep.append(code)
                self.words[id(code)] = word
        return word

    def _declare(self, code, path, names):
        if _odd(code):
            return 0
        try:
            return -4 - self.code(self.file(path, names), code.co_firstlineno, getattr(code, "co_qualname", code.co_name))
        except OSError as error:
            self.fail(error)
            return 0

    def file(self, path, names=None):
        """The number of a source file, which is copied when it is first seen. With the lock held."""
        number = self.files.get(path)
        if number is None:
            number = self.files[path] = len(self.files)
            self.tell(("F", number, path, _copy_source(self.directory, path, names or {})))
        return number

    def code(self, file, first_line, name):
        """The number of a function of a file. With the lock held."""
        number = self.codes
        self.codes += 1
        self.tell(("C", number, file, first_line, name))
        return number

    def thread_name(self):
        threading = sys.modules.get("threading")
        thread = getattr(threading, "_active", {}).get(_thread.get_ident())
        name = getattr(thread, "_name", "")
        if name in ("", "MainThread"):
            # A worker of multiprocessing is known by its process's name.
            process = getattr(sys.modules.get("multiprocessing.process"), "_current_process", None)
            name = getattr(process, "_name", "") if getattr(process, "_parent_pid", None) else name
        return name or "MainThread"


def _odd(code):
    """Generated code may claim lines below 1, which the stream's words cannot tell."""
    if code.co_firstlineno < 1 and code.co_name != "<module>":
        return True
    if hasattr(code, "co_lines"):
        return any(line is not None and line < 0 for _, _, line in code.co_lines())
    line = code.co_firstlineno
    for step in code.co_lnotab[1::2]:
        line += step - 256 if step > 127 else step
        if line < 1:
            return True
    return False


def _copy_source(directory, path, names):
    """Keeps the file's bytes as they are now; the name of the copy, or "" when there is none to have."""
    try:
        if path.startswith("<"):
            lines = sys.modules["linecache"].cache[path][2]
            data = "".join(lines).encode("utf-8", "surrogatepass")
            key = "text-%x-%x-%x" % (os.getpid(), perf_counter_ns(), len(data))
        else:
            try:
                status = os.stat(path)
            except OSError:
                # In a zip archive, perhaps: its importer has it. Other loaders are the program's code and are not run.
                loader = names.get("__loader__")
                if type(loader).__name__ != "zipimporter":
                    return ""
                data = loader.get_data(path)
                key = "zip-%x-%x-%x" % (os.getpid(), perf_counter_ns(), len(data))
            else:
                if status.st_mode & 0o170000 != 0o100000 or status.st_size > SOURCE_LIMIT:
                    return ""
                key = "%x-%x-%x-%x" % (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
                if os.path.exists("%s/src/%s" % (directory, key)):
                    return key
                with open(path, "rb") as file:
                    data = file.read(SOURCE_LIMIT + 1)
        if len(data) > SOURCE_LIMIT:
            return ""
        os.makedirs(directory + "/src", 0o700, exist_ok=True)
        made = "%s/src/.%x-%x" % (directory, os.getpid(), perf_counter_ns())
        with open(made, "xb") as file:
            file.write(data)
        os.rename(made, "%s/src/%s" % (directory, key))
        return key
    except Exception:
        return ""


def _running():
    """What this interpreter runs: the script, `-m module`, `-c`."""
    words = getattr(sys, "orig_argv", None)
    if not words:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
        except OSError:
            return ""
    rest = iter(words[1:])
    for word in rest:
        if word == "-" or not word.startswith("-"):
            return word
        if word in ("-W", "-X", "--check-hash-based-pycs"):
            next(rest, None)
        elif not word.startswith("--"):
            for letter in ("c", "m"):
                # Letters may stand together, `-Im mod`; the one that takes a word is the last.
                at = word.find(letter, 1)
                if at > 0 and not set(word[1:at]) & set("WX"):
                    module = word[at + 1 :] or next(rest, "")
                    return "-c" if letter == "c" else "-m " + module
    return ""


# ---- Engine `exact` before 3.12: sys.settrace, a set of functions for each thread

_RETURN_VALUE = 83
_YIELD_FROM = 72
_YIELD_VALUE = 86
_GENERATOR = 0x20 | 0x80 | 0x200


class Settrace(object):
    def __init__(self, recorder):
        self.recorder = recorder
        self.tracers = {}  # thread → its functions
        self.ends = _thread._local()

    def tracer(self):
        """The trace function of the calling thread; what starts another stream; what makes open frames traced ones."""
        recorder = self.recorder
        stream = Stream(recorder)
        known = recorder.words.get
        enter = recorder.enter
        now = perf_counter_ns
        words = times = None
        slot = _nothing()
        # Where a frame stood when an exception passed: settrace tells an unwound frame as one that returns None. By id,
        # since holding frames would keep the program's objects alive.
        raised = {}

        def put(word, frame):
            nonlocal slot, words, times
            stream.turn(frame)
            slot, words, times = stream.slot, stream.words, stream.times
            if recorder.over:
                sys.settrace(None)
            i = slot()
            times[i] = now()
            words[i] = word

        def line(frame, event, value):
            try:
                if event == "line":
                    word = frame.f_lineno
                elif event == "return":
                    word = RETURN
                    if raised and raised.pop(id(frame), None) is not None and value is None:
                        if frame.f_code.co_code[frame.f_lasti] != _RETURN_VALUE:
                            word = UNWIND
                else:
                    if event == "exception":
                        raised[id(frame)] = frame.f_lasti
                    return
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame)
            except RecursionError:
                pass

        def generator(frame, event, value):
            try:
                if event == "line":
                    word = frame.f_lineno
                elif event == "return":
                    code = frame.f_code.co_code
                    at = frame.f_lasti
                    stood = raised.pop(id(frame), None) if raised else None
                    word = UNWIND
                    if code[at] == _RETURN_VALUE:
                        word = RETURN
                    elif value is not None or stood != at:
                        # Before 3.11 a frame that waits in `yield from` stands before the instruction.
                        if code[at] == _YIELD_VALUE or code[at + 2 : at + 3] == b"\x48":
                            word = YIELD
                else:
                    if event == "exception":
                        raised[id(frame)] = frame.f_lasti
                    return
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame)
            except RecursionError:
                pass

        def call(frame, event, value):
            try:
                code = frame.f_code
                word = known(id(code))
                if word is None:
                    word = enter(code, frame.f_globals)
                if not word:
                    return None
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame.f_back)
                return generator if code.co_flags & _GENERATOR else line
            except RecursionError:
                return None

        def again(end):
            nonlocal slot, words, times
            if end:
                stream.end()
            else:
                stream.leave()
            raised.clear()
            slot, words, times = stream.slot, None, None

        def adopt(frame):
            while frame is not None:
                if enter(frame.f_code, frame.f_globals):
                    frame.f_trace = generator if frame.f_code.co_flags & _GENERATOR else line
                frame = frame.f_back

        return call, again, adopt

    def start(self, frame):
        self.tracers[_thread.get_ident()] = functions = self.tracer()
        functions[2](frame)
        threading = sys.modules.get("threading")
        if threading:
            threading.settrace(self.first)
        sys.settrace(functions[0])

    def first(self, frame, event, value):
        """The first call in a new thread."""
        ident = _thread.get_ident()
        self.tracers[ident] = functions = self.tracer()
        self.ends.mark = _ThreadEnd(self.thread_ends, ident)
        sys.settrace(functions[0])
        return functions[0](frame, event, value)

    def thread_ends(self, ident):
        functions = self.tracers.pop(ident, None)
        if functions:
            sys.settrace(None)
            functions[1](True)

    def stop(self):
        sys.settrace(None)
        threading = sys.modules.get("threading")
        if threading and getattr(threading, "_trace_hook", None) == self.first:
            threading.settrace(None)

    def forked(self):
        mine = self.tracers.pop(_thread.get_ident(), None)
        for functions in self.tracers.values():
            functions[1](False)
        self.tracers.clear()
        if mine:
            mine[1](False)
            self.tracers[_thread.get_ident()] = mine


class _ThreadEnd(object):
    """Lives in a thread's own storage and ends with it."""

    __slots__ = ("call", "ident", "pid")

    def __init__(self, call, ident):
        self.call = call
        self.ident = ident
        self.pid = os.getpid()

    def __del__(self):
        try:
            if self.pid == os.getpid():
                self.call(self.ident)
        except Exception:
            pass


# ---- Engine `exact` from 3.12: sys.monitoring


class Monitor(object):
    """One set of callbacks for all threads of the interpreter. While only one thread runs selected code they do not look
    which it is; the first call in a second thread puts those into place that do."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.monitoring = sys.monitoring
        self.tool = None
        self.watched = []
        self.streams = {}  # thread → stream
        self.held = {}  # thread → (slot, words, times) of its stream
        self.many = False
        self.ends = _thread._local()

    def start(self, frame):
        monitoring, events = self.monitoring, self.monitoring.events
        self.tool = next((tool for tool in (4, 3) if monitoring.get_tool(tool) is None), None)
        if self.tool is None:
            self.recorder.note("not recorded: the tool numbers of sys.monitoring are taken")
            self.recorder.over = True
            return
        monitoring.use_tool_id(self.tool, "tk")
        self.local = events.LINE | events.PY_RETURN | events.PY_YIELD
        frames = sys._current_frames()
        frames[_thread.get_ident()] = frame
        if len(frames) > 1 or not getattr(sys, "_is_gil_enabled", bool)() and hasattr(sys, "_is_gil_enabled"):
            self.to_many_threads()
        else:
            self.register(_one_thread(self))
        for frame in frames.values():
            while frame is not None:
                if self.recorder.enter(frame.f_code, frame.f_globals):
                    self.watch(frame.f_code)
                frame = frame.f_back
        monitoring.set_events(self.tool, events.PY_START | events.PY_RESUME | events.PY_UNWIND | events.PY_THROW)

    def register(self, callbacks):
        for name, callback in callbacks.items():
            self.monitoring.register_callback(self.tool, getattr(self.monitoring.events, name), callback)

    def watch(self, code):
        self.watched.append(code)
        self.monitoring.set_local_events(self.tool, code, self.local)

    def stream(self):
        """The calling thread's."""
        ident = _thread.get_ident()
        stream = self.streams.get(ident)
        if stream is None:
            stream = self.streams[ident] = Stream(self.recorder)
            self.ends.mark = _ThreadEnd(self.thread_ends, ident)
        return stream

    def to_many_threads(self):
        self.many = True
        self.register(_many_threads(self))

    def thread_ends(self, ident):
        self.held.pop(ident, None)
        stream = self.streams.pop(ident, None)
        if stream:
            stream.end()

    def stop(self):
        monitoring = self.monitoring
        if self.tool is None or monitoring.get_tool(self.tool) != "tk":
            return
        monitoring.set_events(self.tool, 0)
        for code in self.watched:
            monitoring.set_local_events(self.tool, code, 0)
        for name in ("LINE", "PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "PY_UNWIND", "PY_THROW"):
            monitoring.register_callback(self.tool, getattr(monitoring.events, name), None)
        monitoring.free_tool_id(self.tool)
        del self.watched[:]

    def forked(self):
        for stream in self.streams.values():
            stream.leave()
        self.streams.clear()
        self.held.clear()
        if self.tool is not None and not self.recorder.over:
            self.many = False
            self.register(_one_thread(self))


def _one_thread(monitor):
    recorder = monitor.recorder
    stream = monitor.stream()
    ident = _thread.get_ident
    me = ident()
    known = recorder.words.get
    enter = recorder.enter
    now = perf_counter_ns
    disable = monitor.monitoring.DISABLE
    slot, words, times = _nothing(), None, None

    def put(word):
        nonlocal slot, words, times
        frame = sys._getframe(2)
        stream.turn(frame.f_back if word <= -4 else frame)
        slot, words, times = stream.slot, stream.words, stream.times
        monitor.held[me] = slot, words, times
        i = slot()
        times[i] = now()
        words[i] = word

    def line(code, number):
        try:
            try:
                i = slot()
                times[i] = now()
                words[i] = number
            except StopIteration:
                put(number)
        except RecursionError:
            pass

    def start(code, offset, error=None):
        try:
            if ident() != me:
                if not monitor.many:
                    monitor.to_many_threads()
                return monitor.other_thread(code)
            word = known(id(code))
            if word is None:
                word = enter(code, sys._getframe(1).f_globals)
                if word:
                    monitor.watch(code)
            if not word:
                return disable
            try:
                i = slot()
                times[i] = now()
                words[i] = word
            except StopIteration:
                put(word)
        except RecursionError:
            pass

    def throw(code, offset, error):
        start(code, offset)  # which may not be disabled for this event

    def leave(word):
        def left(code, offset, value):
            try:
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word)
            except RecursionError:
                pass

        return left

    def unwind(code, offset, error):
        try:
            if known(id(code)):
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = UNWIND
                except StopIteration:
                    put(UNWIND)
        except RecursionError:
            pass

    return {
        "LINE": line,
        "PY_START": start,
        "PY_RESUME": start,
        "PY_THROW": throw,
        "PY_RETURN": leave(RETURN),
        "PY_YIELD": leave(YIELD),
        "PY_UNWIND": unwind,
    }


def _many_threads(monitor):
    recorder = monitor.recorder
    held = monitor.held
    ident = _thread.get_ident
    known = recorder.words.get
    enter = recorder.enter
    now = perf_counter_ns
    disable = monitor.monitoring.DISABLE

    # Everything about a thread comes in one look-up: between two of them another thread may run.
    def put(word, depth=2):
        me = ident()
        stream = monitor.stream()
        mine = held.get(me)
        if mine is None or mine[0] is stream.slot:
            frame = sys._getframe(depth)
            stream.turn(frame.f_back if word <= -4 else frame)
        slot, words, times = held[me] = stream.slot, stream.words, stream.times
        i = slot()
        times[i] = now()
        words[i] = word

    def line(code, number):
        try:
            try:
                slot, words, times = held[ident()]
                i = slot()
                times[i] = now()
                words[i] = number
            except (StopIteration, KeyError):
                put(number)
        except RecursionError:
            pass

    def start(code, offset):
        try:
            word = known(id(code))
            if word is None:
                word = enter(code, sys._getframe(1).f_globals)
                if word:
                    monitor.watch(code)
            if not word:
                return disable
            try:
                slot, words, times = held[ident()]
                i = slot()
                times[i] = now()
                words[i] = word
            except (StopIteration, KeyError):
                put(word)
        except RecursionError:
            pass

    def throw(code, offset, error):
        try:
            word = enter(code, sys._getframe(1).f_globals)
            if word:
                try:
                    slot, words, times = held[ident()]
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except (StopIteration, KeyError):
                    put(word)
        except RecursionError:
            pass

    def leave(word):
        def left(code, offset, value):
            try:
                try:
                    slot, words, times = held[ident()]
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except (StopIteration, KeyError):
                    put(word)
            except RecursionError:
                pass

        return left

    def unwind(code, offset, error):
        try:
            if known(id(code)):
                try:
                    slot, words, times = held[ident()]
                    i = slot()
                    times[i] = now()
                    words[i] = UNWIND
                except (StopIteration, KeyError):
                    put(UNWIND)
        except RecursionError:
            pass

    def other_thread(code):
        """What `start` of the one-thread form hands over: the frame stands one further."""
        word = enter(code, sys._getframe(2).f_globals)
        if not word:
            return disable
        monitor.watch(code)
        put(word, 3)

    monitor.other_thread = other_thread
    return {
        "LINE": line,
        "PY_START": start,
        "PY_RESUME": start,
        "PY_THROW": throw,
        "PY_RETURN": leave(RETURN),
        "PY_YIELD": leave(YIELD),
        "PY_UNWIND": unwind,
    }


# ---- Begin and end

_recorder = None


def _begin(directory, selection, frame, engine="exact"):
    global _recorder
    recorder = Recorder(directory, selection, engine)
    if engine == "fast":
        import tk_trackexec_fast

        recorder.engine = tk_trackexec_fast.Fast(recorder)
    else:
        recorder.engine = exact(recorder)
    _recorder = recorder
    _hooks()
    recorder.engine.start(frame)
    return recorder


def exact(recorder):
    return Monitor(recorder) if hasattr(sys, "monitoring") else Settrace(recorder)


_hooked = False


def _hooks():
    global _hooked
    if not _hooked:
        _hooked = True
        import atexit

        atexit.register(_end)
        os.register_at_fork(after_in_child=_forked)


def _forked():
    recorder = _recorder
    if recorder:
        recorder.reset()
        recorder.engine.forked()


def _end():
    global _recorder
    recorder, _recorder = _recorder, None
    if recorder:
        recorder.engine.stop()
        if recorder.told and not recorder.over:
            try:
                recorder.tell(("E", perf_counter_ns()))
            except OSError:
                pass
        recorder.over = True


def _boot(directory, folder):
    """Called by sitecustomize.py."""
    global _folder
    _folder = folder
    if mmap is None:
        return
    try:
        cwd = os.environ.get("TK_LINES_CWD") or os.getcwd()
    except OSError:
        cwd = "/"
    _begin(directory, Selection(os.environ.get("TK_LINES", ""), cwd), None, os.environ.get("TK_LINES_ENGINE") or "exact")


def record(*packages):
    return None


def stop():
    _end()


class _Precise(object):
    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return None


def precise_timestamping():
    return _Precise()
