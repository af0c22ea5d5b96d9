"""Rows of unit length."""

import numpy as np


def unit_rows(values: np.ndarray) -> np.ndarray:
    """(n, d) rows of length 1; a row of zeros stays."""
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
