# Code of all origins; run in an empty directory.
import ast, collections, os, sys, threading
def work(n):
    x = 0
    for i in range(n):
        x += i
    return x
threads = [threading.Thread(target=work, args=(5,)) for _ in range(100)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for i in range(300):  # code that comes and goes: the next has the address of the last
    exec(compile("def made%d():\n    return %d\nmade%d()\n" % (i, i, i), "<made>", "exec"), {"__name__": "__main__"})
def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())
write("vanishing.py", b"def call():\n    return 1\n")
import vanishing
os.unlink("vanishing.py")
vanishing.call()
write("latin.py", b"# -*- coding: latin-1 -*-\ns = '\xe9t\xe9'\n")
import latin
write("longer.py", b"\n" * 70000 + b"def far():\n    return 7\n")
import longer
longer.far()
tree = ast.parse("def nowhere():\n    return 3\n")
for node in ast.walk(tree):
    if hasattr(node, "lineno"):
        node.lineno = node.end_lineno = node.col_offset = node.end_col_offset = 0
names = {"__name__": "__main__"}
exec(compile(tree, "<nowhere>", "exec"), names)
names["nowhere"]()
os.chdir("/")
def later():
    return collections.namedtuple("Pair", "a b")(1, 2)
later()
print("odd")
