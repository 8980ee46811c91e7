# Engine `fast`: selected modules are compiled with a call per statement in them (`_tk_rewrite.py`) when they are imported; what the
# calls do is in `_tk_calls.py`. Streams are those of `exact`. What is not selected runs as if nobody recorded.
# Selected code that is not imported from a plain source file (`__main__`, other loaders) is left to `_tk_rest.py`.
import ast
import os
import sys
import types
import warnings
from _thread import get_ident
from importlib.util import cache_from_source
from importlib.machinery import PathFinder, SourceFileLoader

import _tk_rewrite as names
from _tk_calls import calls, writer


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
        self.writers = {}  # thread → its stream and `forget`
        self.functions, self.here = calls(self.begin_thread)
        self.modules = []  # (path, names of the module, its table of code, the number of its first)
        self.owners = []  # rewritten code objects and the words of entering them
        self.rewritten_files = set()
        self.light_lines = set()  # of all files together; what is light in one is seldom heavy in another
        self.left = {}  # (path, first line) → why this function is not rewritten
        self.declaring = set()  # threads that tell of code just now
        self.rest = None

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
        if hasattr(sys, "monitoring"):
            from _tk_rest import Rest

            self.rest = Rest(self)
        elif sys.version_info < (3, 8) or self.runs_selected(frame):
            # Here only settrace could record the script itself, and it would slow down all code as `exact` does.
            self.recorder.engine_name = "exact"
            self.recorder.engine = sys.modules[type(self.recorder).__module__].exact(self.recorder)
            return self.recorder.engine.start(frame)
        position = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(position, Finder(self))
        if self.rest:
            self.rest.start(frame)

    def runs_selected(self, frame):
        """Whether the script that Python was given is selected, or code that runs already; before 3.12 they are out of our reach."""
        while frame is not None:
            if self.recorder.enter(frame.f_code, frame.f_globals):
                return True
            frame = frame.f_back
        running = sys.modules[type(self.recorder).__module__]._running()
        if running.startswith("-m "):
            return False  # runpy asks our loader
        path = self.recorder.selection.path(running) if running not in ("-c", "", "-") else "<stdin>"
        return self.recorder.selection.wants(path, {"__name__": "__main__", "__file__": path})

    def stop(self):
        sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "engine", None) is not self]
        if self.rest:
            self.rest.stop()
            return
        missed = []
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.endswith(".py") and path not in self.rewritten_files and self.wants(name, path):
                missed.append(name)
        if missed:
            more = " and %d more" % (len(missed) - 10) if len(missed) > 10 else ""
            self.recorder.note("not imported through a plain source file, so engine fast did not see: %s%s" % (", ".join(missed[:10]), more))

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
        if self.rest:
            self.rest.forked()

    def declare(self, path, names_, table, first=None):
        """Tells of a module's code; the number of its first."""
        recorder = self.recorder
        self.declaring.add(get_ident())
        try:
            with recorder.lock:
                file = recorder.file(path, names_)
                if first is None:
                    first = recorder.codes
                recorder.codes = max(recorder.codes, first + len(table))
                recorder.tell(*(("C", first + i, file, line, name) for i, (line, name) in enumerate(table)))
        finally:
            self.declaring.discard(get_ident())
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
        light = set()
        try:
            tree = names.rewrite(ast.parse(data, path), word, lambda *what: left.append(what), light)
            code = compile(tree, path, "exec", dont_inherit=True)
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            return None  # what is wrong with it, the loader says
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
        self.light_lines |= light
        self.rewritten_files.add(path)
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
            data = self.get_data(path)
            with warnings.catch_warnings():
                if os.path.exists(self.cached(path)):
                    # Read from its cache, the module would not be warned about again.
                    warnings.simplefilter("ignore")
                code = self.engine.rewritten(fullname, path, data)
        except (ImportError, OSError):
            pass
        return super().get_code(fullname) if code is None else code


    def cached(self, path):
        try:
            return cache_from_source(path)
        except NotImplementedError:
            return ""


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
