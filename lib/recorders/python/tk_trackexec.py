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

try:
    import fcntl
    from mmap import mmap
    from time import perf_counter_ns, time_ns
except ImportError:  # Windows, or Python before 3.7: everything below does nothing
    mmap = None

__all__ = ["record", "stop", "precise_timestamping"]

HEAD = 64
FIRST = 4096  # a process that runs for a moment costs 48 KiB
ROOM = 65536
TIME = "n" if sys.maxsize > 1 << 32 else "q"  # 64 bits both; a store into "n" takes 2/3 of the time
SOURCE_LIMIT = 16 << 20
RETURN, YIELD, UNWIND = -1, -2, -3
_WAITS = ()  # in place of a word: `select` of a selector, with which event loops wait
_MINE = os.path.abspath(__file__)
_FILE = (lambda: 0).__code__.co_filename
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
            if path[:1] in ("<", "") or path == "-c":
                # Code from strings belongs to the module it runs in; one without a file is `-c` or standard input.
                path = names.get("__file__")
                if not isinstance(path, str) or path.startswith("<"):
                    return names.get("__name__") == "__main__"
                path = self.path(path)
            if path.startswith(self.library):
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
        if self.number >= 0 and not self.recorder.over:
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
            self.times = view[HEAD + 4 * room :].cast(TIME)
            view.release()
            self.slot = iter(range(room)).__next__
            self.mapped = (mapped, number)
            recorder.page = mapped
            self.block += 1
            waiting = _stuck[:]
            del _stuck[:]
            for one, its in waiting:
                _unmap(one, its, fd)
        finally:
            os.close(fd)
        if recorder.compress and self.block > 0:
            _compress("%s.%d.%d" % (recorder.base, self.number, self.block - 1))

    def _pause(self):
        """Events go nowhere for a while; then it is tried again."""
        self.words = memoryview(bytearray(4 * FIRST)).cast("i")
        self.times = memoryview(bytearray(8 * FIRST)).cast(TIME)
        self.slot = iter(range(FIRST)).__next__
        if self.mapped is not None:
            _stuck.append(self.mapped)
            self.mapped = None
        self.lost += FIRST
        return False


