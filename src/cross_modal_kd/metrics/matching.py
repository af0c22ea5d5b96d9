"""Cross-modal matching: which teacher item belongs to this student item? Every metric comes with its chance level.

similarity: (Q, G), higher is more alike, a matrix, or ``Cosines``, which are worked out block by block. query_labels:
(Q,), gallery_labels: (G,), of any kind. To look from teacher to student pass the transpose (of ``Cosines`` queries and
items exchanged) and the labels swapped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from cross_modal_kd.metrics.checks import finite, same_length
from cross_modal_kd.metrics.cosines import COSINES, Cosines, row_blocks
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


@dataclass(frozen=True)
class MatchPlaces:
    """Where the matches of every query stand in its gallery: all that the metrics of matching need of the similarity.

    counts: (Q,) R, the matches of each query. items: G. below, level: (sum of R,) items of other classes under each
    match, and level with it, query after query, a query's matches by rising score. order: (sum of R,) place of each in
    the order of the gallery. right: (sum of R,) matches that are no lower.
    """

    counts: np.ndarray
    items: int
    below: np.ndarray
    level: np.ndarray
    order: np.ndarray
    right: np.ndarray

    def one_of_n(self, n: int) -> Matching:
        """See ``metrics.one_of_n``.

        Args:
            n: Size of the choice, 2 to one more than the items of other classes.

        Returns:
            The expected accuracy of each query, and their mean.

        Raises:
            ValueError: Where n is out of range.
        """
        others = self.items - self.counts
        if not 2 <= n <= others.min() + 1:
            raise ValueError(f"n: expected 2 to {others.min() + 1} (items of other classes, and the match), found {n}")
        wins = np.empty(len(self.below))
        wins[self.order] = _wins(self.below, self.level, np.repeat(others, self.counts), n)
        values = self._means(wins)
        return Matching(values, float(values.mean()), 1 / n)

    def average_precision(self) -> Matching:
        """See ``metrics.average_precision``.

        Returns:
            The average precision of each query, and their mean.
        """
        above = np.repeat(self.items - self.counts, self.counts) - self.below
        values = self._means(self.right / (above + self.right))
        size = self.items
        harmonic = (1 / np.arange(1, size + 1)).sum()
        chance = harmonic / size + (self.counts - 1) * (size - harmonic) / (size * max(size - 1, 1))
        return Matching(values, float(values.mean()), float(chance.mean()))

    def _means(self, values: np.ndarray) -> np.ndarray:
        """(Q,) the mean over the matches of each query; queries with as many matches are taken together."""
        start = np.cumsum(self.counts) - self.counts
        means = np.empty(len(self.counts))
        for count in np.unique(self.counts):
            rows = np.flatnonzero(self.counts == count)
            means[rows] = values[start[rows, None] + np.arange(count)].mean(axis=1)
        return means


def match_places(
    similarity: ArrayLike | Cosines, query_labels: ArrayLike, gallery_labels: ArrayLike, at_once: int = COSINES
) -> MatchPlaces:
    """Where the matches of every query stand, found block by block of queries.

    Args:
        similarity: (Q, G), higher is more alike; finite.
        query_labels: (Q,) classes of any kind.
        gallery_labels: (G,) classes of the same kind.
        at_once: Numbers of a matrix that are looked at in one go; ``Cosines`` have their own. It changes no value.

    Returns:
        The places. Memory grows with Q + G + the number of matches; a matrix is not copied, but for its type.

    Raises:
        ValueError: Where shapes do not fit, or a query has no match or nothing else.

    >>> places = match_places([[0.9, 0.1, 0.5], [0.2, 0.4, 0.6]], ["a", "b"], ["a", "b", "c"])
    >>> places.one_of_n(2).per_query.tolist(), places.average_precision().per_query.tolist()
    ([1.0, 0.5], [1.0, 0.5])
    """
    if not isinstance(similarity, Cosines):
        similarity = finite(similarity, "similarity", ndim=2)
    if 0 in similarity.shape:
        raise ValueError(f"similarity: expected queries and items, found shape {similarity.shape}")
    queries, gallery, counts = _classes(similarity.shape, query_labels, gallery_labels)
    parts, before = [], 0
    for rows, block in _blocks(similarity, at_once):
        below, level, order, right = _places(block, queries[rows, None] == gallery, counts[rows])
        parts.append((below, level, order + before, right))
        before += len(below)
    return MatchPlaces(counts, len(gallery), *map(np.concatenate, zip(*parts, strict=True)))


def one_of_n(similarity: ArrayLike | Cosines, query_labels: ArrayLike, gallery_labels: ArrayLike, n: int) -> Matching:
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
        The expected accuracy of each query, and their mean. Memory as ``match_places``.

    Raises:
        ValueError: Where n is out of range, shapes do not fit, or a query has no match or nothing else.

    >>> one_of_n([[0.9, 0.1, 0.5], [0.2, 0.4, 0.6]], ["a", "b"], ["a", "b", "c"], n=2).per_query.tolist()
    [1.0, 0.5]
    """
    return match_places(similarity, query_labels, gallery_labels).one_of_n(n)


