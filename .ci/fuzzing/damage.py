"""Damage that any file may have."""

import random
from typing import Any

ODD = (
    None,
    True,
    0,
    -1,
    1e309,
    float("nan"),
    10**30,
    -0.5,
    "",
    "x",
    "1",
    "../x",
    "a\0b",
    [],
    {},
    [[]],
    [None],
    {"a": []},
    "9" * 5000,
    2**63,
)


def damaged(rng: random.Random, content: bytes) -> tuple[bytes, str]:  # what it became, and in a word how
    "One of the ways in which a file is damaged"
    size = max(1, len(content))
    at, end = sorted((rng.randrange(size), rng.randrange(size)))
    how = rng.choice(["bits", "bits", "bytes", "cut", "cut", "zeros", "gap", "twice", "swapped", "empty", "text", "tail"])
    if how == "bits":
        found = bytearray(content)
        for _ in range(rng.choice([1, 1, 3, 20])):
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
        return bytes(found), how
    changed = {
        "bytes": content[:at] + rng.randbytes(min(16, size)) + content[at + 16 :],
        "cut": content[:at],
        "zeros": content[:at] + bytes(end - at) + content[end:],
        "gap": content[:at] + content[end:],
        "twice": content[:end] + content[at:],
        "swapped": content[at:] + content[:at],
        "empty": b"",
        "text": b"<html>please sign in</html>",
        "tail": content + rng.randbytes(rng.choice([1, 100, 5000])),
    }
    return changed[how], how


def places(value: Any, path: tuple = ()) -> list[tuple]:
    "The path of every value in nested JSON"
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, each in inner for place in places(each, (*path, key))]


def put(value: Any, path: tuple, new: Any) -> None:
    "Change one value in nested JSON"
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new
