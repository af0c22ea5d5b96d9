"""Verification trials: all target pairs, and a seeded draw of impostor pairs that never lists them all."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig
from cross_modal_kd.samples import SamplesError

AT_ONCE = 2**20
"""Trials whose two samples are looked up together."""
MOST_LISTED = 2**26
"""Impostor pairs that may be listed for a draw, 512 MB."""


def draw_trials(rows: pd.DataFrame, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Unordered pairs of ``rows``, each at most once: all targets, then a seeded draw of impostors.

    Every pair of one label is a target (1). Of all pairs of two labels, ``evaluation.max_impostors`` are drawn without
    replacement (0). ``same_domain``: both domains are known and equal. Memory grows with the trials, not with the
    square of the samples.

    Args:
        rows: samples, with the columns sample_id, label and domain (null where it is not known); their order has no
            effect.
        evaluation: ``max_impostors``; ``impostors``: from ``any`` pair, or from the ``same_domain`` only; ``seed``.

    Returns:
        A row a trial: enrol_id, test_id, target (1 or 0), enrol_label, test_label, same_domain; enrol_id sorts before
        test_id.

    Raises:
        SamplesError: ``evaluation.impostors`` is ``same_domain`` and no two labels share a known domain.
    """
    rows = rows[["sample_id", "label", "domain"]].sort_values("sample_id", ignore_index=True)
    label, names = pd.factorize(rows["label"])
    domain = pd.factorize(rows["domain"])[0]
    everything = np.zeros(len(rows), dtype=np.intp)
    targets = _Pairs(label, everything, same_label=True)
    if evaluation.impostors == "same_domain":
        known = np.flatnonzero(domain >= 0)
        impostors = _Pairs(label[known], domain[known], same_label=False)
        if not impostors.total:
            raise SamplesError(
                "evaluation.impostors is 'same_domain', but no two labels of the test split share a domain; give the "
                "samples a domain, or set it to 'any'"
            )
    else:
        known, impostors = np.arange(len(rows)), _Pairs(label, everything, same_label=False)
    drawn = np.sort(_drawn(impostors.total, min(evaluation.max_impostors, impostors.total), evaluation.seed))
    parts = [
        targets.at(np.arange(start, min(start + AT_ONCE, targets.total))) for start in range(0, targets.total, AT_ONCE)
    ]
    for start in range(0, len(drawn), AT_ONCE):
        one, other = impostors.at(drawn[start : start + AT_ONCE])
        parts.append((known[one].astype(np.int32), known[other].astype(np.int32)))
    enrol = np.concatenate([np.minimum(one, other) for one, other in parts] or [np.zeros(0, dtype=np.int32)])
    test = np.concatenate([np.maximum(one, other) for one, other in parts] or [np.zeros(0, dtype=np.int32)])
    del drawn, parts
    ids, labels = pd.CategoricalDtype(rows["sample_id"]), pd.CategoricalDtype(names)
    return pd.DataFrame(
        {
            "enrol_id": pd.Categorical.from_codes(enrol, dtype=ids),
            "test_id": pd.Categorical.from_codes(test, dtype=ids),
            "target": (label[enrol] == label[test]).astype(np.int64),
            "enrol_label": pd.Categorical.from_codes(label.astype(np.int32)[enrol], dtype=labels),
            "test_label": pd.Categorical.from_codes(label.astype(np.int32)[test], dtype=labels),
            "same_domain": (domain[enrol] == domain[test]) & (domain[enrol] >= 0),
        }
    )


def _drawn(total: int, count: int, seed: int) -> np.ndarray:
    """``count`` of the numbers below ``total``, without replacement, in memory that grows with ``count``.

    NumPy's own draw lists all numbers unless they are more than 50 times those that are drawn. Above ``MOST_LISTED`` it
    is a draw with replacement, repeated until enough of them differ.
    """
    rng = np.random.default_rng(seed)
    if total <= max(MOST_LISTED, count) or total > 50 * count:
        return rng.choice(total, count, replace=False)
    drawn = np.zeros(0, dtype=np.int64)
    while len(drawn) < count:
        drawn = np.unique(np.concatenate([drawn, rng.integers(total, size=count - len(drawn) + count // 8)]))
    return drawn[rng.choice(len(drawn), count, replace=False)]


class _Pairs:
    """All pairs within a block whose labels are equal (or differ), numbered without being listed.

    Rows are ordered by block, then label: the partners of a row that stand behind it are one run of the order, up to
    the end of its label (equal), or from there to the end of its block (different).
    """

    def __init__(self, label: np.ndarray, block: np.ndarray, *, same_label: bool) -> None:
        self._order = np.lexsort((label, block))
        label, block = label[self._order], block[self._order]
        place = np.arange(len(label))
        new_block = np.flatnonzero(np.diff(block, prepend=-1)) if len(block) else place
        change = np.diff(block, prepend=-1).astype(bool) | np.diff(label, prepend=-1).astype(bool)
        end_of_label = _ends(np.flatnonzero(change), len(label))
        end_of_block = _ends(new_block, len(label))
        self._start = place + 1 if same_label else end_of_label
        stop = end_of_label if same_label else end_of_block
        self._offset = np.concatenate([[0], np.cumsum(stop - self._start)])
        self.total = int(self._offset[-1])

    def at(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(rows, rows) of the pairs with these numbers, each in [0, total); int32."""
        first = np.searchsorted(self._offset, numbers, "right") - 1
        second = self._start[first] + numbers - self._offset[first]
        return self._order[first].astype(np.int32), self._order[second].astype(np.int32)


def _ends(starts: np.ndarray, length: int) -> np.ndarray:
    """(length,) where the run of each place ends, for runs that begin at ``starts``."""
    stops = np.append(starts[1:], length)
    return np.repeat(stops, stops - starts) if length else np.zeros(0, dtype=np.intp)
