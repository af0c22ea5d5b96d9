"""What an interval rests on, and the least that it may rest on: below that there is none, and no verdict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

NARROW = 20
"""Clusters below which intervals of the AUC and of a minDCF are said to be too narrow; ``Least`` has by how much."""


@dataclass(frozen=True)
class Least:
    """The least that an interval may rest on.

    clusters: a percentile interval of 95 % over C clusters holds the mean of normal values in 50 % of cases for C = 2,
    85 % for 5, 90 % for 10, 93 % for 20: from ten on it is what it says, give or take. What rests on few trials of each
    is further off: in simulated verification of 10 clusters it held the AUC in 81 % of cases, and the minDCF at a
    p_target of 0.01 in 72 %; below ``NARROW`` clusters reports say so. resamples: that differ and can be used; of fewer
    than 2 / (1 - level) (40 at 0.95) the ends are the extreme ones. what: clusters as a reader knows them. advice: what
    to do where they are too few.
    """

    clusters: int = 10
    resamples: int = 40
    what: str = "clusters"
    advice: str = ""


@dataclass(frozen=True)
class Evidence:
    """The clusters and resamples that a metric was taken over.

    clusters: how many have a part in it. draws: (R,) numbers, equal where two resamples drew the same clusters as
    often. least: what an interval of it needs.
    """

    clusters: int
    draws: np.ndarray
    least: Least

    @classmethod
    def of(cls, weights: np.ndarray, *sides: ArrayLike, least: Least | None = None) -> "Evidence":
        """Of a metric over samples or trials of these clusters.

        Args:
            weights: (R, C) counts of ``cluster_weights``.
            *sides: arrays of integers in [0, C), the clusters of what the metric needs of each sort (of targets and of
                impostors, say); the sort with the fewest clusters counts.
            least: what an interval needs.

        Returns:
            The evidence; memory grows with R C.

        >>> Evidence.of(np.array([[1, 1, 1], [2, 0, 1], [0, 2, 1]]), [0, 0, 2]).clusters
        2
        """
        numbers = [np.unique(np.asarray(side, dtype=np.intp)) for side in sides]
        present = np.unique(np.concatenate(numbers)) if numbers else np.arange(weights.shape[1])
        keys = np.random.default_rng(0).integers(1, 2**63, size=(weights.shape[1],), dtype=np.uint64)
        draws = weights[:, present].astype(np.uint64) @ keys[present]
        fewest = min((len(found) for found in numbers), default=len(present))
        return cls(fewest, draws, least or Least())

    def weaker(self, other: "Evidence | None") -> "Evidence":
        """The one with fewer clusters, on which a comparison of both rests.

        Args:
            other: of the metric that is set against this one's; None where it is not known.

        Returns:
            One of the two.
        """
        return self if other is None or self.clusters <= other.clusters else other

    def lack(self, usable: np.ndarray) -> str:
        """What is missing for an interval.

        Args:
            usable: (R,) bool, the resamples in which the statistic is defined.

        Returns:
            A sentence without a full stop; empty where nothing is missing.

        >>> Evidence.of(np.array([[1, 1], [2, 0]])).lack(np.array([True, True]))
        '2 clusters; an interval needs at least 10'
        """
        least = self.least
        if self.clusters < least.clusters:
            advice = f": {least.advice}" if least.advice else ""
            return f"{self.clusters} {least.what}; an interval needs at least {least.clusters}{advice}"
        distinct = len(np.unique(self.draws[usable]))
        if distinct < least.resamples:
            return (
                f"{distinct} of {len(self.draws)} resamples differ and can be used; an interval needs at least "
                f"{least.resamples}"
            )
        return ""


def weakest(found: "list[Evidence | None]") -> Evidence | None:
    """The one with the fewest clusters.

    Args:
        found: of several metrics or seeds; None where it is not known.

    Returns:
        One of them; None where none is known.
    """
    known = [each for each in found if each is not None]
    return min(known, key=lambda each: each.clusters) if known else None
