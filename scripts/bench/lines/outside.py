# A selected program that does everything in a library that is not selected.
from untraced import vm


def main(rounds=10):
    total = 0
    for _ in range(rounds):
        total += vm.main(30)
    return total
