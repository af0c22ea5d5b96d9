"""Embeddings of samples, found by sample id."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cross_modal_kd.samples.errors import first_few

BLOCK = 2**14
"""Rows that are looked at together."""


@dataclass(frozen=True)
class EmbeddingTable:
    """One embedding per sample.

    sample_ids: N unique ids. values: (N, D) finite float32, in memory or mapped from a file. fingerprint: of the
    weights, transform and samples that made them. Raises ValueError for ids that repeat, a shape that does not fit, or
    values that are not finite.
    """

    sample_ids: list[str]
    values: np.ndarray
    fingerprint: str

    def __post_init__(self) -> None:
        ids, values = list(self.sample_ids), np.asarray(self.values, dtype=np.float32)
        if values.ndim != 2 or len(values) != len(ids):
            raise ValueError(f"embedding values must have shape (N, D) with N = {len(ids)} ids, found {values.shape}")
        if len(set(ids)) != len(ids):
            repeated = [sample for sample, count in Counter(ids).items() if count > 1]
            raise ValueError(f"sample_ids of an embedding table must be unique; repeated: {first_few(repeated)}")
        blocks = range(0, len(values), BLOCK)
        finite = [np.isfinite(values[start : start + BLOCK]).all(axis=1) for start in blocks]
        if not all(block.all() for block in finite):
            bad = [ids[row] for row in np.flatnonzero(~np.concatenate(finite))]
            raise ValueError(f"embeddings must be finite; NaN or infinite for {first_few(bad)}: look at these samples")
        object.__setattr__(self, "sample_ids", ids)
        object.__setattr__(self, "values", values)

    @cached_property
    def _row(self) -> pd.Index:
        return pd.Index(self.sample_ids, dtype="str")

    @property
    def dim(self) -> int:
        """D, the length of one embedding."""
        return self.values.shape[1]

    def __len__(self) -> int:
        return len(self.sample_ids)

    def at(self, ids: Iterable[str]) -> np.ndarray:
        """Embeddings of some samples, in their order.

        Args:
            ids: n sample ids.

        Returns:
            (n, D) float32.

        Raises:
            KeyError: Naming the ids that are not in the table.
        """
        wanted = pd.Index(list(ids), dtype="str")
        rows = self._row.get_indexer(wanted)
        if (rows < 0).any():
            raise KeyError(f"no embedding of {first_few(wanted[rows < 0])} in this table of {len(self)}")
        return np.asarray(self.values[rows])
