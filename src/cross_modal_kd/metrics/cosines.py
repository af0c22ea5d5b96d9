"""Cosines of unit vectors without holding all of them: of listed pairs, and of every pair block by block."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PAIRED_NUMBERS = 1 << 18  # of each side of a block of pairs: 1 MiB of float32, which stays in a core's cache
COSINES = 8_000_000  # of a block of rows: 32 MB of float32


def cosine_scores(unit: np.ndarray, enrol: np.ndarray, test: np.ndarray, numbers: int = PAIRED_NUMBERS) -> np.ndarray:
    """Cosines of pairs of rows, in blocks that stay in the processor's cache; they do not depend on the blocks.

    Args:
        unit: (N, d) unit vectors.
        enrol: (n,) row of the enrolment in each pair.
        test: (n,) row of the test sample in each pair.
        numbers: of each side that are copied at a time, at least those of one pair.

    Returns:
        (n,) scores in [-1, 1], of the dtype of ``unit``; higher is more alike. Beyond them memory does not grow.

    >>> cosine_scores(np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([0, 1]), np.array([1, 1])).tolist()
    [0.6, 1.0]
    """
    scores = np.empty(len(enrol), dtype=unit.dtype)
    step = max(numbers // unit.shape[1], 1)
    for start in range(0, len(enrol), step):
        part = slice(start, start + step)
        np.einsum("nd,nd->n", unit[enrol[part]], unit[test[part]], out=scores[part])
    return scores


@dataclass(frozen=True)
class Cosines:
    """The (Q, G) cosines of every query with every item, of which a block of rows at a time is worked out.

    It stands where a matrix of similarities does: what takes it needs memory for one block, not for Q G numbers.

    queries: (Q, d) unit vectors, finite. items: (G, d) unit vectors, finite. at_once: cosines of a block, at most,
    where a row has fewer. Raises ValueError where shapes do not fit or a number is not finite.
    """

    queries: np.ndarray
    items: np.ndarray
    at_once: int = COSINES

    def __post_init__(self) -> None:
        if self.queries.ndim != 2 or self.items.ndim != 2 or self.queries.shape[1] != self.items.shape[1]:
            raise ValueError(
                f"queries, items: expected shapes (Q, d) and (G, d), found {self.queries.shape} and {self.items.shape}"
            )
        for name in ("queries", "items"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name}: expected finite numbers, found NaN or infinite ones")

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, G)."""
        return len(self.queries), len(self.items)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The rows of each block, and their cosines (rows, G)."""
        for rows in row_blocks(*self.shape, self.at_once):
            yield rows, self.queries[rows] @ self.items.T

    def at(self, queries: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Single cosines, the very numbers of the blocks.

        Args:
            queries: (n,) rows, in any order.
            items: (n,) columns.

        Returns:
            (n,).
        """
        found = np.empty(len(queries), dtype=np.result_type(self.queries, self.items))
        order = np.argsort(queries, kind="stable")
        ordered = queries[order]
        for rows, block in self.blocks():
            wanted = order[np.searchsorted(ordered, rows.start) : np.searchsorted(ordered, rows.stop)]
            found[wanted] = block[queries[wanted] - rows.start, items[wanted]]
        return found


def row_blocks(rows: int, columns: int, at_once: int = COSINES) -> Iterator[slice]:
    """Slices of the rows of a matrix, one after another.

    Args:
        rows: Of the matrix.
        columns: Of the matrix, at least 1.
        at_once: Numbers of a block, at most, where a row has fewer.

    Yields:
        Slices that cover all rows.

    >>> list(row_blocks(3, 4, at_once=8))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(at_once // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
