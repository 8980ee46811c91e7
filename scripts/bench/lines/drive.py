# drive.py PROGRAM ROUNDS [OLDER-DIRECTORY]: runs a program of the package `traced` and prints the CPU seconds of its `main` alone, without
# start, imports and what a recorder does at the end. With a directory the older recorder records into it, in this process.
import importlib
import sys
import time

SIZES = {
    "mandel": {"size": 100},
    "vm": {"limit": 200},
    "json": {"rounds": 30},
    "algos": {"size": 50},
    "unparse": {"rounds": 6},
    "aio": {"clients": 10, "rounds": 150},
    "outside": {"rounds": 40},
}

name, older = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
program = importlib.import_module("traced." + name)
start, stop = (lambda: None), (lambda: None)
if older:
    import pathlib

    from walt.server.trackexec import record, stop

    package = sys.modules["traced"]
    start = lambda: record(package, pathlib.Path(older))  # noqa: E731
program.main(**SIZES[name])  # warm: caches, specialised bytecode
start()
began = time.process_time()
program.main(**SIZES[name])
used = time.process_time() - began
stop()
print(used)
