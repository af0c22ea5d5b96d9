"""Rows of unit length."""

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
