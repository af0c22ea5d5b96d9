"""Arguments that cannot be measured are refused by name."""

import numpy as np
from numpy.typing import ArrayLike


def finite(values: ArrayLike, name: str, ndim: int = 1) -> np.ndarray:
    """``values`` as float64.

    Args:
        values: Numbers.
        name: Of the argument, for the message.
        ndim: Number of dimensions that it must have.

    Returns:
        The array, not empty, without NaN or infinity.

    Raises:
        ValueError: Naming the argument, if it is empty, of another number of dimensions, or not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim or not array.size:
        raise ValueError(f"{name}: expected a non-empty array of {ndim} dimension(s), found shape {array.shape}")
    if not np.isfinite(array).all():
        where = np.flatnonzero(~np.isfinite(array.ravel()))
        raise ValueError(f"{name}: expected finite numbers, found {len(where)} NaN or infinite (first at {where[0]})")
    return array


def same_length(values: ArrayLike, like: np.ndarray, name: str, like_name: str) -> np.ndarray:
    """``values`` as an array of one dimension that is as long as another.

    Args:
        values: (n,) of any kind.
        like: (n, ...) array that it belongs to.
        name: Of the argument, for the message.
        like_name: Of what it belongs to, for the message.

    Returns:
        (n,) the array.

    Raises:
        ValueError: Naming both, if the lengths differ.
    """
    array = np.asarray(values)
    if array.shape != (len(like),):
        raise ValueError(f"{name}: expected shape ({len(like)},) as {like_name} has rows, found {array.shape}")
    return array


def class_indices(labels: ArrayLike, like: np.ndarray, classes: int, name: str, like_name: str) -> np.ndarray:
    """``labels`` as indices of classes.

    Args:
        labels: (n,) integers in [0, C).
        like: (n, ...) array that they belong to.
        classes: C.
        name: Of the argument, for the message.
        like_name: Of what it belongs to, for the message.

    Returns:
        (n,) of NumPy's index type.

    Raises:
        ValueError: Naming the argument, if the lengths differ or a label is no integer in [0, C).
    """
    array = same_length(labels, like, name, like_name)
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= classes:
        raise ValueError(
            f"{name}: expected integers from 0 to {classes - 1}, found {array.dtype} {array.min()} to {array.max()}"
        )
    return array.astype(np.intp)


def sample_weights(weights: ArrayLike | None, like: np.ndarray, like_name: str) -> np.ndarray:
    """``weights`` as an array.

    Args:
        weights: (n,) numbers >= 0, not all 0; None is ones.
        like: (n, ...) array that they belong to.
        like_name: Of what they belong to, for the message.

    Returns:
        (n,) float64.

    Raises:
        ValueError: If the lengths differ, or a weight is negative, or all are 0.
    """
    if weights is None:
        return np.ones(len(like))
    array = finite(same_length(weights, like, "weights", like_name), "weights")
    if (array < 0).any() or not array.any():
        raise ValueError(f"weights: expected numbers >= 0, not all 0, found {array.min()} to {array.max()}")
    return array
