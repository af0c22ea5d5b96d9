"""Arguments that cannot be measured are refused by name."""

import numpy as np
from numpy.typing import ArrayLike


def finite(values: ArrayLike, name: str, ndim: int = 1) -> np.ndarray:
    """The values as float64, if they are numbers.

    Args:
        values: Of any type that NumPy reads.
        name: What they are called, for the message.
        ndim: The number of dimensions that is expected.

    Returns:
        An array of ``ndim`` dimensions, not empty.

    Raises:
        ValueError: If empty, of another number of dimensions, or with NaN or infinity inside.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim or not array.size:
        raise ValueError(f"{name}: expected a non-empty array of {ndim} dimension(s), found shape {array.shape}")
    if not np.isfinite(array).all():
        where = np.flatnonzero(~np.isfinite(array.ravel()))
        raise ValueError(f"{name}: expected finite numbers, found {len(where)} NaN or infinite (first at {where[0]})")
    return array


def same_length(values: ArrayLike, like: np.ndarray, name: str, like_name: str) -> np.ndarray:
    """The values as an array, if there is one for each row of another.

    Args:
        values: (n,) of any kind.
        like: The other array, n rows.
        name: What the values are called, for the message.
        like_name: What the other array is called.

    Returns:
        (n,).

    Raises:
        ValueError: Unless it has one dimension and is as long as ``like``.
    """
    array = np.asarray(values)
    if array.shape != (len(like),):
        raise ValueError(f"{name}: expected shape ({len(like)},) as {like_name} has rows, found {array.shape}")
    return array


def class_indices(labels: ArrayLike, like: np.ndarray, classes: int, name: str, like_name: str) -> np.ndarray:
    """The labels as indices, if they are some.

    Args:
        labels: (n,) integers in [0, classes).
        like: The array whose rows they belong to, n rows.
        classes: How many there are.
        name: What the labels are called, for the message.
        like_name: What the other array is called.

    Returns:
        (n,) of NumPy's own index type.

    Raises:
        ValueError: Unless they are integers in the range, one for each row.
    """
    array = same_length(labels, like, name, like_name)
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= classes:
        raise ValueError(
            f"{name}: expected integers from 0 to {classes - 1}, found {array.dtype} {array.min()} to {array.max()}"
        )
    return array.astype(np.intp)


def sample_weights(weights: ArrayLike | None, like: np.ndarray, like_name: str) -> np.ndarray:
    """The weights as float64, if they are some.

    Args:
        weights: (n,) >= 0, not all 0; None is ones.
        like: The array whose rows they belong to, n rows.
        like_name: What it is called, for the message.

    Returns:
        (n,).

    Raises:
        ValueError: If one is below 0 or not finite, all are 0, or their number is another.
    """
    if weights is None:
        return np.ones(len(like))
    array = finite(same_length(weights, like, "weights", like_name), "weights")
    if (array < 0).any() or not array.any():
        raise ValueError(f"weights: expected numbers >= 0, not all 0, found {array.min()} to {array.max()}")
    return array
