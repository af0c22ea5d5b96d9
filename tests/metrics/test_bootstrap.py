"""Weighted resamples against resamples written out trial by trial."""

import time
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import f1_score

from cross_modal_kd.metrics import (
    Interval,
    bootstrap_mean,
    bootstrap_statistic,
    bootstrap_verification,
    calibration_error,
    cluster_weights,
    eer,
    joined_interval,
    macro_f1,
    mean_interval,
    min_dcf,
    paired_difference,
    percentile_interval,
    relative_reduction,
    roc_auc,
    without_bias,
)


def all_pairs(clusters=6, each=4, seed=0):
    """All pairs of samples of some clusters, with two sets of scores."""
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(clusters), each)
    first, second = np.triu_indices(len(owner), 1)
    labels = (owner[first] == owner[second]).astype(int)
    sets = [(labels + generator.normal(size=len(labels))).round(1) for _ in range(2)]
    return sets, labels, owner[first], owner[second]


def test_cluster_weights_are_draws_with_replacement():
    weights = cluster_weights(7, 400, seed=1)
    assert weights.shape == (400, 7) and (weights.sum(1) == 7).all()
    np.testing.assert_allclose(weights.mean(0), 1, atol=0.2)
    np.testing.assert_array_equal(weights, cluster_weights(7, 400, seed=1))
    assert (weights != cluster_weights(7, 400, seed=2)).any()


def test_verification_is_that_of_trials_written_out():
    sets, labels, enrol, test = all_pairs()
    weights = cluster_weights(6, 20, seed=0)
    result = bootstrap_verification(sets, labels, enrol, test, weights, p_targets=(0.01, 0.3))
    for row, counts in enumerate(weights):
        # a trial within a cluster comes with each copy of it, one between clusters with each pair of copies
        copies = [counts[c] if c == e else counts[c] * counts[e] for c, e in zip(enrol, test, strict=True)]
        drawn = np.repeat(np.arange(len(labels)), copies)
        for column, scores in enumerate(sets):
            assert result.eer[row, column] == pytest.approx(eer(scores[drawn], labels[drawn]))
            assert result.auc[row, column] == pytest.approx(roc_auc(scores[drawn], labels[drawn]))
            for p in (0.01, 0.3):
                assert result.min_dcf[p][row, column] == pytest.approx(min_dcf(scores[drawn], labels[drawn], p))


def test_trials_within_and_between_clusters_are_weighed_apart():
    """Families as clusters: targets and impostors are there both within one and between two."""
    generator = np.random.default_rng(3)
    enrol, test = (generator.integers(0, 5, 300) for _ in range(2))
    labels = generator.integers(0, 2, 300)
    scores = (labels * (1 + (enrol == test)) + generator.normal(size=300)).round(1)
    weights = cluster_weights(5, 20, seed=1)
    result = bootstrap_verification([scores], labels, enrol, test, weights)
    for row, counts in enumerate(weights):
        drawn = np.repeat(np.arange(300), np.where(enrol == test, counts[enrol], counts[enrol] * counts[test]))
        assert result.eer[row, 0] == pytest.approx(eer(scores[drawn], labels[drawn]))
        assert result.auc[row, 0] == pytest.approx(roc_auc(scores[drawn], labels[drawn]))


@pytest.mark.parametrize("targets", [0.5, 0.01], ids=["half targets", "few targets"])
@pytest.mark.parametrize("digits", [9, 2, 0], ids=["no ties", "ties", "hardly a score"])
def test_a_long_list_has_the_errors_of_its_weighted_trials(targets, digits):
    """More points than are looked at first; the curve of each resample is made by another way."""
    generator = np.random.default_rng(int(100 * targets) + digits)
    enrol, test = (generator.integers(0, 12, 4000) for _ in range(2))
    labels = (generator.random(4000) < targets).astype(int)
    scores = (2 * labels + generator.normal(size=4000)).round(digits)
    weights, costs = cluster_weights(12, 8, seed=2), (0.0001, 0.01, 0.3, 0.99)
    result = bootstrap_verification([scores], labels, enrol, test, weights, p_targets=costs)
    for row, counts in enumerate(weights):
        copies = np.where(enrol == test, counts[enrol], counts[enrol] * counts[test])
        assert result.eer[row, 0] == pytest.approx(eer(scores, labels, copies), abs=1e-12)
        assert result.auc[row, 0] == pytest.approx(roc_auc(scores, labels, copies), abs=1e-12)
        for p in costs:
            assert result.min_dcf[p][row, 0] == pytest.approx(min_dcf(scores, labels, p, weights=copies), abs=1e-12)


def test_every_cluster_once_is_the_point_estimate():
    sets, labels, enrol, test = all_pairs()
    result = bootstrap_verification(sets, labels, enrol, test, np.ones((1, 6), dtype=int))
    assert result.eer[0].tolist() == pytest.approx([eer(scores, labels) for scores in sets])


