# Python imports this at its start because tk put its folder first into PYTHONPATH. It starts tk's line recorder
# and hands on to the sitecustomize it hides, if there is one. It is read by every Python since 2.7 and must never fail:
# what goes wrong becomes a note for tk, never a line of the program's output.
import os
import sys


def _tk_note(directory, sentence):
    """A recording that says only why there is none; see `ID.meta` in docs/lines-python.md."""
    import time

    pid = os.getpid()
    now = int(getattr(time, "monotonic", lambda: 0)() * 1e9)
    words = [str(pid), str(os.getppid()), str(now), str(int(time.time() * 1e9))]
    words += [sys.version.split()[0], str(sys.executable).replace("%", "%25"), "none", ""]
    for control in "\t\n\r":
        words = [w.replace(control, "%%%02X" % ord(control)) for w in words]
        sentence = sentence.replace(control, " ")
    text = "P\t" + "\t".join(words) + "\nN\t" + sentence.replace("%", "%25") + "\n"
    if not isinstance(text, bytes):
        text = text.encode("utf-8", "surrogateescape")
    name = "%s/%d-%x.meta" % (directory, pid, now or int(time.time() * 1e9))
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)


def _tk_start(here, directory):
    if sys.version_info < (3, 7):
        return _tk_note(directory, "Python %s is too old to be recorded: 3.7 is needed" % sys.version.split()[0])
    if getattr(sys, "implementation", None) is None or sys.implementation.name != "cpython":
        return _tk_note(directory, "only CPython is recorded, this is %s" % sys.implementation.name)
    sys.path.insert(0, here)
    write = sys.dont_write_bytecode
    prefix = getattr(sys, "pycache_prefix", None)
    # Compiled code in our own folder, whatever the program wants for its own: without it each Python compiles us again.
    sys.dont_write_bytecode = False
    if write or prefix is not None:
        # What we import of the standard library, too, where it is not to be written beside it.
        sys.pycache_prefix = here
    try:
        import tk_trackexec

        tk_trackexec._boot(directory, here)
    finally:
        sys.dont_write_bytecode = write
        if hasattr(sys, "pycache_prefix"):
            sys.pycache_prefix = prefix
        if here in sys.path:
            sys.path.remove(here)


def _tk_uncache(cached, here):
    """Python has kept this file's compiled form by now: with `pycache_prefix` where we would leave it behind."""
    folder = os.path.dirname(cached)
    if not getattr(sys, "pycache_prefix", None) or os.path.dirname(folder) == here or not folder.endswith(here):
        return
    try:
        os.unlink(cached)
        while folder != os.path.abspath(sys.pycache_prefix):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        pass  # another Python was quicker, or something else is in there


def _tk_boot():
    here = os.path.dirname(os.path.abspath(__file__))
    me = sys.modules.pop("sitecustomize", None)
    sys.path[:] = [p for p in sys.path if os.path.abspath(p) != here]
    _tk_uncache(globals().get("__cached__") or "", here)
    directory = os.environ.get("TK_LINES_DIR")
    if directory:
        try:
            _tk_start(here, directory)
        except Exception as error:
            try:
                _tk_note(directory, "the line recorder did not start: %s: %s" % (type(error).__name__, error))
            except Exception:
                pass
    try:
        import sitecustomize  # the one that ours hides
    except ImportError as error:
        # Python's site reads this name again; one that itself fails is reported as without us.
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            sys.modules["sitecustomize"] = me
            raise
    if "sitecustomize" not in sys.modules:
        sys.modules["sitecustomize"] = me


try:
    _tk_boot()
finally:
    del _tk_boot, _tk_start, _tk_note, _tk_uncache
