"""How often a stranger is taken for somebody who is enrolled, by how many samples one is enrolled with."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.student.record import Threshold

SIZES = (1, 2, 4, 8, 16)
DRAWS, NAMES, STRANGERS = 5, 500, 20_000


def rates_by_size(
    values: np.ndarray, labels: pd.Series, thresholds: Sequence[float], least: int, seed: int
) -> list[dict[int, float]]:
    """The rate at which one who is enrolled takes in a stranger: the mean of several samples meets others more often.

    Of k samples: the mean, over labels that have as many and over draws of k of theirs, of the share of the samples x
    of other labels with cos(x, m) >= threshold, where m is the mean of the k unit embeddings. Above ``NAMES`` labels or
    ``STRANGERS`` samples so many are drawn. O(labels x samples x dim), a label at a time.

    Args:
        values: (n, D) embeddings of a split, not normalised.
        labels: (n,) theirs.
        thresholds: T scores.
        least: labels that a rate must rest on.
        seed: of the draws.

    Returns:
        T mappings from k, one of ``SIZES``, to the rate; without those that too few labels have the samples for.
    """
    rng = np.random.default_rng(seed)
    unit, numbers = unit_rows(values), pd.factorize(labels)[0]
    asked = np.sort(rng.permutation(len(unit))[:STRANGERS])
    found: list[dict[int, float]] = [{} for _ in thresholds]
    for size in SIZES:
        names = np.flatnonzero(np.bincount(numbers) >= size)
        if len(names) < least:
            break
        taken = []
        for name in np.sort(rng.permutation(names)[:NAMES]):
            own = np.flatnonzero(numbers == name)
            means = np.stack([unit[rng.permutation(own)[:size]].mean(axis=0) for _ in range(DRAWS)])
            scores = unit_rows(means) @ unit[asked[numbers[asked] != name]].T
            taken.append([(scores >= threshold).mean() if scores.size else np.nan for threshold in thresholds])
        for rates, rate in zip(found, np.nanmean(taken, axis=0), strict=True):
            rates[size] = float(rate)
    return found


def rate_of_any(threshold: Threshold, sizes: Iterable[int]) -> float | None:
    """The rate at which a stranger is taken for any of those enrolled, as far as the dev and test splits tell.

    min(1, sum over the names of r(k)), where r(k) is the rate of one enrolled with as many samples, or with the next
    number that was measured, and ``far_upper`` where that is more: so it is never 0, and no bound for strangers who are
    more alike than those of the splits. Our reading: names are added up as if no stranger met two of them.

    Args:
        threshold: with its rates.
        sizes: how many samples each name is enrolled with.

    Returns:
        The rate; None of a threshold without one.
    """
    if threshold.far is None:
        return None
    known = sorted(threshold.far_enrolled)
    least = threshold.far if threshold.far_upper is None else threshold.far_upper

    def rate(size: int) -> float:
        nearest = next((each for each in known if each >= size), known[-1] if known else None)
        return least if nearest is None else max(least, threshold.far_enrolled[nearest])

    return min(1.0, sum(map(rate, sizes)))
