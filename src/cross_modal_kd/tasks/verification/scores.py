"""Cosine scores of trials."""

import numpy as np
import pandas as pd

AT_ONCE = 100_000


def trial_rows(rows: pd.DataFrame, trials: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions in ``rows`` of both sides of every trial. Raises ValueError for a trial whose sample is not there."""
    index = pd.Index(rows["sample_id"])
    enrol, test = (index.get_indexer(trials[side]) for side in ("enrol_id", "test_id"))
    unknown = (enrol < 0) | (test < 0)
    if unknown.any():
        first = trials[unknown].iloc[0]
        raise ValueError(
            f"trials: {unknown.sum()} name samples that are not in the test split, the first is {first['enrol_id']!r} "
            f"with {first['test_id']!r}; make the trials again (kedro run --pipeline=evaluation)"
        )
    return enrol, test


def cosine_scores(unit: np.ndarray, enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """(n,) cosines of the rows ``enrol`` and ``test`` of (N, d) unit vectors, a block at a time."""
    parts = [
        np.einsum("nd,nd->n", unit[enrol[start : start + AT_ONCE]], unit[test[start : start + AT_ONCE]])
        for start in range(0, len(enrol), AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=unit.dtype)
