"""Rows of unit length, those that are alike, and a few of each class."""

import numpy as np

ALIKE = 1e-4
"""By how much no number of two rows of unit length may differ for them to be one: more than rounding makes, in whatever
batch a row stood, and less than any difference that a student could be taught."""
BLOCK = 2**14


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


def alike_rows(values: np.ndarray) -> np.ndarray:
    """Which rows are one and the same, whatever their length.

    Rows are put in order along one direction, drawn once for all, and each is compared with the next: those that are
    alike lie side by side. Another one, that happens to lie between two of them, does not along a second direction.
    Memory: O(n), and a block of rows.

    Args:
        values: (n, d) finite floats.

    Returns:
        (n,) integers from 0: the same one of two rows that are alike.

    >>> alike_rows(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])).tolist()
    [0, 1, 0]
    """
    codes = _side_by_side(values, np.arange(len(values)), 0)
    return _side_by_side(values, np.unique(codes, return_index=True)[1], 1)[codes]


def _side_by_side(values: np.ndarray, chosen: np.ndarray, seed: int) -> np.ndarray:
    """(m,) the same integer of those of the chosen rows that lie side by side along one direction and are alike."""
    direction = np.random.default_rng(seed).standard_normal(values.shape[1])

    def rows(places: np.ndarray) -> np.ndarray:
        return unit_rows(np.asarray(values[chosen[places]], dtype=np.float64))

    blocks = range(0, len(chosen), BLOCK)
    along = [rows(np.arange(at, min(at + BLOCK, len(chosen)))) @ direction for at in blocks]
    order = np.argsort(np.concatenate([*along, np.zeros(0)]), kind="stable")
    new = np.zeros(len(chosen), dtype=bool)
    for at in blocks:
        steps = np.abs(np.diff(rows(order[max(at - 1, 0) : at + BLOCK]), axis=0))
        new[max(at, 1) : at + BLOCK] = (steps > ALIKE).any(axis=1)
    codes = np.empty(len(chosen), dtype=np.int64)
    codes[order] = np.cumsum(new)
    return codes


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
