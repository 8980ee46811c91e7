# Engine `fast`, from Python 3.12: selected code that was not rewritten (the script itself, modules of other loaders or imported
# before us, functions left as they are) is recorded exactly, by monitoring events of just that code, into the same streams.
import sys
from _thread import get_ident

from _tk_calls import OURS

FILE = (lambda: 0).__code__.co_filename
FOLDER = FILE[: -len("_tk_rest.py")]
OURS.add(FILE)
RETURN, LEAVE, UNWIND = -1, -2, -3


class Rest:
    def __init__(self, engine):
        self.engine = engine
        self.recorder = engine.recorder
        put = engine.functions["\0tk:put"]

        def quietly(word):
            try:
                put(word)
            except RecursionError:
                pass  # at the limit the program has its own to come

        self.put = quietly
        self.words = {}  # id(code) → word of what is recorded here
        self.watched = []
        self.selected = []  # (code, what of its globals tells that it is selected)
        self.waiting = set()  # threads in `<idle>`
        self.tool = None

    def start(self, frame):
        monitoring = sys.monitoring
        events = monitoring.events
        self.tool = next((tool for tool in (4, 3) if monitoring.get_tool(tool) is None), None)
        if self.tool is None:
            self.recorder.note("recorded is only what is imported: the tool numbers of sys.monitoring are taken")
            return
        monitoring.use_tool_id(self.tool, "tk")
        self.local = events.LINE | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME
        callbacks = {
            events.PY_START: self.begins,
            events.PY_RESUME: self.resumes,
            events.PY_THROW: self.resumes,
            events.PY_RETURN: self.returns,
            events.PY_YIELD: self.leaves,
            events.PY_UNWIND: self.unwinds,
            events.LINE: self.line,
        }
        for event, callback in callbacks.items():
            monitoring.register_callback(self.tool, event, callback)
        monitoring.set_events(self.tool, events.PY_START)
        while frame is not None:
            self.look(frame.f_code, frame.f_globals)
            frame = frame.f_back

    def stop(self):
        monitoring = sys.monitoring
        if self.tool is None or monitoring.get_tool(self.tool) != "tk":
            return
        monitoring.set_events(self.tool, 0)
        for code in self.watched:
            monitoring.set_local_events(self.tool, code, 0)
        for name in ("PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND", "LINE"):
            monitoring.register_callback(self.tool, getattr(monitoring.events, name), None)
        monitoring.free_tool_id(self.tool)

    def forked(self):
        """In the child the same code has other numbers; its events are still on."""
        self.waiting.clear()
        for code, about in self.selected:
            self.words[id(code)] = self.recorder.enter(code, about)

    def look(self, code, about):
        """Code seen for the first time: the word of entering it; 0 when it is not recorded here, () when event loops wait in it."""
        if code.co_filename.startswith(FOLDER):
            return 0
        engine = self.engine
        if code.co_filename in engine.rewritten_files and (code.co_filename, code.co_firstlineno) not in engine.left:
            return 0
        word = self.recorder.enter(code, about)
        events = sys.monitoring.events
        if word:
            self.selected.append((code, {name: about.get(name) for name in ("__name__", "__file__", "__spec__")}))
            self.watch(code, self.local)
            # These two cannot be had for single code objects, and cost a look-up wherever an exception passes.
            sys.monitoring.set_events(self.tool, events.PY_START | events.PY_UNWIND | events.PY_THROW)
        elif word == ():
            self.watch(code, events.PY_START | events.PY_RETURN)
        else:
            return 0
        self.words[id(code)] = word
        return word

    def watch(self, code, events):
        self.watched.append(code)
        sys.monitoring.set_local_events(self.tool, code, events)

    def begins(self, code, offset):
        word = self.words.get(id(code))
        if word is None:
            if get_ident() in self.engine.declaring:
                return None  # the recorder calls library functions too, and holds its lock
            try:
                word = self.look(code, sys._getframe(1).f_globals)
            except RecursionError:
                return None
            if word == 0:
                return sys.monitoring.DISABLE
        if word:
            self.put(word)
        else:
            self.idle(sys._getframe(1).f_back)

    def idle(self, caller):
        """`select` begins: of an event loop, if the standard library does not use it for something else."""
        module = caller.f_globals.get("__name__", "") if caller is not None else ""
        word = module not in ("subprocess", "multiprocessing.connection", "selectors") and self.recorder.idle()
        if word:
            self.waiting.add(get_ident())
            self.put(word)

    def ends(self, code, word):
        if self.words.get(id(code)):
            self.put(word)
        elif self.waiting and code.co_name == "select" and get_ident() in self.waiting:
            self.waiting.discard(get_ident())
            self.put(word)

    def returns(self, code, offset, value):
        self.ends(code, RETURN)

    def unwinds(self, code, offset, error):
        self.ends(code, UNWIND)

    def resumes(self, code, offset, error=None):
        word = self.words.get(id(code))
        if word:
            self.put(word)

    def leaves(self, code, offset, value):
        self.put(LEAVE)

    def line(self, code, number):
        self.put(number)
