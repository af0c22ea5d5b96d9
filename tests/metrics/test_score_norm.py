"""Cosines of listed pairs and their normalisation, against plain loops."""

import tracemalloc

import numpy as np
import pytest

from cross_modal_kd.metrics import Cosines, cohort_scores, cosine_scores, normalised_scores, unit_rows


def vectors(rows, seed, dtype=np.float32):
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, 12)).astype(dtype))


def test_blocks_of_any_size_give_the_same_scores_to_the_last_digit():
    unit, generator = vectors(40, 0), np.random.default_rng(1)
    enrol, test = generator.integers(0, 40, (2, 1000))
    whole = cosine_scores(unit, enrol, test, numbers=10**9)
    assert whole.tolist() == np.einsum("nd,nd->n", unit[enrol], unit[test]).tolist()
    for numbers in (1, 12, 100, 5000):
        assert cosine_scores(unit, enrol, test, numbers).tolist() == whole.tolist()
    assert whole.tolist() == pytest.approx(
        [float(unit[a] @ unit[b]) for a, b in zip(enrol, test, strict=True)], abs=1e-6
    )


def test_memory_of_scoring_is_that_of_the_scores():
    unit, rows = vectors(50, 0), np.random.default_rng(1).integers(0, 50, (2, 500_000))
    tracemalloc.start()
    cosine_scores(unit, *rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 500_000 + 10 * 2**20


@pytest.mark.parametrize("at_once", [1, 50, 10**6])
@pytest.mark.parametrize("top", [2, 5, 100])
def test_s_norm_is_that_of_a_plain_loop(top, at_once):
    unit, cohort = vectors(6, 0, np.float64), vectors(9, 1, np.float64)
    pairs = [(a, b) for a in range(6) for b in range(6) if a != b]
    expected = []
    for a, b in pairs:
        score, sides = sum(unit[a] * unit[b]), []
        for side in (a, b):
            near = sorted((sum(unit[side] * each) for each in cohort), reverse=True)[:top]
            mean = sum(near) / len(near)
            deviation = (sum((each - mean) ** 2 for each in near) / len(near)) ** 0.5
            sides.append((score - mean) / deviation)
        expected.append(sum(sides) / 2)
    enrol, test = np.transpose(pairs)
    found = cohort_scores(Cosines(unit, cohort, at_once), top)
    assert normalised_scores(cosine_scores(unit, enrol, test), enrol, test, found).tolist() == pytest.approx(expected)


def test_known_s_norm():
    """Cosines with the cohort: 1, 0.6 and 0.6, 1 by turns, of which mean 0.8 and deviation 0.2: (0.6 - 0.8) / 0.2."""
    unit = np.array([[1.0, 0.0], [0.6, 0.8]])
    found = cohort_scores(Cosines(unit, unit), 2)
    scores = cosine_scores(unit, np.array([0]), np.array([1]))
    assert normalised_scores(scores, np.array([0]), np.array([1]), found).tolist() == pytest.approx([-1.0])


def test_a_cohort_that_says_nothing_is_refused():
    unit = np.eye(2)
    with pytest.raises(ValueError, match="top: expected at least 2 scores of a cohort, found 300 of a cohort of 1"):
        cohort_scores(Cosines(unit, unit[:1]), 300)
    with pytest.raises(ValueError, match="cohort: 1 vectors, the first is row 1, have one score with each of their 2"):
        cohort_scores(Cosines(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.6, 0.0]])), 2)