def _write(path, data):
    """A new file of ours: nobody else's to read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    with open(fd, "wb") as file:
        file.write(data)


def _compress(path):
    """A finished block becomes `path.z`; one of the two is there at any moment."""
    import zlib

    try:
        with open(path, "rb") as file:
            data = zlib.compress(file.read(), 1)
        _write(path + ".z.new", data)
        os.rename(path + ".z.new", path + ".z")
        os.unlink(path)
    except OSError:
        pass  # the block itself is still good


def _native_id():
    try:
        return _thread.get_native_id()
    except AttributeError:  # 3.7
        try:
            return int(os.readlink("/proc/thread-self").rsplit("/", 1)[1])
        except (OSError, ValueError, IndexError):
            return os.getpid()


def _interpreter():
    """0 is the main one; before 3.13 also any other, as Python does not say it without loading a module."""
    is_main = getattr(_thread, "_is_main_interpreter", None)
    if is_main is None or is_main():
        return 0
    try:
        import _interpreters

        return int(_interpreters.get_current()[0])
    except Exception:
        return 0


def _field(value):
    text = str(value)
    if text.isprintable() and "%" not in text:
        return text
    return "".join("%%%02X" % ord(c) if c < " " or c in "%\x7f" else c for c in text)


class Recorder(object):
    """One interpreter's recording into one directory: names of files and code, streams, sources."""

    def __init__(self, directory, selection, engine, sparse=False, compress=False):
        self.directory = directory
        self.selection = selection
        self.engine_name = engine
        self.engine = None
        self.sparse = sparse
        self.compress = compress
        self.sharp = {}  # thread → precise sections it is in; 0: one more stamp, for the end of the last line
        self.words = {}  # id(code) → word of entering it; 0: not selected
        self.keep = []  # the code objects, so that their ids are not given to others
        self.over = False
        self.reset()

    def reset(self):
        """At the beginning, and in a forked child: another recording, which declares its names again."""
        self.pid = os.getpid()
        self.start = perf_counter_ns()
        self.base = "%s/%d-%x" % (self.directory, self.pid, self.start)
        self.lock = _thread.RLock()  # the garbage collector may call us while we hold it
        self.told = False
        self.page = None  # the block that was opened last
        self.files = {}
        self.codes = 0
        self.streams = 0
        self.idle_word = 0
        self.sharp.clear()
        while True:
            try:
                selected = [key for key in list(self.words) if self.words[key]]
                break
            except (RuntimeError, KeyError):
                pass  # this very function was seen for the first time, or the garbage collector's call
        for key in selected:
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
            try:
                if os.write(fd, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                if os.fstat(fd).st_size == 0:
                    os.unlink(self.base + ".meta")
                raise
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
            # It has become another user, or lives in another root: what is mapped is all that it can write to.
            try:
                self.page[12:16] = (error.errno or errno.EIO).to_bytes(4, "little")
            except (TypeError, ValueError):
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
                if path == "<string>" and names.get("__name__") == "__main__" and _of_command(code):
                    path = "-c"
                word = 0
                if not self.over and self.selection.wants(path, names):
                    word = self._declare(code, path, names)
                elif code.co_name == "select" and names.get("__name__") == "selectors":
                    word = _WAITS
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

    def idle(self):
        """The word of entering `<idle>`: an event loop waits. 0 when nothing can be told any more."""
        if not self.idle_word:
            try:
                with self.lock:
                    self.idle_word = self.idle_word or -4 - self.code(-1, 0, "<idle>")
            except OSError as error:
                self.fail(error)
        return self.idle_word

    def stamps(self, ident):
        """In sparse mode: whether this event has a time."""
        sections = self.sharp.get(ident)
        if sections == 0:
            del self.sharp[ident]
        return sections is not None

    def thread_name(self):
        threading = sys.modules.get("threading")
        thread = getattr(threading, "_active", {}).get(_thread.get_ident())
        name = getattr(thread, "_name", "")
        if name in ("", "MainThread"):
            # A worker of multiprocessing is known by its process's name.
            process = getattr(sys.modules.get("multiprocessing.process"), "_current_process", None)
            name = getattr(process, "_name", "") if getattr(process, "_parent_pid", None) else name
        return name or "MainThread"


def _event_loop(frame):
    """Whether this caller of `select` is an event loop; the standard library also waits for children with it."""
    name = frame.f_globals.get("__name__", "") if frame is not None else ""
    return name not in ("subprocess", "multiprocessing.connection", "selectors")


def _odd(code):
    """Generated code may claim lines below 1, which the stream's words cannot tell."""
    if hasattr(code, "co_lines"):
        # From 3.11 a module begins with an instruction that has line 0 and is no line of its own.
        first = 2 if sys.version_info >= (3, 11) else 0
        return any(line is not None and line < 1 and end > first for _, end, line in code.co_lines())
    line = code.co_firstlineno
    if line < 1:
        return True
    for step in code.co_lnotab[1::2]:
        line += step - 256 if step > 127 else step
        if line < 1:
            return True
    return False


def _copy_source(directory, path, names):
    """Keeps the file's bytes as they are now; the name of the copy, or "" when there is none to have."""
    try:
        if path == "-c":
            data = (_command_text() or "").encode("utf-8", "surrogateescape")
            key = "text-%x-%x-%x" % (os.getpid(), perf_counter_ns(), len(data))
        elif path == "<string>":
            return ""  # many strings have this name
        elif path.startswith("<"):
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
        try:
            # Never its parents: a run that is over must not come back.
            os.mkdir(directory + "/src", 0o700)
        except FileExistsError:
            pass
        made = "%s/src/.%x-%x" % (directory, os.getpid(), perf_counter_ns())
        _write(made, data)
        os.rename(made, "%s/src/%s" % (directory, key))
        return key
    except Exception:
        return ""


def _command_line():
    """What this interpreter runs, as two words: "" and the script, "-m" and the module, "-c" and its text."""
    words = getattr(sys, "orig_argv", None)
    if not words:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
        except OSError:
            words = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-" or not word.startswith("-"):
            return "", word
        if word in ("-W", "-X", "--check-hash-based-pycs"):
            next(rest, None)
        elif not word.startswith("--"):
            for letter in ("c", "m"):
                # Letters may stand together, `-Bm mod`; the one that takes a word is the last.
                at = word.find(letter, 1)
                if at > 0 and not set(word[1:at]) & set("WX"):
                    return "-" + letter, word[at + 1 :] or next(rest, "")
    return "", ""


def _running():
    option, word = _command_line()
    return option if option == "-c" else (option + " " + word).strip()


def _command_text():
    option, text = _command_line()
    return text if option == "-c" else None


_command = None  # the code of `-c`


def _of_command(code):
    """Whether it is of `-c`; strings that the program executes have the same file name."""
    global _command
    if _command is None:
        _command = []
        try:
            _command.append(compile(_command_text() or "", "<string>", "exec", dont_inherit=True))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
        for one in _command:
            _command.extend(inner for inner in one.co_consts if type(inner) is type(code))
    return code in _command


# ---- Engine `exact` before 3.12: sys.settrace, a set of functions for each thread

_RETURN_VALUE = 83
_YIELD_VALUE = 86
_YIELD_FROM = b"\x48"
_GENERATOR = 0x20 | 0x80 | 0x200
# At the recursion limit an event is lost rather than the program's. Before 3.10 Python ends the process when somebody keeps
# the error to himself and goes on: there it goes to the program, a frame or two earlier than without us.
_TOO_DEEP = RecursionError if sys.version_info >= (3, 10) else ()


class Settrace(object):
    def __init__(self, recorder):
        self.recorder = recorder
        self.tracers = {}  # thread → its functions
        self.theirs = {}  # thread → the trace function that the program has put there
        self.foreign = False  # whether there ever was one
        self.changing = set()  # threads that have none for the moment
        self.ends = _thread._local()
        self.set = sys.settrace
        self.get = sys.gettrace
        self.stopped = False

    def tracer(self):
        """For the calling thread: its trace function; what makes open frames traced ones; what ends the stream, so that the
        next event begins another."""
        recorder = self.recorder
        settrace = self.set
        stream = Stream(recorder)
        known = recorder.words.get
        enter = recorder.enter
        stamps = recorder.stamps
        sharp = recorder.sharp
        ident = _thread.get_ident()
        now = perf_counter_ns
        words = times = None
        slot = _nothing()
        # Where a frame stood when an exception passed: settrace tells an unwound frame as one that returns None. By id,
        # since holding frames would keep the program's objects alive.
        raised = {}
        # Generators that are on the stack, by id: Python 3.11 does not tell each resumption, such as that after a `throw`
        # into the generator that this one waits for.
        inside = set()
        foreign = False

        def put(word, frame):
            nonlocal slot, words, times
            stream.turn(frame)
            slot, words, times = stream.slot, stream.words, stream.times
            if recorder.over:
                settrace(None)
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
                        if _signals.thrown:
                            _signals.clean(value[2])
                    return
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame)
            except _TOO_DEEP:
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
                        if code[at] == _YIELD_VALUE or code[at + 2 : at + 3] == _YIELD_FROM:
                            word = YIELD
                else:
                    if event == "exception":
                        raised[id(frame)] = frame.f_lasti
                        if _signals.thrown:
                            _signals.clean(value[2])
                    return
                if id(frame) not in inside:
                    resumed(frame)
                if event == "return":
                    inside.discard(id(frame))
                try:
                    i = slot()
                    if not sparse or sharp and stamps(ident):
                        times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame)
            except _TOO_DEEP:
                pass

        def resumed(frame):
            inside.add(id(frame))
            word = enter(frame.f_code, frame.f_globals)
            try:
                i = slot()
                times[i] = now()
                words[i] = word
            except StopIteration:
                put(word, frame.f_back)

        def call(frame, event, value):
            try:
                code = frame.f_code
                word = known(id(code))
                if word is None:
                    word = enter(code, frame.f_globals)
                    if not word and code.co_name == "start" and frame.f_globals.get("__name__") == "threading":
                        hook_threads(frame.f_globals)
                if not word:
                    if foreign and frame.f_trace is not None:
                        frame.f_trace = None  # a generator's, from the time of the program's trace function
                    return waits(frame) if word is _WAITS else None
                try:
                    i = slot()
                    if not sparse or sharp and stamps(ident):
                        times[i] = now()
                    words[i] = word
                except StopIteration:
                    put(word, frame.f_back)
                if code.co_flags & _GENERATOR:
                    inside.add(id(frame))
                    return generator
                return plain
            except _TOO_DEEP:
                frame.f_trace = None  # a generator has it from the last time, and would be left without having been entered
                return None

        def waits(frame):
            word = _event_loop(frame.f_back) and recorder.idle()
            if not word:
                return None
            try:
                i = slot()
                times[i] = now()
                words[i] = word
            except StopIteration:
                put(word, frame.f_back)
            frame.f_trace_lines = False
            return line

        def sparse_line(frame, event, value):
            if event != "line":
                if event == "return":
                    inside.add(id(frame))  # not a generator: nothing to be entered late
                return generator(frame, event, value)
            try:
                try:
                    i = slot()
                    if sharp and stamps(ident):
                        times[i] = now()
                    words[i] = frame.f_lineno
                except StopIteration:
                    put(frame.f_lineno, frame)
            except _TOO_DEEP:
                pass

        def adopt(frame):
            nonlocal foreign
            # What the program's own trace function left in frames would be called again, now that there is one of ours.
            foreign = self.foreign
            while frame is not None:
                if enter(frame.f_code, frame.f_globals):
                    if frame.f_code.co_flags & _GENERATOR:
                        inside.add(id(frame))
                        frame.f_trace = generator
                    else:
                        frame.f_trace = plain
                elif foreign and frame.f_trace is not None:
                    frame.f_trace = None
                frame = frame.f_back

        def again(end):
            nonlocal slot, words, times
            if end:
                stream.end()
                inside.clear()
            else:
                stream.leave()
            raised.clear()
            slot, words, times = stream.slot, None, None

        sparse = recorder.sparse
        plain = sparse_line if sparse else line
        hook_threads = self.hook_threads
        def rest():
            """From another thread: nothing is released that may be in use."""
            nonlocal slot
            slot = _nothing()

        return call, adopt, again, rest

    def start(self, frame):
        self.begin_thread()
        sys.settrace, sys.gettrace = self.settrace, self.gettrace
        threading = sys.modules.get("threading")
        if threading:
            self.hook_threads(threading.__dict__)
        functions = self.tracers[_thread.get_ident()]
        functions[1](frame)
        self.set(functions[0])
        import gc

        gc.callbacks.append(self.look)

    def begin_thread(self):
        ident = _thread.get_ident()
        self.tracers[ident] = functions = self.tracer()
        self.ends.mark = _ThreadEnd(self.thread_ends, ident)
        return functions

    def hook_threads(self, names):
        """`threading` is there: new threads begin with `first`. Not through its functions, which may not be ready yet."""

        def settrace(func):
            names["_trace_hook"] = self.first if func is None else func

        def gettrace():
            hook = names["_trace_hook"]
            return None if hook == self.first else hook

        if names.get("_trace_hook") is None and not self.recorder.over:
            names["_trace_hook"] = self.first
        for function in (settrace, gettrace):
            old = names.get(function.__name__)
            if old is not None:
                function.__doc__ = old.__doc__
                names[function.__name__] = function

    def first(self, frame, event, value):
        """The first call in a new thread."""
        if self.recorder.over:
            self.set(None)
            return None
        functions = self.begin_thread()
        self.set(functions[0])
        return functions[0](frame, event, value)

    def thread_ends(self, ident):
        functions = self.tracers.pop(ident, None)
        self.theirs.pop(ident, None)
        if functions:
            self.set(None)
            functions[2](True)

    # The program's own trace function and ours cannot both be there. Its own wins, and we come back when it goes.

    def settrace(self, function):
        ident = _thread.get_ident()
        functions = self.tracers.get(ident)
        if function is None and functions and self.get() == functions[0]:
            return  # as far as the program knows there is none to take off
        if function is None or function == self.first:
            self.theirs.pop(ident, None)
            self.changing.add(ident)
            try:
                self.set(None)
                if functions or function is not None:
                    self.take_up(functions or self.begin_thread(), sys._getframe(1))
            finally:
                self.changing.discard(ident)
        else:

            def filtered(frame, event, value):
                # Nor does its function see ours: the call that takes it off is one.
                return None if frame.f_code.co_filename == _FILE else function(frame, event, value)

            self.set(None)
            if functions and ident not in self.theirs:
                self.lose(functions, "the program traces itself with sys.settrace")
            self.theirs[ident] = function
            self.foreign = True
            self.set(filtered)

    settrace.__doc__ = sys.settrace.__doc__

    def gettrace(self):
        function = self.get()
        ours = getattr(getattr(function, "__code__", None), "co_filename", None) == _FILE
        return self.theirs.get(_thread.get_ident()) if ours else function

    gettrace.__doc__ = sys.gettrace.__doc__

    def lose(self, functions, why):
        try:
            self.recorder.tell(("L", 0, why))
            functions[2](True)
        except OSError as error:
            self.recorder.fail(error)

    def take_up(self, functions, frame):
        if self.recorder.over or self.stopped:
            return

        def settle(frame, event, value):
            # Debuggers clear `f_trace` of the open frames after they have let go: those are taken at the next call.
            functions[1](frame.f_back)
            self.set(functions[0])
            return functions[0](frame, event, value)

        functions[2](True)
        functions[1](frame)
        self.set(settle)

    def look(self, phase, about):
        """Called by the garbage collector, which comes by often enough, in whatever thread: are we still there? Python
        takes a trace function off when it cannot be called, which is so at the recursion limit; C code puts in its own."""
        try:
            ident = _thread.get_ident()
            functions = self.tracers.get(ident)
            if phase != "start" or functions is None or self.recorder.over or self.stopped or ident in self.changing:
                return
            function = self.get()
            if function is None:
                if ident not in self.theirs:
                    try:
                        self.recorder.tell(("L", 0, "Python took the trace function off, as it does at the recursion limit"))
                    except OSError as error:
                        return self.recorder.fail(error)
                self.theirs.pop(ident, None)
                self.take_up(functions, sys._getframe(1))
            elif ident not in self.theirs and self.gettrace() is not None:
                self.theirs[ident] = function
                self.foreign = True
                self.lose(functions, "another trace function took the place of the recorder's")
        except RecursionError:
            pass  # too deep now: at the next collection

    def stop(self):
        self.stopped = True
        ident = _thread.get_ident()
        if sys.settrace == self.settrace:
            sys.settrace, sys.gettrace = self.set, self.get
        if ident not in self.theirs:
            self.set(None)
        import gc

        if self.look in gc.callbacks:
            gc.callbacks.remove(self.look)
        names = getattr(sys.modules.get("threading"), "__dict__", {})
        if names.get("_trace_hook") == self.first:
            names["_trace_hook"] = None
        for functions in list(self.tracers.values()):
            functions[3]()

    def forked(self):
        ident = _thread.get_ident()
        mine = self.tracers.pop(ident, None)
        for functions in self.tracers.values():
            functions[2](False)
        self.tracers.clear()
        self.theirs = {one: function for one, function in self.theirs.items() if one == ident}
        if mine:
            mine[2](False)
            self.tracers[ident] = mine


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
        self.tool = self.second = None
        self.watched = []
        self.waiting = set()  # threads in `<idle>`
        self.streams = {}  # thread → stream
        self.held = {}  # thread → (slot, words, times) of its stream
        self.many = False
        self.ends = _thread._local()

    def start(self, frame):
        monitoring, events = self.monitoring, self.monitoring.events
        free = [tool for tool in (4, 3) if monitoring.get_tool(tool) is None]
        if not free:
            self.recorder.note("not recorded: the tool numbers of sys.monitoring are taken")
            self.recorder.over = True
            return
        self.tool = free[0]
        monitoring.use_tool_id(self.tool, "tk")
        if len(free) > 1:
            self.second = free[1]
            monitoring.use_tool_id(self.second, "tk idle")
            monitoring.register_callback(self.second, events.PY_START, self.idle_begins)
            monitoring.register_callback(self.second, events.PY_RETURN, self.idle_ends)
        self.local = events.LINE | events.PY_RETURN | events.PY_YIELD
        self.always = events.PY_START | events.PY_RESUME | events.PY_UNWIND | events.PY_THROW
        frames = sys._current_frames()
        frames[_thread.get_ident()] = frame
        self.threads = len(frames) > 1 or not getattr(sys, "_is_gil_enabled", lambda: True)()
        self.choose()
        for frame in frames.values():
            while frame is not None:
                if self.recorder.enter(frame.f_code, frame.f_globals):
                    self.watch(frame.f_code)
                frame = frame.f_back
        monitoring.set_events(self.tool, self.always)

    def choose(self):
        self.many = self.threads or self.recorder.sparse
        self.register((_many_threads if self.many else _one_thread)(self))

    def register(self, callbacks):
        for name, callback in callbacks.items():
            self.monitoring.register_callback(self.tool, getattr(self.monitoring.events, name), callback)

    def watch(self, code):
        self.watched.append(code)
        self.monitoring.set_local_events(self.tool, code, self.local)

    def watch_waits(self, code):
        if self.second is not None:
            self.watched.append(code)
            events = self.monitoring.events
            self.monitoring.set_local_events(self.second, code, events.PY_START | events.PY_RETURN)

    def idle_begins(self, code, offset):
        try:
            frame = sys._getframe(1)
            word = _event_loop(frame.f_back) and self.recorder.idle()
            if word:
                self.waiting.add(_thread.get_ident())
                self.emit(word, 2)
        except RecursionError:
            pass

    def idle_ends(self, code, offset, value, word=RETURN):
        try:
            ident = _thread.get_ident()
            if ident in self.waiting:
                self.waiting.discard(ident)
                self.emit(word, 2)
        except RecursionError:
            pass

    def stream(self):
        """The calling thread's."""
        ident = _thread.get_ident()
        stream = self.streams.get(ident)
        if stream is None:
            stream = self.streams[ident] = Stream(self.recorder)
            self.ends.mark = _ThreadEnd(self.thread_ends, ident)
        return stream

    def to_many_threads(self):
        self.threads = True
        if not self.many:
            self.choose()

    def thread_ends(self, ident):
        self.held.pop(ident, None)
        stream = self.streams.pop(ident, None)
        if stream:
            stream.end()

    def interrupted(self, frame):
        """A signal's handler raises: from 3.13 that may be before a generator's resumption is told, and then it never is."""
        if sys.version_info < (3, 13) or frame is None or frame.f_lasti < 0:
            return
        code = frame.f_code
        word = self.recorder.words.get(id(code))
        if word and code.co_code[frame.f_lasti] == _RESUME and code.co_code[frame.f_lasti + 1] & 3:
            self.emit(word, 2)

    def clean_next(self):
        """An exception comes out of a signal handler that we called: the next one raised loses our frames."""
        monitoring, events = self.monitoring, self.monitoring.events

        def raised(code, offset, error):
            _signals.clean(error.__traceback__)
            if monitoring.get_tool(self.tool) == "tk":
                monitoring.register_callback(self.tool, events.RAISE, None)
                monitoring.set_events(self.tool, self.always)

        monitoring.register_callback(self.tool, events.RAISE, raised)
        monitoring.set_events(self.tool, self.always | events.RAISE)

    def stop(self):
        monitoring = self.monitoring
        if self.tool is None or monitoring.get_tool(self.tool) != "tk":
            return
        for tool in (self.tool, self.second):
            if tool is None:
                continue
            monitoring.set_events(tool, 0)
            for code in self.watched:
                monitoring.set_local_events(tool, code, 0)
            for name in ("LINE", "PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "PY_UNWIND", "PY_THROW", "RAISE"):
                monitoring.register_callback(tool, getattr(monitoring.events, name), None)
            monitoring.free_tool_id(tool)
        del self.watched[:]

    def forked(self):
        for stream in self.streams.values():
            stream.leave()
        self.streams.clear()
        self.held.clear()
        self.waiting.clear()
        if self.tool is not None and not self.recorder.over:
            self.threads = False
            self.choose()


_RESUME = (lambda: 0).__code__.co_code[0]


def _never_began(code, offset, error):
    """Whether the frame ends where it would have begun, and `start` was not called: it cannot be at the recursion limit, and
    from 3.13 a signal's handler that raises comes before it."""
    return code.co_code[offset] == _RESUME and (sys.version_info >= (3, 13) or type(error) is RecursionError)


def _one_thread(monitor):
    """Callbacks while one thread runs selected code: it cannot be any other, since a frame begins with `start`."""
    recorder = monitor.recorder
    stream = monitor.stream()
    ident = _thread.get_ident
    me = ident()
    known = recorder.words.get
    enter = recorder.enter
    now = perf_counter_ns
    disable = monitor.monitoring.DISABLE
    slot, words, times = _nothing(), None, None

    def put(word, depth=2):
        nonlocal slot, words, times
        frame = sys._getframe(depth)
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

    def start(code, offset):
        nonlocal slot
        try:
            if ident() != me:
                monitor.to_many_threads()
                return monitor.begins(code, 2)
            word = known(id(code))
            if word is None:
                word = enter(code, sys._getframe(1).f_globals)
                if word:
                    monitor.watch(code)
                elif word is _WAITS:
                    monitor.watch_waits(code)
            if not word:
                return disable
            try:
                i = slot()
                times[i] = now()
                words[i] = word
            except StopIteration:
                put(word)
        except RecursionError:
            # This frame is missing: what follows is another stream.
            stream.lost += 1
            slot = _nothing()

    def throw(code, offset, error):
        start(code, offset)  # this event may not be disabled

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
            word = known(id(code))
            if word and not _never_began(code, offset, error):
                try:
                    i = slot()
                    times[i] = now()
                    words[i] = UNWIND
                except StopIteration:
                    put(UNWIND)
            elif word is _WAITS:
                monitor.idle_ends(code, offset, None, UNWIND)
        except RecursionError:
            pass

    def emit(word, depth):
        if ident() != me:
            monitor.to_many_threads()
            return monitor.emit(word, depth + 1)
        try:
            i = slot()
            times[i] = now()
            words[i] = word
        except StopIteration:
            put(word, depth + 1)

    monitor.emit = emit
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
    """Callbacks that look up their thread, all about it at once: between two look-ups another thread may run.
    They also know the sparse mode, in which events have a time only in precise sections and at the start of blocks."""
    recorder = monitor.recorder
    sparse = recorder.sparse
    sharp = recorder.sharp
    stamps = recorder.stamps
    held = monitor.held
    ident = _thread.get_ident
    known = recorder.words.get
    enter = recorder.enter
    now = perf_counter_ns
    disable = monitor.monitoring.DISABLE

    def put(word, depth):
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
                put(number, 2)
        except RecursionError:
            pass

    def sparse_line(code, number):
        try:
            try:
                slot, words, times = held[ident()]
                i = slot()
                if sharp and stamps(ident()):
                    times[i] = now()
                words[i] = number
            except (StopIteration, KeyError):
                put(number, 2)
        except RecursionError:
            pass

    def event(word, depth):
        try:
            slot, words, times = held[ident()]
            i = slot()
            if not sparse or sharp and stamps(ident()):
                times[i] = now()
            words[i] = word
        except (StopIteration, KeyError):
            put(word, depth + 1)

    def emit(word, depth):
        try:
            slot, words, times = held[ident()]
            i = slot()
            times[i] = now()
            words[i] = word
        except (StopIteration, KeyError):
            put(word, depth + 1)

    def begins(code, depth):
        word = known(id(code))
        if word is None:
            word = enter(code, sys._getframe(depth).f_globals)
            if word:
                monitor.watch(code)
            elif word is _WAITS:
                monitor.watch_waits(code)
        if not word:
            return disable
        event(word, depth + 1)

    def missing():
        """The frame that begins is missing: what follows is another stream."""
        stream = monitor.streams.get(ident())
        if stream is not None:
            stream.lost += 1
            stream.slot = _nothing()
            held.pop(ident(), None)

    def start(code, offset):
        try:
            return begins(code, 2)
        except RecursionError:
            missing()

    def throw(code, offset, error):
        try:
            begins(code, 2)
        except RecursionError:
            missing()

    def leave(word):
        def left(code, offset, value):
            try:
                event(word, 2)
            except RecursionError:
                pass

        return left

    def unwind(code, offset, error):
        try:
            word = known(id(code))
            if word and not _never_began(code, offset, error):
                event(UNWIND, 2)
            elif word is _WAITS:
                monitor.idle_ends(code, offset, None, UNWIND)
        except RecursionError:
            pass

    monitor.emit = emit
    monitor.begins = begins
    return {
        "LINE": sparse_line if sparse else line,
        "PY_START": start,
        "PY_RESUME": start,
        "PY_THROW": throw,
        "PY_RETURN": leave(RETURN),
        "PY_YIELD": leave(YIELD),
        "PY_UNWIND": unwind,
    }


# ---- Signals
# Python runs a signal's handler between two instructions, and with a recorder most instructions are the recorder's: the handler
# would not be recorded, see our frame, and what it raises would come out of us, with our lines in the traceback. So our function
# stands before the program's handlers: while our code runs it asks for the signal once more and lets our code end first.


class _Signals(object):
    def __init__(self):
        self.handlers = {}
        self.thrown = False
        self.on = False
        self.wakes = False
        self.busy = False
        self.more = set()

    def start(self):
        # Before 3.10 the next signal would be looked for before our own function could end.
        if sys.version_info < (3, 10) or self.on:
            return
        import _signal

        self.on = True
        self.module = _signal
        self.real = _signal.signal, _signal.getsignal, _signal.set_wakeup_fd
        known = sys.modules.get("signal")
        for module in (_signal, known):
            if module is not None:
                module.set_wakeup_fd = self.set_wakeup_fd
        _signal.signal, _signal.getsignal = self.signal, self.getsignal
        for number in range(1, _signal.NSIG):
            try:
                handler = self.real[1](number)
                if callable(handler) and handler != self.signalled:
                    self.handlers[number] = handler
                    self.real[0](number, self.signalled)
            except (ValueError, OSError):
                pass  # not the main thread, or a number that is none

    def stop(self):
        if not self.on:
            return
        self.on = False
        module = self.module
        module.signal, module.getsignal, module.set_wakeup_fd = self.real
        known = sys.modules.get("signal")
        if known is not None:
            known.set_wakeup_fd = self.real[2]
        for number, handler in list(self.handlers.items()):
            try:
                if self.real[1](number) == self.signalled:
                    self.real[0](number, handler)
            except (ValueError, OSError):
                pass

    def signal(self, signalnum, handler):
        if not callable(handler):
            old = self.real[0](signalnum, handler)
            mine = self.handlers.pop(signalnum, None)
        else:
            old = self.real[0](signalnum, self.signalled)
            mine = self.handlers.get(signalnum)
            self.handlers[signalnum] = handler
        return mine if old == self.signalled else old

    def getsignal(self, signalnum):
        handler = self.real[1](signalnum)
        return self.handlers.get(signalnum) if handler == self.signalled else handler

    def set_wakeup_fd(self, fd, **options):
        # A program that reads signals from a descriptor would read each of our second askings.
        old = self.real[2](fd, **options)
        self.wakes = fd != -1
        return old

    def signalled(self, number, frame):
        if self.busy:
            # While it is being found out below where another came to: noting it is all, or many signals would nest without end.
            self.more.add(number)
            return
        ours = False
        more = ()
        if not self.wakes and frame is not None:
            self.busy = True
            try:
                # Whether the recorder runs, or something that it called; but not a handler that this very function called.
                at = frame
                left = 16
                if at.f_code is _SIGNALLED:
                    ours = True
                while not ours and left and at is not None and at.f_code is not _SIGNALLED:
                    ours = at.f_code.co_filename == _FILE
                    at = at.f_back
                    left -= 1
            finally:
                self.busy = False
            if self.more:
                more, self.more = self.more, set()
        if ours:
            # Nothing after the second asking may look for signals: a call would, unpacking does not.
            [*map(_thread.interrupt_main, (number, *more))]
            return
        [*map(_thread.interrupt_main, more)]
        try:
            handler = self.handlers.get(number)
            if handler is not None:
                handler(number, frame)
        except BaseException as error:
            self.clean(error.__traceback__)
            self.thrown = True
            recorder = _recorder
            if recorder and isinstance(recorder.engine, Monitor):
                recorder.engine.interrupted(frame)
                recorder.engine.clean_next()
            elif sys.excepthook is sys.__excepthook__:
                sys.excepthook = self.excepthook
            raise

    def clean(self, trace):
        """Takes our frames out of a traceback, but for its first."""
        self.thrown = False
        while trace is not None:
            inner = trace.tb_next
            while inner is not None and inner.tb_frame.f_code.co_filename == _FILE:
                inner = inner.tb_next
            if inner is not trace.tb_next:
                trace.tb_next = inner
            trace = inner

    def excepthook(self, kind, value, trace):
        self.clean(trace)
        if sys.excepthook == self.excepthook:
            sys.excepthook = sys.__excepthook__
        sys.__excepthook__(kind, value, trace)


_SIGNALLED = _Signals.signalled.__code__
_signals = _Signals()


# ---- Begin and end

_recorder = None  # the interpreter's, in this copy of the file
_hooked = False


def _begin(directory, selection, frame, engine="exact", **modes):
    global _recorder, _hooked
    recorder = Recorder(directory, selection, engine, **modes)
    if engine == "fast":
        import _tk_fast

        recorder.engine = _tk_fast.Fast(recorder, Stream, _ThreadEnd)
    else:
        recorder.engine = exact(recorder)
    _recorder = recorder
    if not _hooked:
        _hooked = True
        import atexit

        atexit.register(_end)
        os.register_at_fork(after_in_child=_forked)
    recorder.engine.start(frame)
    if not recorder.over:
        _signals.start()
    return recorder


def exact(recorder):
    return Monitor(recorder) if hasattr(sys, "monitoring") else Settrace(recorder)


def _forked():
    recorder = _recorder
    if recorder:
        try:
            recorder.reset()
            recorder.engine.forked()
        except Exception:
            # Whatever it was: nothing more may go into the parent's blocks.
            recorder.over = True
            recorder.engine.stop()


def _end():
    global _recorder
    recorder, _recorder = _recorder, None
    if not recorder:
        return
    if sys.__dict__.get("_tk_trackexec") is sys.modules.get(__name__):
        del sys._tk_trackexec
    _signals.stop()
    recorder.engine.stop()
    told = recorder.told and not recorder.over
    recorder.over = True
    if told:
        try:
            recorder.tell(("E", perf_counter_ns()))
        except OSError:
            pass


def _cwd():
    try:
        return os.getcwd()
    except OSError:
        return "/"


def _boot(directory, folder):
    """Called by sitecustomize.py."""
    global _folder
    if mmap is None:
        return
    _folder = folder
    sys._tk_trackexec = sys.modules[__name__]
    selection = Selection(os.environ.get("TK_LINES", ""), os.environ.get("TK_LINES_CWD") or _cwd())
    engine = os.environ.get("TK_LINES_ENGINE") or "exact"
    if engine == "exact" and not hasattr(sys, "monitoring") and selection.names and not selection.paths:
        # sys.settrace costs all code, selected or not: nothing runs before a selected package is imported.
        option, word = _command_line()
        main = os.path.splitext(os.path.basename(word))[0] if option == "" else ""
        if "__main__" not in selection.names and main not in selection.names:
            sys.meta_path.insert(0, _Await(directory, selection))
            return
    _begin(directory, selection, None, engine)


class _Await(object):
    """Finds no module; begins when a selected one is asked for."""

    def __init__(self, directory, selection):
        self.directory = directory
        self.selection = selection

    def find_spec(self, name, path=None, target=None):
        if any(name == wanted or name.startswith(wanted + ".") for wanted in self.selection.names):
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                _begin(self.directory, self.selection, sys._getframe(1))
        return None


# ---- For programs


def record(package="", dir=None, name=None, sparse=False, keep=10, max_bytes=1 << 30):
    """Begins to record the lines of `package` (names of packages or paths, comma-separated or a list; all outside the
    standard library and site-packages if empty), when the directory `dir` exists: an operator turns recording on by making
    it. Goes into `dir`/<YYMMDD-HHMMSS>/<name>, or the same run as the parent process's; `dir`/latest points to the run.
    The oldest runs that have ended are removed beyond `keep` runs or `max_bytes`.

    sparse: a time only at the start of each block, in precise sections and around the waits of event loops; else at each event.
    Returns the directory of the recording, or None when there is none. Under `tk record --lines` it changes nothing.
    Never raises for what the disk does: that the directory cannot be written is said once on stderr.
    """
    other = sys.__dict__.get("_tk_trackexec")
    if other is not None:
        return other.recording()
    if mmap is None or sys.version_info < (3, 7) or sys.implementation.name != "cpython" or not dir:
        return None
    dir = os.path.abspath(os.fspath(dir))
    if not os.path.isdir(dir):
        return None
    try:
        run = _run_directory(dir, name or os.path.basename(sys.argv[0] or "python") or "python")
        _drop_old_runs(dir, keep, max_bytes)
    except OSError as error:
        try:
            sys.stderr.write("tk_trackexec: cannot record into %s: %s\n" % (dir, error.strerror or error))
        except (OSError, ValueError, AttributeError):
            pass
        return None
    import zlib  # noqa: F401  (needed where nothing should be imported)

    if not isinstance(package, str):
        package = ",".join(str(one).replace("%", "%25").replace(",", "%2C") for one in package)
    sys._tk_trackexec = sys.modules[__name__]
    _begin(run, Selection(package, _cwd()), sys._getframe(1), sparse=sparse, compress=True)
    return recording()


def recording():
    """The directory that is being recorded into, or None."""
    return _recorder.directory if _recorder and not _recorder.over else None


def stop():
    """Ends what `record` began; a recording of `tk record` goes on."""
    other = sys.__dict__.get("_tk_trackexec")
    if other is not None and other is not sys.modules.get(__name__):
        other.stop()
    elif _folder is None:
        _end()


class precise_timestamping(object):
    """`with precise_timestamping():` each event of this thread has its own time, also in what the section calls.
    Does nothing when nothing is recorded, or every event has its time anyway."""

    __slots__ = ("recorder", "ident")

    def __enter__(self):
        module = sys.__dict__.get("_tk_trackexec")
        self.recorder = recorder = module._recorder if module is not None else None
        if recorder and recorder.sparse:
            self.ident = ident = _thread.get_ident()
            recorder.sharp[ident] = recorder.sharp.get(ident, 0) + 1
        return self

    def __exit__(self, kind, value, traceback):
        recorder = self.recorder
        if recorder and recorder.sparse:
            # At 0 one more event is stamped: the end of the section's last line.
            recorder.sharp[self.ident] = max(recorder.sharp.get(self.ident, 0) - 1, 0)
        return None


_RUN = "TK_TRACKEXEC_RUN"


def _is_run(name):
    """YYMMDD-HHMMSS, and -2 and so on for the next ones of the same second."""
    parts = name.split("-")
    return len(parts) in (2, 3) and all(part.isdigit() for part in parts) and len(parts[0]) == len(parts[1]) == 6


def _order(name):
    return name[:13], int(name[14:] or 1)


def _run_directory(spool, name):
    """The directory of this process's recording: in its parent's run if that one records too, so that the processes of one
    start of a service are together."""
    name = "".join(c if c.isprintable() and c != os.sep else "_" for c in name)
    name = name if name not in ("", ".", "..") else "python"
    run, _, owner = os.environ.get(_RUN, "").rpartition(":")
    if os.path.dirname(run) != spool or not _is_run(os.path.basename(run)) or not os.path.isdir(run):
        run = ""
    # The same process again, by exec: a service that restarts itself. Or a service that has ended, and we were handed its name.
    if not run or owner == str(os.getpid()) or not (owner.isdigit() and os.path.exists("/proc/" + owner)):
        import time

        start = time.strftime("%y%m%d-%H%M%S")
        # After those of the same second, also where the first of them are removed already.
        number = max([_order(name)[1] for name in os.listdir(spool) if _is_run(name) and name.startswith(start)] or [0])
        while True:
            number += 1
            run = os.path.join(spool, start if number == 1 else "%s-%d" % (start, number))
            try:
                os.mkdir(run, 0o700)
                break
            except FileExistsError:
                pass
        os.environ[_RUN] = "%s:%d" % (run, os.getpid())
        made = os.path.join(spool, ".latest-%d" % os.getpid())
        try:
            os.symlink(os.path.basename(run), made)
            os.rename(made, os.path.join(spool, "latest"))
        except OSError:
            pass
    directory = os.path.join(run, name)
    os.makedirs(directory, 0o700, exist_ok=True)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return directory


def _drop_old_runs(spool, keep, max_bytes):
    """Removes ended runs, the oldest first, until at most `keep` runs and `max_bytes` are left. Nothing but runs is touched."""
    with os.scandir(spool) as entries:
        runs = sorted((e.name for e in entries if _is_run(e.name) and e.is_dir(follow_symlinks=False)), key=_order)
    sizes = {run: _size(os.path.join(spool, run)) for run in runs}
    total = sum(sizes.values())
    left = len(runs)
    for run in runs:
        if left <= keep and total <= max_bytes:
            return
        path = os.path.join(spool, run)
        if run == runs[-1] or _is_running(path):
            continue
        _remove(path)
        left -= 1
        total -= sizes[run]


def _files(run):
    """What a recorder makes: run/name/file and run/name/src/file."""
    for folder, folders, files in os.walk(run):
        for file in files:
            yield os.path.join(folder, file)


def _size(run):
    total = 0
    for path in _files(run):
        try:
            total += os.lstat(path).st_blocks * 512
        except OSError:
            pass
    return total


def _is_running(run):
    """Whether a process of it is still there, without having told its end."""
    for path in _files(run):
        if not path.endswith(".meta"):
            continue
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                first = file.readline().split("\t")
                ended = any(line.startswith("E\t") for line in file)
            if ended:
                continue
            pid = int(first[1])
            with open("/proc/%d/stat" % pid, "rb") as file:
                began = int(file.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
            # Another process may have the number by now; it began after the recording did.
            if began <= int(first[3]) / 1e9 + 1:
                return True
        except (OSError, ValueError, IndexError):
            continue
    return False


def _remove(run):
    for folder, folders, files in os.walk(run, topdown=False):
        for name in files:
            _quietly(os.unlink, os.path.join(folder, name))
        for name in folders:
            path = os.path.join(folder, name)
            _quietly(os.unlink if os.path.islink(path) else os.rmdir, path)
    _quietly(os.rmdir, run)


def _quietly(action, path):
    try:
        action(path)
    except OSError:
        pass
