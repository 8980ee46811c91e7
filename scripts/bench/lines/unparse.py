# The standard library's ast.unparse on one of its own files. The copy is made by the bench.
import os

from . import copied_ast


def main(rounds=1):
    with open(os.path.join(os.path.dirname(__file__), "copied_text.py")) as file:
        tree = copied_ast.parse(file.read())
    return sum(len(copied_ast.unparse(tree)) for _ in range(rounds))
