# Its trace function is taken off while frames of the standard library, which nobody selects, are open or suspended with it.
import copy
import os
import sys

seen = []


def tracer(frame, event, value):
    seen.append(event)
    return tracer


class Stops:
    def __deepcopy__(self, memo):
        sys.settrace(None)
        return len(seen)


walk = os.walk(os.path.dirname(os.path.abspath(__file__)), topdown=False)
sys.settrace(tracer)
next(walk)
copied = copy.deepcopy([[Stops()], [1, 2], {3: 4}])
print(copied[0][0] > 10, len(seen) == copied[0][0])
list(walk)
print(len(seen) == copied[0][0])
