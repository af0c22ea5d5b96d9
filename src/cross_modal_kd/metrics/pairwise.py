"""Equal error rate over the pairs of a set of samples, in memory that is linear in the samples."""

import numpy as np

from cross_modal_kd.metrics.cosines import cosine_scores
from cross_modal_kd.metrics.rows import unit_rows

MOST_PAIRS = 3_000_000


def pairwise_eer(embeddings: np.ndarray, labels: np.ndarray, most_pairs: int = MOST_PAIRS, seed: int = 0) -> float:
    """EER over pairs of the samples, cosine scores; a pair of one label is a target.

    Every pair counts where there are at most ``most_pairs``. Else a seeded draw does, with replacement: a third of it
    targets (all of them, once each, where they are fewer) and the rest impostors. FRR and FAR are rates within targets
    and within impostors, so that the share of each does not move the value.

    Memory and time: O(N d + most_pairs).

    Args:
        embeddings: (N, d), of any length; a row of zeros scores 0 with every other.
        labels: (N,) of any kind that can be compared.
        most_pairs: pairs that are scored, at most; at least 2. The default takes every pair of 2,449 samples.
        seed: of the draw.

    Returns:
        The EER in [0, 1]; NaN where no two samples share a label or all do.

    >>> pairwise_eer(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]), np.array(["a", "a", "b", "b"]))
    0.0
    """
    from cross_modal_kd.metrics.verification import eer

    unit = unit_rows(embeddings)
    _, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    pairs, targets = len(unit) * (len(unit) - 1) // 2, int((counts * (counts - 1) // 2).sum())
    if targets in (0, pairs):
        return float("nan")
    if pairs <= most_pairs:
        return eer(*_all_pairs(unit, numbers))
    third = max(1, most_pairs // 3)
    rng = np.random.default_rng(seed)
    same = _all_targets(numbers, counts) if targets <= third else _drawn_targets(numbers, counts, third, rng)
    scores = cosine_scores(unit, *same), cosine_scores(unit, *_drawn_impostors(numbers, most_pairs - len(same[0]), rng))
    return eer(np.concatenate(scores), np.repeat(np.array([1, 0], dtype=np.int8), [len(each) for each in scores]))


def _all_pairs(unit: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and whether it is a target (1 or 0) of every pair, each (N (N - 1) / 2,)."""
    upper = np.triu(np.ones((len(unit), len(unit)), dtype=bool), 1)
    return (unit @ unit.T)[upper], (numbers[:, None] == numbers)[upper].astype(np.int8)


def _all_targets(numbers: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of one label."""
    rows = np.split(np.argsort(numbers, kind="stable"), np.cumsum(counts)[:-1])
    upper = {size: np.triu_indices(size, 1) for size in set(counts.tolist())}
    pairs = [(each[upper[len(each)][0]], each[upper[len(each)][1]]) for each in rows]
    return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])


def _drawn_targets(
    numbers: np.ndarray, counts: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``count`` pairs of one label, all such pairs alike: a label by how many pairs it has, then two of its samples."""
    weights = counts * (counts - 1.0)
    label = rng.choice(len(counts), count, p=weights / weights.sum())
    order, start, size = np.argsort(numbers, kind="stable"), (np.cumsum(counts) - counts)[label], counts[label]
    one, step = rng.integers(size), 1 + rng.integers(size - 1)
    return order[start + one], order[start + (one + step) % size]


def _drawn_impostors(numbers: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``count`` pairs of two labels, all such pairs alike: both samples by themselves, until the labels differ."""
    one, other = (rng.integers(len(numbers), size=count) for _ in range(2))
    while len(same := np.flatnonzero(numbers[one] == numbers[other])):
        one[same], other[same] = (rng.integers(len(numbers), size=len(same)) for _ in range(2))
    return one, other