def average_precision(similarity: ArrayLike | Cosines, query_labels: ArrayLike, gallery_labels: ArrayLike) -> Matching:
    """Retrieval: the mean over queries is mAP. AP = mean over the R matches of the precision at their threshold.

    Items of one score enter together. Chance: the mean over queries of a random ranking's expected AP,
    H_G / G + (R - 1)(G - H_G) / (G (G - 1)), H_G the harmonic number of the gallery's size.

    Args:
        similarity: (Q, G), higher is more alike; finite.
        query_labels: (Q,) classes of any kind.
        gallery_labels: (G,) classes of the same kind.

    Returns:
        The average precision of each query, and their mean. Memory as ``match_places``.

    Raises:
        ValueError: Where shapes do not fit, or a query has no match or nothing else.

    >>> average_precision([[0.9, 0.1, 0.5], [0.2, 0.4, 0.6]], ["a", "b"], ["a", "b", "c"]).per_query.tolist()
    [1.0, 0.5]
    """
    return match_places(similarity, query_labels, gallery_labels).average_precision()


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
    similarity = finite(similarity, "similarity", ndim=2)
    queries, gallery, _ = _classes(similarity.shape, query_labels, gallery_labels)
    return roc_auc(similarity.ravel(), (queries[:, None] == gallery).ravel())


def _blocks(similarity: np.ndarray | Cosines, at_once: int) -> Iterator[tuple[slice, np.ndarray]]:
    if isinstance(similarity, Cosines):
        return similarity.blocks()
    return ((rows, similarity[rows]) for rows in row_blocks(len(similarity), similarity.shape[1], at_once))


def _classes(
    shape: tuple[int, ...], query_labels: ArrayLike, gallery_labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the classes of queries and of items, and (Q,) the matches of each query."""
    query_labels = same_length(query_labels, np.empty(shape[0]), "query_labels", "similarity")
    gallery_labels = same_length(gallery_labels, np.empty(shape[1]), "gallery_labels", "similarity's transpose")
    classes, numbers = np.unique(np.concatenate([query_labels, gallery_labels]), return_inverse=True)
    queries, gallery = numbers[: shape[0]], numbers[shape[0] :]
    counts = np.bincount(gallery, minlength=len(classes))[queries]
    if not counts.all():
        missing = np.unique(query_labels[counts == 0])[:5].tolist()
        raise ValueError(f"gallery_labels: expected every query's class, without a match are {missing}")
    if (counts == shape[1]).any():
        raise ValueError("gallery_labels: expected at least two classes, a query matches the whole gallery")
    return queries, gallery, counts


def _places(
    scores: np.ndarray, same: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """``below``, ``level``, ``order`` and ``right`` of ``MatchPlaces``, of the matches in one block."""
    row, column = np.nonzero(same)
    matches = scores[row, column]
    if (counts == 1).all():
        level = np.count_nonzero(scores == matches[:, None], axis=1) - 1
        return np.count_nonzero(scores < matches[:, None], axis=1), level, row, np.ones_like(row)
    order = np.lexsort((matches, row))  # by row, then by rising score
    row, matches = row[order], matches[order]
    everything = np.sort(scores, axis=1)
    under, upto = (_search(everything, row, matches, up_to) for up_to in (False, True))
    fresh = np.flatnonzero(np.diff(row, prepend=-1).astype(bool) | np.diff(matches, prepend=np.nan).astype(bool))
    tied = np.diff(fresh, append=len(row))
    lower = np.repeat(fresh, tied) - np.repeat(
        np.cumsum(counts) - counts, counts
    )  # matches of the query, below this one
    return under - lower, upto - under - np.repeat(tied, tied), order, np.repeat(counts, counts) - lower


def _search(sorted_rows: np.ndarray, row: np.ndarray, values: np.ndarray, up_to: bool) -> np.ndarray:
    """How many numbers of its row are below each value, or up to it; all are halved at once."""
    low, high = np.zeros(len(row), dtype=np.intp), np.full(len(row), sorted_rows.shape[1], dtype=np.intp)
    while (low < high).any():
        middle = (low + high) // 2
        there = sorted_rows[row, middle.clip(max=sorted_rows.shape[1] - 1)]
        passed = (low < high) & ((there <= values) if up_to else (there < values))
        low, high = np.where(passed, middle + 1, low), np.where(passed, high, middle)
    return low


def _wins(below: np.ndarray, level: np.ndarray, total: np.ndarray, n: int) -> np.ndarray:
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
