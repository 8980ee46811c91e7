# The standard library's json in Python, as it pretty-prints: generators inside generators. The copy is made by the bench.
from . import copied_json

DATA = {
    "names": ["a%d" % i for i in range(20)],
    "rows": [
        {"id": i, "value": i / 7, "tags": ["x", "y\n", None, True], "nested": {"deep": [[i], {"k": "v"}]}}
        for i in range(60)
    ],
}


def main(rounds=6):
    return sum(len(copied_json.dumps(DATA, indent=2, sort_keys=True)) for _ in range(rounds))
