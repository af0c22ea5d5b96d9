"""Rows of unit length, and a few of each class."""

import numpy as np


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1.

    Args:
        values: (n, d) floats.

    Returns:
        (n, d) of the same type; a row of zeros stays, and one shorter than 1e-12 remains shorter than 1. A row whose
        length is none in its type (above 256 in float16, say) is divided by its largest magnitude first.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
    lost = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    scaled = lost[np.isfinite(values[lost]).all(axis=1) & values[lost].any(axis=1)]
    lengths[lengths == 0] = 1
    found = values / lengths.clip(1e-12)
    if scaled.size:
        near = values[scaled] / np.abs(values[scaled]).max(axis=1, keepdims=True)
        found[scaled] = near / np.linalg.norm(near.astype(np.float64), axis=1, keepdims=True)
    return found


def first_of_each(index: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """A draw of so many rows of each class; it depends on the order of the rows alone.

    Args:
        index: (n,) integers >= 0, the class of each row.
        count: Rows that are drawn of a class, or all of it where it has fewer.
        rng: Of the draw, one permutation of the rows.

    Returns:
        (n,) bool.

    >>> first_of_each(np.array([0, 1, 0, 1]), 2, np.random.default_rng(0)).tolist()
    [True, True, True, True]
    """
    order = rng.permutation(len(index))
    grouped = order[np.argsort(index[order], kind="stable")]
    sizes = np.bincount(index)
    place = np.arange(len(index)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen = np.zeros(len(index), dtype=bool)
    chosen[grouped[place < count]] = True
    return chosen
