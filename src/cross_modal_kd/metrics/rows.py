"""Rows of unit length, and a few of each class."""

import numpy as np


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1.

    Args:
        values: (n, d) floats.

    Returns:
        (n, d) of the same type; a row of zeros stays.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)


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
