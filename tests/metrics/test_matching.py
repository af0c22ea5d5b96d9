"""Matching in closed form against every gallery that could be drawn, and retrieval against scikit-learn."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln
from sklearn.metrics import average_precision_score, roc_auc_score

from cross_modal_kd.metrics import Cosines, average_precision, match_places, matching_auc, one_of_n


def enumerated(similarity, query_labels, gallery_labels, n):
    """Accuracy over every match and every set of n - 1 mismatches; ties are broken at random."""
    per_query = []
    for row, label in zip(similarity, query_labels, strict=True):
        others = [s for s, g in zip(row, gallery_labels, strict=True) if g != label]
        wins = []
        for score in (s for s, g in zip(row, gallery_labels, strict=True) if g == label):
            for drawn in combinations(others, n - 1):
                best = max(drawn) <= score
                wins.append(best / (1 + sum(d == score for d in drawn)))
        per_query.append(sum(wins) / len(wins))
    return per_query


@st.composite
def galleries(draw):
    gallery = [0, 1, 2, *draw(st.lists(st.integers(0, 2), min_size=0, max_size=4))]
    queries = draw(st.lists(st.integers(0, 2), min_size=1, max_size=4))
    size = len(queries) * len(gallery)
    scores = draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    return np.reshape(scores, (len(queries), len(gallery))) / 4, queries, gallery


@settings(max_examples=80, deadline=None)
@given(galleries(), st.integers(2, 3))
def test_one_of_n_is_the_mean_over_all_galleries(case, n):
    similarity, queries, gallery = case
    n = min([n, *(1 + sum(g != q for g in gallery) for q in queries)])
    result = one_of_n(similarity, queries, gallery, n)
    assert result.per_query.tolist() == pytest.approx(enumerated(similarity, queries, gallery, n))
    assert result.value == pytest.approx(result.per_query.mean())
    assert result.chance == 1 / n


@settings(max_examples=40, deadline=None)
@given(galleries())
def test_one_of_two_is_the_auc_and_retrieval_is_scikit_learns(case):
    similarity, queries, gallery = case
    same = np.equal.outer(queries, gallery)
    ours, ap = one_of_n(similarity, queries, gallery, 2), average_precision(similarity, queries, gallery)
    for row in range(len(queries)):
        assert ours.per_query[row] == pytest.approx(roc_auc_score(same[row], similarity[row]))
        assert ap.per_query[row] == pytest.approx(average_precision_score(same[row], similarity[row]))
    assert matching_auc(similarity, queries, gallery) == pytest.approx(roc_auc_score(same.ravel(), similarity.ravel()))


def test_one_of_n_agrees_with_drawn_galleries_at_size():
    generator = np.random.default_rng(0)
    classes = 400
    similarity = generator.normal(size=(classes, classes)) + 2.5 * np.eye(classes)
    for n in (10, 50):
        exact = one_of_n(similarity, np.arange(classes), np.arange(classes), n)
        wins = []
        for _ in range(40):
            for q in range(0, classes, 10):
                others = generator.choice(classes - 1, n - 1, replace=False)
                wins.append(similarity[q, q] > similarity[q, others + (others >= q)].max())
        spread = np.sqrt(exact.value * (1 - exact.value) / len(wins))
        assert np.mean(wins) == pytest.approx(exact.per_query[::10].mean(), abs=4 * spread)


def test_noise_is_at_chance():
    generator = np.random.default_rng(0)
    queries, gallery = generator.integers(0, 30, 2000), np.repeat(np.arange(30), 4)
    similarity = generator.normal(size=(2000, 120))
    for n in (2, 5, 10):
        result = one_of_n(similarity, queries, gallery, n)
        assert result.value == pytest.approx(result.chance, abs=0.02)
    ap = average_precision(similarity, queries, gallery)
    assert ap.value == pytest.approx(ap.chance, abs=0.005)
    assert matching_auc(similarity, queries, gallery) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("matches", "size"), [(1, 4), (2, 5), (3, 5), (1, 2)])
def test_chance_of_retrieval_is_the_mean_over_all_rankings(matches, size):
    gallery = [0] * matches + [1] * (size - matches)
    rankings = [
        average_precision_score([i in places for i in range(size)], np.arange(size)[::-1])
        for places in combinations(range(size), matches)
    ]
    result = average_precision(np.arange(size)[None] / size, [0], gallery)
    assert result.chance == pytest.approx(np.mean(rankings))


def test_a_perfect_student_matches_everything_and_constant_scores_are_coins():
    labels = np.arange(60)
    for n in (2, 10, 60):
        assert one_of_n(np.eye(60), labels, labels, n).value == pytest.approx(1)
        assert one_of_n(np.zeros((60, 60)), labels, labels, n).value == pytest.approx(1 / n)
        assert one_of_n(-np.eye(60), labels, labels, n).value == pytest.approx(0, abs=1e-9)
    assert average_precision(np.eye(60), labels, labels).value == 1


def test_what_cannot_be_matched_is_refused_by_name():
    similarity = np.eye(3)
    with pytest.raises(ValueError, match="n: expected 2 to 3 .*, found 4"):
        one_of_n(similarity, [0, 1, 2], [0, 1, 2], 4)
    with pytest.raises(ValueError, match=r"gallery_labels: expected every query's class, without a match are \[7\]"):
        one_of_n(similarity, [0, 1, 7], [0, 1, 2], 2)
    with pytest.raises(ValueError, match="gallery_labels: expected at least two classes"):
        matching_auc(similarity, [1, 1, 1], [1, 1, 1])
    with pytest.raises(ValueError, match=r"query_labels: expected shape \(3,\) as similarity has rows, found \(2,\)"):
        average_precision(similarity, [0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="gallery_labels: expected shape"):
        average_precision(similarity, [0, 1, 2], [0, 1])
    with pytest.raises(ValueError, match="similarity: expected finite numbers, found 1 NaN"):
        average_precision(np.where(similarity == 1, [np.nan, 1, 1], 0), [0, 1, 2], [0, 1, 2])


def query_by_query(similarity, query_labels, gallery_labels, n):
    """(accuracy of 1:n, average precision) of each query from its own row, sorted; the plain derivation."""

    def log_choose(items, taken):
        left = np.asarray(items, dtype=np.float64) - taken
        value = gammaln(left + taken + 1) - gammaln(taken + 1) - gammaln(np.maximum(left, 0) + 1)
        return np.where(left >= 0, value, -np.inf)

    picked, precision = [], []
    for scores, match in zip(similarity, np.equal.outer(query_labels, gallery_labels), strict=True):
        others, everything, matches = np.sort(scores[~match]), np.sort(scores), np.sort(scores[match])
        below = np.searchsorted(others, scores[match], "left")
        level = np.searchsorted(others, scores[match], "right") - below
        choices = log_choose(len(others), n - 1)
        alone = np.exp(log_choose(below, n - 1) - choices)
        shared = np.exp(log_choose(below + level + 1, n) - choices) - np.exp(log_choose(below, n) - choices)
        picked.append(np.where(level > 0, shared / (level + 1), alone).mean())
        retrieved = len(everything) - np.searchsorted(everything, matches, "left")
        precision.append(((len(matches) - np.searchsorted(matches, matches, "left")) / retrieved).mean())
    return picked, precision


@pytest.mark.parametrize("decimals", [None, 1], ids=["no ties", "ties"])
@pytest.mark.parametrize("several", [False, True], ids=["one match", "several matches"])
def test_blocks_of_any_size_give_the_numbers_of_the_plain_derivation_to_the_last_digit(several, decimals):
    generator = np.random.default_rng(1)
    gallery = generator.integers(0, 23, 230) if several else generator.permutation(230)
    queries = gallery[generator.integers(0, 230, 90)]
    similarity = generator.normal(size=(90, 230)) + np.equal.outer(queries, gallery)
    similarity = similarity if decimals is None else similarity.round(decimals)
    picked, precision = query_by_query(similarity, queries, gallery, 10)
    for at_once in (1, 1000, 10**6):
        places = match_places(similarity, queries, gallery, at_once)
        assert places.one_of_n(10).per_query.tolist() == picked
        assert places.average_precision().per_query.tolist() == precision


@pytest.mark.parametrize("at_once", [1, 70, 10**6])
def test_cosines_stand_for_their_matrix(at_once):
    generator = np.random.default_rng(2)
    queries, items = (generator.integers(-4, 5, (rows, 8)) / 8 for rows in (50, 30))  # products without rounding
    wanted, keys = np.arange(50) % 30, np.arange(30)
    lazy, matrix = Cosines(queries, items, at_once), queries @ items.T
    assert one_of_n(lazy, wanted, keys, 5).per_query.tolist() == one_of_n(matrix, wanted, keys, 5).per_query.tolist()
    assert average_precision(lazy, wanted, keys).value == average_precision(matrix, wanted, keys).value
    rows, columns = generator.integers(0, 50, 200), generator.integers(0, 30, 200)
    assert lazy.at(rows, columns).tolist() == matrix[rows, columns].tolist()


def test_memory_of_cosines_is_that_of_a_block():
    vectors = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    tracemalloc.start()
    match_places(Cosines(vectors, vectors, at_once=100_000), np.arange(3000), np.arange(3000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 3000**2 / 8


def test_cosines_that_cannot_be_taken_are_refused_by_name():
    with pytest.raises(ValueError, match=r"queries, items: expected shapes .* found \(2, 3\) and \(2, 2\)"):
        Cosines(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="items: expected finite numbers"):
        Cosines(np.ones((2, 2)), np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match=r"similarity: expected queries and items, found shape \(0, 2\)"):
        match_places(Cosines(np.ones((0, 2)), np.ones((2, 2))), [], [1, 2])
