"""EER, minDCF and AUC against a sweep over every threshold and against scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import det_curve as sklearn_det_curve
from sklearn.metrics import roc_auc_score, roc_curve

from cross_modal_kd.metrics import OperatingPoints, SortedScores, det_curve, eer, eer_at, min_dcf, roc_auc


def sweep(scores, labels, weights):
    """(FRR, FAR) at every threshold, the definition."""
    points = []
    for threshold in [*sorted(set(scores)), float("inf")]:
        trials = list(zip(scores, labels, weights, strict=True))
        miss = sum(w for s, y, w in trials if y == 1 and s < threshold)
        false = sum(w for s, y, w in trials if y == 0 and s >= threshold)
        points.append((miss / sum(w for _, y, w in trials if y == 1), false / sum(w for _, y, w in trials if y == 0)))
    return points


def swept_eer(points):
    for (frr_a, far_a), (frr_b, far_b) in zip(points, points[1:], strict=False):
        if frr_b >= far_b:
            share = (far_a - frr_a) / ((far_a - frr_a) + (frr_b - far_b))
            return frr_a + share * (frr_b - frr_a)
    raise AssertionError("FRR never reaches FAR")


def swept_dcf(points, p):
    return min(p * frr + (1 - p) * far for frr, far in points) / min(p, 1 - p)


@st.composite
def trials(draw):
    """Few distinct scores, hence ties; both labels present; positive weights."""
    n = draw(st.integers(2, 25))
    scores = draw(st.lists(st.integers(0, 8).map(lambda k: k / 8), min_size=n, max_size=n))
    labels = [1, 0, *draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))]
    weights = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    return scores, labels, weights


@settings(max_examples=120, deadline=None)
@given(trials(), st.sampled_from([0.01, 0.05, 0.5, 0.9]))
def test_every_metric_is_that_of_the_sweep(case, p):
    scores, labels, weights = case
    points = sweep(scores, labels, weights)
    assert eer(scores, labels, weights) == pytest.approx(swept_eer(points))
    assert min_dcf(scores, labels, p, weights=weights) == pytest.approx(swept_dcf(points, p))
    assert roc_auc(scores, labels, weights) == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))


@settings(max_examples=50, deadline=None)
@given(trials())
def test_weights_are_repetitions(case):
    scores, labels, weights = case
    repeated = np.repeat(scores, weights), np.repeat(labels, weights)
    assert eer(scores, labels, weights) == pytest.approx(eer(*repeated))
    assert min_dcf(scores, labels, 0.05, weights=weights) == pytest.approx(min_dcf(*repeated, 0.05))
    assert roc_auc(scores, labels, weights) == pytest.approx(roc_auc(*repeated))


@settings(max_examples=50, deadline=None)
@given(trials(), st.randoms())
def test_order_of_the_trials_has_no_effect(case, random):
    together = list(zip(*case, strict=True))
    random.shuffle(together)
    scores, labels, weights = zip(*together, strict=True)
    assert eer(scores, labels, weights) == pytest.approx(eer(*case))
    assert min_dcf(scores, labels, weights=weights) == pytest.approx(min_dcf(*case[:2], weights=case[2]))


def random_trials(n=5000, seed=0, decimals=None):
    generator = np.random.default_rng(seed)
    labels = generator.random(n) < 0.1
    scores = generator.normal(size=n) + 1.5 * labels
    return (scores if decimals is None else scores.round(decimals)), labels


@pytest.mark.parametrize("decimals", [None, 1])
def test_agrees_with_scikit_learn(decimals):
    scores, labels = random_trials(decimals=decimals)
    far, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    frr = 1 - tpr
    assert eer(scores, labels) == pytest.approx(swept_eer(list(zip(frr, far, strict=True))[::-1]))
    for p in (0.01, 0.05):
        assert min_dcf(scores, labels, p) == pytest.approx((p * frr + (1 - p) * far).min() / p)
    assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


def test_det_curve_holds_the_corners_of_scikit_learns():
    scores, labels = random_trials(n=300, decimals=2)
    curve = det_curve(scores, labels)
    for threshold, frr, far in zip(*curve, strict=True):
        assert frr == pytest.approx((scores[labels] < threshold).mean())
        assert far == pytest.approx((scores[~labels] >= threshold).mean())
    assert (np.diff(curve.frr) >= 0).all() and (np.diff(curve.far) <= 0).all()
    far, frr, thresholds = sklearn_det_curve(labels, scores)
    index = np.searchsorted(curve.thresholds, thresholds, "left")
    at_targets = np.isin(thresholds, scores[labels])
    np.testing.assert_allclose(curve.frr[index[at_targets]], frr[at_targets])
    np.testing.assert_allclose(curve.far[index[at_targets]], far[at_targets])


def test_known_values():
    assert eer([3.0, 2.0, 1.0, 0.0], [1, 1, 0, 0]) == 0.0
    assert eer([0.0, 1.0], [1, 0]) == 1.0
    assert eer([1.0, 1.0, 1.0], [1, 0, 0]) == pytest.approx(0.5)  # one threshold: a tie is a coin
    assert min_dcf([1.0, 1.0], [1, 0]) == 1.0
    assert min_dcf([0.0, 1.0], [1, 0], p_target=0.01) == 1.0  # reject everything
    assert min_dcf([1.0, 0.0], [1, 0]) == 0.0
    # c_miss of 10 at p is c_miss of 1 at 10 p / (10 p + 1 - p)
    scores, labels = random_trials()
    assert min_dcf(scores, labels, 0.01, c_miss=10.0) == pytest.approx(min_dcf(scores, labels, 0.1 / 1.09))


def test_memory_is_linear_in_the_trials():
    scores, labels = random_trials(n=400_000)
    tracemalloc.start()
    eer(scores, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len(scores)


@pytest.mark.parametrize(
    ("scores", "labels", "weights", "message"),
    [
        ([0.1, np.nan], [1, 0], None, r"scores: expected finite numbers, found 1 NaN or infinite \(first at 1\)"),
        ([], [], None, "scores: expected a non-empty array"),
        ([0.1, 0.2], [1, 1], None, "labels: expected targets and impostors, found 2 targets in 2 trials"),
        ([0.1, 0.2], [0, 0], None, "labels: expected targets and impostors, found 0 targets in 2 trials"),
        ([0.1, 0.2], [1, 2], None, r"labels: expected 1 \(target\) or 0 \(impostor\), found \[1, 2\]"),
        ([0.1, 0.2], [1, 0, 0], None, r"labels: expected shape \(2,\) as scores has rows, found \(3,\)"),
        ([0.1, 0.2], [1, 0], [1.0], r"weights: expected shape \(2,\)"),
        ([0.1, 0.2], [1, 0], [1.0, -1.0], "weights: expected numbers >= 0"),
        ([0.1, 0.2], [1, 0], [1.0, 0.0], "weights: expected targets and impostors with weight above 0"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(scores, labels, weights, message):
    for metric in (eer, roc_auc, det_curve, min_dcf):
        with pytest.raises(ValueError, match=message):
            metric(scores, labels, weights=weights)


def test_wrong_costs_are_refused_by_name():
    with pytest.raises(ValueError, match="p_target: expected 0 < p < 1, found 1.0"):
        min_dcf([0.1, 0.2], [1, 0], 1.0)
    with pytest.raises(ValueError, match="c_miss, c_fa: expected numbers > 0, found 0 and 1"):
        min_dcf([0.1, 0.2], [1, 0], c_miss=0)


@settings(max_examples=60, deadline=None)
@given(trials())
def test_sorted_scores_have_the_curve_of_the_weighted_ones(case):
    scores, labels, _ = case
    for each, weighted in zip(det_curve(scores, labels), det_curve(scores, labels, np.ones(len(scores))), strict=True):
        assert each.tolist() == weighted.tolist()


@settings(max_examples=60, deadline=None)
@given(trials(), st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 0.9]))
def test_the_threshold_of_a_rate_is_the_lowest_that_keeps_it(case, rate):
    scores, labels = np.array(case[0]), np.array(case[1])
    found = SortedScores.of(scores, labels)
    threshold = found.threshold_at(rate)
    far, frr = found.rates(threshold)
    assert far == (scores[labels == 0] >= threshold).mean() <= rate
    assert frr == (scores[labels == 1] < threshold).mean()
    assert (scores[labels == 0] >= np.nextafter(threshold, -np.inf)).mean() > rate


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scores_of_their_own_type_are_held_against_a_threshold_as_it_says(dtype):
    rng = np.random.default_rng(2)
    labels = rng.integers(2, size=400)
    scores = np.round(rng.normal(size=400) + labels, 1).astype(dtype)  # with ties
    found = SortedScores.of(scores, labels)
    for rate in (0.0, 0.01, 0.1, 0.3):
        threshold = found.threshold_at(rate)
        assert (scores[labels == 0] >= threshold).mean() == found.rates(threshold)[0] <= rate
    for curve in (found.points(), det_curve(scores, labels, np.ones(400))):
        for threshold, frr, far in zip(*(each.tolist() for each in curve), strict=True):
            assert (scores[labels == 0] >= threshold).mean() == pytest.approx(far)
            assert (scores[labels == 1] < threshold).mean() == pytest.approx(frr)


def test_a_rate_next_to_one_accepts_all_impostors_but_one():
    found = SortedScores.of(np.arange(10.0), [1, *[0] * 9])
    assert found.rates(found.threshold_at(1 - 1e-12)) == (8 / 9, 1.0)


def test_known_threshold_and_a_rate_out_of_range():
    scores = SortedScores.of([0.9, 0.5, 0.4, 0.3, 0.2], [1, 0, 0, 0, 0])
    assert scores.threshold_at(0.5) == np.nextafter(0.3, 1) and scores.rates(0.3) == (0.75, 0.0)
    with pytest.raises(ValueError, match=r"far: expected a rate in \[0, 1\), found 1.0"):
        scores.threshold_at(1.0)


def test_a_thinned_curve_keeps_ends_and_stays_near_it():
    scores, labels = random_trials(n=60_000)
    curve = det_curve(scores, labels)
    thin = curve.thinned(400, len(scores))
    assert 200 < len(thin.far) <= 404 and eer_at(thin) == eer_at(curve)
    assert [each[0] for each in thin] == [-np.inf, 0, 1] and [each[-1] for each in thin] == [np.inf, 1, 0]
    known = set(zip(*map(np.ndarray.tolist, curve), strict=True))
    assert set(zip(*map(np.ndarray.tolist, thin), strict=True)) <= known
    for far in (0.0005, 0.01, 0.3):  # rare errors too, where most points of the curve are not
        nearest = thin.frr[np.argmin(np.abs(np.log(thin.far.clip(1e-9) / far)))]
        assert nearest == pytest.approx(curve.frr[np.argmin(np.abs(curve.far - far))], abs=0.02)
    assert isinstance(thin, OperatingPoints) and curve.thinned(10**6, len(scores)) is curve
