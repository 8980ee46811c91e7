"""Exceptions: through frames, caught, from finally, their tracebacks."""
import traceback


def deep(n):
    if n == 0:
        return {}["missing"]
    return deep(n - 1)


def cleans(log):
    try:
        deep(2)
    finally:
        log.append("cleaned")  # differs


def chooses(error):
    try:
        raise error
    except (ValueError, TypeError):
        return "value"
    except KeyError as e:
        return str(e)
    else:
        return "none"


def overrides():
    try:
        return 1
    finally:
        return 2


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is KeyError


def managed():
    with Manager() as m:  # differs
        deep(1)
    with Manager():  # differs
        return m is not None


def chain():
    try:
        deep(0)
    except KeyError as error:
        raise ValueError("chained") from error


def main():
    log = []
    try:
        cleans(log)
    except KeyError:
        log.append("caught")
    print(log, chooses(ValueError()), chooses(KeyError(3)), overrides(), managed())
    for function in (chain, lambda: cleans(log)):  # differs
        try:
            function()
        except Exception:
            print(traceback.format_exc())


main()
