"""What an interval rests on, and below which there is none."""

import numpy as np
import pytest

from cross_modal_kd.metrics import (
    Evidence,
    Least,
    bootstrap_mean,
    cluster_weights,
    paired_difference,
    percentile_interval,
    relative_reduction,
    weakest,
)

FEW = Least(clusters=5, resamples=10)


def over(clusters: int, resamples: int = 200, least: Least | None = None) -> tuple[float, np.ndarray, Evidence]:
    """A mean over clusters that differ, in every resample, and what it rests on."""
    values = np.random.default_rng(0).normal(size=clusters)
    weights = cluster_weights(max(clusters, 2), resamples, seed=1)
    numbers = np.arange(clusters)
    resampled = bootstrap_mean(values, numbers, weights)
    return float(values.mean()), resampled, Evidence.of(weights, numbers, least=least)


@pytest.mark.parametrize(("clusters", "there"), [(1, False), (2, False), (9, False), (10, True), (40, True)])
def test_below_ten_clusters_there_is_no_interval(clusters, there):
    value, resampled, evidence = over(clusters)
    found = percentile_interval(value, resampled, 0.95, evidence)
    assert found.value == value
    if there:
        assert found.low < value < found.high and found.reason == ""
    else:
        assert found.low is found.high is None
        assert found.reason == f"{clusters} clusters; an interval needs at least 10"


def test_the_least_number_of_clusters_is_where_the_coverage_is_nine_in_ten():
    """Of normal values; the figures that ``Least`` names, by simulation."""
    rng = np.random.default_rng(0)
    for clusters, expected in ((2, 0.50), (5, 0.85), (10, 0.90), (20, 0.93)):
        values, weights = rng.normal(size=(2000, clusters)), cluster_weights(clusters, 400, seed=2)
        means = values @ weights.T / clusters
        low, high = np.quantile(means, [0.025, 0.975], axis=1)
        assert ((low <= 0) & (high >= 0)).mean() == pytest.approx(expected, abs=0.03)


def test_resamples_that_are_the_same_draw_count_once():
    value, resampled, evidence = over(12, resamples=8, least=FEW)
    repeated = Evidence(evidence.clusters, np.tile(evidence.draws, 30), FEW)
    found = percentile_interval(value, np.tile(resampled, 30), 0.95, repeated)
    assert found.reason == "8 of 240 resamples differ and can be used; an interval needs at least 10"
    assert found.low is None


def test_resamples_in_which_the_metric_is_not_defined_do_not_count():
    value, resampled, evidence = over(12, resamples=50)
    resampled[:20] = np.nan
    found = percentile_interval(value, resampled, 0.95, evidence)
    assert found.reason == "30 of 50 resamples differ and can be used; an interval needs at least 40"
    value, resampled, evidence = over(12, resamples=200)
    resampled[:150] = np.nan
    found = percentile_interval(value, resampled, 0.95, evidence)
    assert found.reason == "150 of 200 resamples are NaN; too few clusters for an interval" and found.low is None


def test_an_interval_without_width_is_none():
    weights = cluster_weights(12, 200, seed=0)
    evidence = Evidence.of(weights, np.arange(12))
    same = bootstrap_mean(np.full(12, 0.1), np.arange(12), weights)
    before = np.random.default_rng(0).uniform(0.2, 0.4, 200)
    for found in (
        percentile_interval(0.1, same, 0.95, evidence),
        paired_difference(0.3, 0.4, before, before + 0.1, 0.95, evidence),
        relative_reduction(0.3, 0.15, before, before / 2, 0.95, evidence),
    ):
        assert found.low is found.high is None and found.reason.startswith("all resamples give the same value")


def test_the_sort_with_the_fewest_clusters_counts_and_absent_ones_do_not():
    weights = cluster_weights(20, 100, seed=0)
    targets, impostors = np.array([3, 3, 4]), np.arange(20)
    evidence = Evidence.of(weights, targets, impostors)
    assert evidence.clusters == 2
    of_two = Evidence.of(weights, targets)
    drawn = len({tuple(row) for row in weights[:, [3, 4]].tolist()})
    assert len(np.unique(of_two.draws)) == drawn < 100


def test_a_comparison_rests_on_the_weaker_side():
    strong, weak = over(30)[2], over(4)[2]
    assert strong.weaker(weak) is weak.weaker(strong) is weakest([strong, None, weak]) is weak
    assert strong.weaker(None) is strong and weakest([None]) is None