def test_a_resample_without_impostors_is_nan():
    sets, labels, enrol, test = all_pairs(clusters=2)
    result = bootstrap_verification(sets, labels, enrol, test, np.array([[2, 0], [1, 1]]))
    assert np.isnan(result.eer[0]).all() and np.isnan(result.auc[0]).all() and np.isnan(result.min_dcf[0.01][0]).all()
    assert np.isfinite(result.eer[1]).all()


def test_clusters_widen_the_interval_where_trials_depend_on_them():
    """Ten speakers of very different ease: resampling speakers must show more spread than resampling trials."""
    generator = np.random.default_rng(0)
    speaker = np.repeat(np.arange(10), 200)
    right = (generator.random(2000) < np.linspace(0.2, 0.9, 10)[speaker]).astype(float)
    by_speaker = bootstrap_mean(right, speaker, cluster_weights(10, 500, 0))
    by_sample = bootstrap_mean(right, np.arange(2000), cluster_weights(2000, 500, 0))
    assert by_speaker.std() > 3 * by_sample.std()


def test_a_thousand_resamples_of_two_hundred_thousand_trials_are_a_matter_of_seconds():
    generator = np.random.default_rng(0)
    n, clusters = 200_000, 490
    labels = (np.arange(n) < 5000).astype(int)
    enrol = generator.integers(0, clusters, n)
    test = np.where(labels == 1, enrol, (enrol + 1) % clusters)
    sets = [generator.normal(size=n) + 2 * labels for _ in range(2)]
    start = time.process_time()
    bootstrap_verification(sets, labels, enrol, test, cluster_weights(clusters, 50, 0))
    assert time.process_time() - start < 3.0  # of a core's, about 0.15 s


def test_means_are_those_of_samples_written_out():
    generator = np.random.default_rng(0)
    clusters, values = generator.integers(0, 5, 40), generator.normal(size=(40, 3))
    weights = cluster_weights(5, 20, 0)
    result = bootstrap_mean(values, clusters, weights)
    for row, counts in enumerate(weights):
        expected = np.repeat(values, counts[clusters], axis=0).mean(0)
        np.testing.assert_allclose(result[row], expected)
    np.testing.assert_allclose(bootstrap_mean(values[:, 1], clusters, weights), result[:, 1])
    absent = bootstrap_mean(np.ones(2), np.array([0, 0]), np.array([[0, 2], [1, 1]]))
    assert np.isnan(absent[0]) and absent[1] == 1


def test_statistics_are_those_of_samples_written_out():
    generator = np.random.default_rng(0)
    clusters, truth, predicted = (generator.integers(0, 4, 60) for _ in range(3))
    weights = cluster_weights(4, 20, 0)
    result = bootstrap_statistic(lambda w: macro_f1(predicted, truth, w), clusters, weights)
    for row, counts in enumerate(weights):
        drawn = np.repeat(np.arange(60), counts[clusters])
        present = np.unique(truth[drawn])
        expected = f1_score(truth[drawn], predicted[drawn], labels=present, average="macro", zero_division=0)
        assert result[row] == pytest.approx(expected)
    absent = bootstrap_statistic(lambda w: 1.0, np.array([0, 0]), np.array([[0, 2], [1, 1]]))
    assert np.isnan(absent[0]) and absent[1] == 1


def test_intervals_are_percentiles_with_seeds_averaged():
    resampled = np.random.default_rng(0).normal(size=(2000, 3))
    interval = percentile_interval([1.0, 2.0, 3.0], resampled, level=0.9)
    low, high = np.percentile(resampled.mean(1), [5, 95])
    assert interval == Interval(2.0, pytest.approx(low), pytest.approx(high), 0.9)
    single = percentile_interval(0.5, resampled[:, 0])
    assert (single.low, single.high) == pytest.approx(tuple(np.percentile(resampled[:, 0], [2.5, 97.5])))


def test_paired_intervals_keep_the_pairs():
    generator = np.random.default_rng(0)
    shared = generator.normal(size=1000)
    before, after = 10 + shared, 9 + shared
    difference = paired_difference(10.0, 9.0, before, after)
    assert (difference.value, difference.low, difference.high) == pytest.approx((-1.0, -1.0, -1.0))
    many = paired_difference([10.0, 10.0], 9.0, np.stack([before - 1, before + 1], axis=1), after)
    assert (many.low, many.high) == pytest.approx((-1.0, -1.0))
    halved = relative_reduction(10.0, 5.0, before, before / 2)
    assert (halved.value, halved.low, halved.high) == pytest.approx((0.5, 0.5, 0.5))
    worse = relative_reduction(10.0, 12.0, before, before * 1.2)
    assert (worse.value, worse.high) == pytest.approx((-0.2, -0.2))


def test_nan_resamples_are_left_out_unless_they_are_most():
    assert percentile_interval(1.0, [1.0, np.nan, 1.0]).low == 1.0
    assert percentile_interval(1.0, [1.0, np.nan]).low == 1.0  # half of them may be
    with pytest.raises(ValueError, match="resampled: 2 of 3 resamples are NaN; too few clusters"):
        percentile_interval(1.0, [1.0, np.nan, np.nan])
    assert relative_reduction(1.0, 0.5, [0.0, 1.0, 1.0], [0.5, 0.5, 0.5]).low == 0.5


