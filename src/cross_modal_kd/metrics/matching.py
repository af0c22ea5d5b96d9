"""Cross-modal matching: which teacher item belongs to this student item? Every metric comes with its chance level.

similarity: (Q, G), higher is more alike; query_labels: (Q,), gallery_labels: (G,), of any kind. Pass the transpose and
the labels swapped to look from teacher to student.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from cross_modal_kd.metrics.checks import finite, same_length
from cross_modal_kd.metrics.verification import roc_auc


@dataclass(frozen=True)
class Matching:
    """One metric of matching.

    per_query: (Q,) in [0, 1], for the bootstrap over query classes. value: its mean. chance: the expectation for a
    similarity without information.
    """

    per_query: np.ndarray
    value: float
    chance: float


def one_of_n(similarity: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike, n: int) -> Matching:
    """Exact expected accuracy of picking the match among it and n - 1 items of other classes, drawn at random.

    For a query with T items of other classes, b of them below the match and t level with it (broken at random):
    P = [C(b + t + 1, n) - C(b, n)] / [(t + 1) C(T, n - 1)], which is C(b, n - 1) / C(T, n - 1) without ties, and for
    n = 2 the query's AUC. Averaged over the matches where the gallery holds several. Chance is 1 / n.

    Args:
        similarity: (Q, G), higher is more alike; finite.
        query_labels: (Q,) classes of any kind.
        gallery_labels: (G,) classes of the same kind.
        n: Size of the choice, 2 to one more than the items of other classes.

    Returns:
        The expected accuracy of each query, and their mean. Memory grows with Q G.

    Raises:
        ValueError: Where n is out of range, shapes do not fit, or a query has no match or nothing else.

    >>> one_of_n([[0.9, 0.1, 0.5], [0.2, 0.4, 0.6]], ["a", "b"], ["a", "b", "c"], n=2).per_query.tolist()
    [1.0, 0.5]
    """
    similarity, same = _compared(similarity, query_labels, gallery_labels)
    fewest = int((~same).sum(1).min())
    if not 2 <= n <= fewest + 1:
        raise ValueError(f"n: expected 2 to {fewest + 1} (items of other classes, and the match), found {n}")
    values = np.empty(len(similarity))
    for row, (scores, match) in enumerate(zip(similarity, same, strict=True)):
        others = np.sort(scores[~match])
        below = np.searchsorted(others, scores[match], "left")
        level = np.searchsorted(others, scores[match], "right") - below
        values[row] = _wins(below, level, len(others), n).mean()
    return Matching(values, float(values.mean()), 1 / n)


def average_precision(similarity: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike) -> Matching:
    """Retrieval: the mean over queries is mAP. AP = mean over the R matches of the precision at their threshold.

    Items of one score enter together. Chance: the mean over queries of a random ranking's expected AP,
    H_G / G + (R - 1)(G - H_G) / (G (G - 1)), H_G the harmonic number of the gallery's size.

    Args:
        similarity: (Q, G), higher is more alike; finite.
        query_labels: (Q,) classes of any kind.
        gallery_labels: (G,) classes of the same kind.

    Returns:
        The average precision of each query, and their mean. Memory grows with Q G.

    Raises:
        ValueError: Where shapes do not fit, or a query has no match or nothing else.

    >>> average_precision([[0.9, 0.1, 0.5], [0.2, 0.4, 0.6]], ["a", "b"], ["a", "b", "c"]).per_query.tolist()
    [1.0, 0.5]
    """
    similarity, same = _compared(similarity, query_labels, gallery_labels)
    values = np.empty(len(similarity))
    for row, (scores, match) in enumerate(zip(similarity, same, strict=True)):
        everything, matches = np.sort(scores), np.sort(scores[match])
        retrieved = len(everything) - np.searchsorted(everything, matches, "left")
        right = len(matches) - np.searchsorted(matches, matches, "left")
        values[row] = (right / retrieved).mean()
    size = similarity.shape[1]
    harmonic = (1 / np.arange(1, size + 1)).sum()
    chance = harmonic / size + (same.sum(1) - 1) * (size - harmonic) / (size * max(size - 1, 1))
    return Matching(values, float(values.mean()), float(chance.mean()))


def matching_auc(similarity: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike) -> float:
    """Verification over all Q x G pairs: the probability that a match scores above a mismatch. Chance is 0.5.

    Args:
        similarity: (Q, G), higher is more alike; finite.
        query_labels: (Q,) classes of any kind.
        gallery_labels: (G,) classes of the same kind.

    Returns:
        A probability in [0, 1]. Memory grows with Q G.

    Raises:
        ValueError: Where shapes do not fit, or a query has no match or nothing else.

    >>> matching_auc([[0.9, 0.1], [0.2, 0.4]], ["a", "b"], ["a", "b"])
    1.0
    """
    similarity, same = _compared(similarity, query_labels, gallery_labels)
    return roc_auc(similarity.ravel(), same.ravel())


def _compared(
    similarity: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """The similarity, and (Q, G) true where query and item are of one class."""
    similarity = finite(similarity, "similarity", ndim=2)
    query_labels = same_length(query_labels, similarity, "query_labels", "similarity")
    gallery_labels = same_length(gallery_labels, similarity.T, "gallery_labels", "similarity's transpose")
    same = query_labels[:, None] == gallery_labels[None, :]
    if not same.any(1).all():
        missing = np.unique(query_labels[~same.any(1)])[:5].tolist()
        raise ValueError(f"gallery_labels: expected every query's class, without a match are {missing}")
    if same.all(1).any():
        raise ValueError("gallery_labels: expected at least two classes, a query matches the whole gallery")
    return similarity, same


def _wins(below: np.ndarray, level: np.ndarray, total: int, n: int) -> np.ndarray:
    alone = np.exp(_log_choose(below, n - 1) - _log_choose(total, n - 1))
    if not level.any():
        return alone
    choices = _log_choose(total, n - 1)
    shared = np.exp(_log_choose(below + level + 1, n) - choices) - np.exp(_log_choose(below, n) - choices)
    return np.where(level > 0, shared / (level + 1), alone)


def _log_choose(items: ArrayLike, taken: int) -> np.ndarray:
    """log C(items, taken), -inf where fewer items than are to be taken."""
    items = np.asarray(items, dtype=np.float64)
    left = items - taken
    value = gammaln(items + 1) - gammaln(taken + 1) - gammaln(np.maximum(left, 0) + 1)
    return np.where(left >= 0, value, -np.inf)
