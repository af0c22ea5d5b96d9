"""Rows of unit length."""

import numpy as np


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays.

    Args:
        values: (n, d).

    Returns:
        (n, d) of the same type.
    """
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