def test_wrong_arguments_are_refused_by_name():
    sets, labels, enrol, test = all_pairs()
    weights = cluster_weights(6, 2, 0)
    with pytest.raises(ValueError, match="n_clusters, n_resamples: expected at least 2 clusters"):
        cluster_weights(1, 10, 0)
    with pytest.raises(ValueError, match="score_sets: expected at least one"):
        bootstrap_verification([], labels, enrol, test, weights)
    with pytest.raises(ValueError, match="enrol_cluster: expected integers from 0 to 5, found int64 1 to 6"):
        bootstrap_verification(sets, labels, np.where(enrol == 0, 6, enrol), test, weights)
    with pytest.raises(ValueError, match=r"test_cluster: expected shape \(276,\)"):
        bootstrap_verification(sets, labels, enrol, test[:5], weights)
    with pytest.raises(ValueError, match=r"labels: expected shape \(3,\)"):
        bootstrap_verification([*sets, sets[0][:3]], labels, enrol, test, weights)
    with pytest.raises(ValueError, match="values: expected finite numbers"):
        bootstrap_mean([1.0, np.nan], [0, 1], np.ones((1, 2)))
    with pytest.raises(ValueError, match="clusters: expected integers from 0 to 1"):
        bootstrap_mean([1.0, 2.0], [0, 2], np.ones((1, 2)))
    with pytest.raises(ValueError, match="level: expected 0 < level < 1, found 95"):
        percentile_interval(1.0, [1.0, 2.0], level=95)
    with pytest.raises(ValueError, match=r"resampled: expected shape \(R,\) or \(R, S\)"):
        percentile_interval(1.0, np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="resampled: expected the same number of resamples, found 2 and 3"):
        paired_difference(1.0, 1.0, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="baseline: expected an error rate above 0"):
        relative_reduction(0.0, 0.0, [1.0], [1.0])


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says_of_three_values_too():
    """Where resampling three values, whose ends are the least and the largest, holds it three times in four."""
    drawn = np.random.default_rng(0).normal(5, 2, size=(4000, 3))
    found = [mean_interval(values, 0.95) for values in drawn]
    assert np.mean([each.low <= 5 <= each.high for each in found]) == pytest.approx(0.95, abs=0.015)
    assert np.mean([(values.min() <= 5) & (values.max() >= 5) for values in drawn]) < 0.8
    assert mean_interval([1.0, np.nan], 0.95).reason == "of one seed there is no value"
    with pytest.raises(ValueError, match="0 < level < 1, found 95"):
        mean_interval([1.0, 2.0], 95)


def test_two_ways_of_varying_join_on_each_side_by_itself():
    first, second = Interval(1.0, 0.0, 5.0, 0.9), Interval(7.0, 4.0, 19.0, 0.9)
    found = joined_interval(first, second)
    assert (found.value, found.level) == (1.0, 0.9)
    assert found.low == pytest.approx(1 - np.hypot(1, 3)) and found.high == pytest.approx(1 + np.hypot(4, 12))
    lacking = Interval(2.0, None, None, 0.9, "too few clusters")
    assert joined_interval(first, lacking) == Interval(1.0, None, None, 0.9, "too few clusters")
    assert joined_interval(lacking, first).reason == "too few clusters"


@pytest.mark.parametrize(("sure", "least"), [(1.0, 0.2), (1.1, 0.6), (1.5, 0.8)])
def test_the_interval_of_a_calibration_error_is_not_raised_by_the_noise_of_its_resamples(sure, least):
    """Of classifiers whose logits are too small by ``sure``: exactly calibrated, almost, and not at all."""
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(30), 10)

    def drawn(count):
        answers = rng.normal(size=(count, 10)) * 2
        shares = [np.exp(scale * answers) for scale in (1.0, sure)]
        given, true = (each / each.sum(axis=1, keepdims=True) for each in shares)
        return given, (true.cumsum(axis=1) > rng.random(count)[:, None]).argmax(axis=1)

    truth = 0.0 if sure == 1 else calibration_error(*drawn(200_000))
    held, outside = [], []
    for seed in range(40):
        given, labels = drawn(300)
        value, weights = calibration_error(given, labels), cluster_weights(30, 100, seed)
        statistic = partial(calibration_error, given, labels, 15)
        found = bootstrap_statistic(statistic, clusters, weights)
        interval = percentile_interval(value, without_bias(value, found))
        held.append(interval.low <= truth <= interval.high)
        outside.append(not interval.low <= value <= interval.high)
    assert np.mean(held) >= least and np.mean(outside) <= 0.1


def test_resamples_that_are_not_defined_stay_so():
    assert np.isnan(without_bias(0.1, np.array([np.nan, np.nan]))).all()
    assert without_bias(0.5, np.array([np.nan, 0.5, 0.7])).tolist() == pytest.approx([np.nan, 0.3, 0.5], nan_ok=True)
