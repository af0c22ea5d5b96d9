"""Wild values, and a tree of JSON with one of them in any place of it: a damaged or a hostile configuration."""

import copy
from collections.abc import Iterator
from typing import Any


def nested(depth: int, *, inside: Any = 0) -> Any:
    """A list of a list of a list."""
    for _ in range(depth):
        inside = [inside]
    return inside


WILD = [
    None, True, False, 0, -1, 1, 3, 10**9, 10**18, 10**40, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x", "1",
    "../..", "hf-hub:timm/x", "http://127.0.0.1:9/x", "\0", "\ud800", "é" * 10_000, [], [None], [0], [10**12], [[1]],
    [1] * 10_000, {}, {"a": 1}, {"__reduce__": "os.system"}, nested(12), nested(400), nested(900),
]  # fmt: skip


def places(tree: Any, at: tuple = ()) -> Iterator[tuple]:
    """The path of every value of a tree, its own first."""
    yield at
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield from places(tree[key], (*at, key))


def with_value(tree: Any, place: tuple, value: Any) -> Any:
    """The tree with another value there."""
    if not place:
        return value
    tree = copy.copy(tree)
    tree[place[0]] = with_value(tree[place[0]], place[1:], value)
    return tree


def without(tree: Any, place: tuple) -> Any:
    """The tree without that value."""
    tree = copy.copy(tree)
    if len(place) == 1:
        del tree[place[0]]
    else:
        tree[place[0]] = without(tree[place[0]], place[1:])
    return tree
