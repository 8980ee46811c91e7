# One of everything that enters and leaves frames; tests/cli/lines_python.test.ts knows the recording by heart.
def numbers(n):
    for i in range(n):
        yield i
    return None
def tries(x):
    try:
        if x: raise ValueError(x)
        return 1
    except ValueError:
        return None
def fails():
    tries(0); tries(1)
    raise KeyError
try:
    fails()
except KeyError: pass
x = numbers(4); next(x); x.close()
print(sum(numbers(2)))
exec("a=1\nb=2")
print("end")
