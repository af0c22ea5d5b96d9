"""Adaptive symmetric score normalisation (as-norm): a score beside those that both of its sides have with a cohort."""

from typing import NamedTuple

import numpy as np

from cross_modal_kd.metrics.cosines import Cosines

NO_SPREAD = 1e-6  # of cosines in single precision
PAIRS = 1 << 16


class CohortScores(NamedTuple):
    """Mean and standard deviation of the highest cosines that each of N vectors has with a cohort, each (N,)."""

    mean: np.ndarray
    deviation: np.ndarray


def cohort_scores(scores: Cosines, top: int) -> CohortScores:
    """Mean and deviation (over N, not N - 1) of each row's ``top`` highest cosines; block by block.

    Args:
        scores: of N vectors (the queries) with the C of the cohort (the items).
        top: N of top-N, at least 2; where the cohort is smaller, all of it counts.

    Returns:
        Both, (N,). Memory grows with N and one block.

    Raises:
        ValueError: Where fewer than two scores would count, or a vector has the same score with all of them.

    >>> found = cohort_scores(Cosines(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])), top=2)
    >>> found.mean.round(3).tolist(), found.deviation.round(3).tolist()
    ([0.8], [0.2])
    """
    (rows, size), kept = scores.shape, min(top, scores.shape[1])
    if kept < 2:
        raise ValueError(f"top: expected at least 2 scores of a cohort, found {top} of a cohort of {size}")
    found = CohortScores(np.empty(rows), np.empty(rows))
    for part, block in scores.blocks():
        highest = np.partition(block, size - kept, axis=1)[:, size - kept :].astype(np.float64)
        found.mean[part], found.deviation[part] = highest.mean(axis=1), highest.std(axis=1)
    if (flat := np.flatnonzero(found.deviation < NO_SPREAD)).size:
        raise ValueError(
            f"cohort: {len(flat)} vectors, the first is row {flat[0]}, have one score with each of their {kept} "
            "nearest, which has no spread to be normalised by"
        )
    return found


def normalised_scores(scores: np.ndarray, enrol: np.ndarray, test: np.ndarray, cohort: CohortScores) -> np.ndarray:
    """1/2 [(s - mean_e) / deviation_e + (s - mean_t) / deviation_t] of every pair.

    Args:
        scores: (n,) of the pairs.
        enrol: (n,) row of the enrolment in each pair.
        test: (n,) row of the test sample in each pair.
        cohort: of N vectors, whose rows these are.

    Returns:
        (n,) of the dtype of ``scores``.

    >>> cohort = CohortScores(np.array([0.0, 0.5]), np.array([0.5, 0.25]))
    >>> normalised_scores(np.array([1.0]), np.array([0]), np.array([1]), cohort).tolist()
    [2.0]
    """
    found = np.empty_like(scores)
    for start in range(0, len(scores), PAIRS):
        part = slice(start, start + PAIRS)
        sides = [(scores[part] - cohort.mean[side[part]]) / cohort.deviation[side[part]] for side in (enrol, test)]
        found[part] = (sides[0] + sides[1]) / 2
    return found
