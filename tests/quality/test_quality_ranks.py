"""Ranks: against a plain loop, and what must hold whatever the values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cross_modal_kd.quality.errors import QualityError
from cross_modal_kd.quality.ranks import DomainScore, EmpiricalCDF, QualityScore

numbers = st.lists(st.integers(-5, 5) | st.floats(-1e6, 1e6), min_size=1, max_size=40)


@given(reference=numbers, values=numbers)
def test_mid_ranks_against_a_plain_loop(reference, values):
    expected = [(sum(v < x for v in reference) + sum(v == x for v in reference) / 2) / len(reference) for x in values]
    np.testing.assert_allclose(EmpiricalCDF.fit(reference)(values), expected)


@given(reference=numbers)
def test_ranks_of_the_reference_average_one_half_whatever_its_ties(reference):
    assert EmpiricalCDF.fit(reference)(reference).mean() == pytest.approx(0.5)


@given(reference=numbers, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_ranks_know_no_unit(reference, scale, shift):
    values = np.round(np.asarray(reference, dtype=float), 3)
    ranks = EmpiricalCDF.fit(values)(values)
    moved = np.round(scale, 2) * values + np.round(shift, 2)
    np.testing.assert_allclose(EmpiricalCDF.fit(moved)(moved), ranks, atol=1e-12)


def test_scores_are_uniform_over_the_reference_and_rise_with_every_measure():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=500), rng.lognormal(size=500)
    score = QualityScore.fit({"a": a, "b": b})
    found = score({"a": a, "b": b})
    assert ((found > 0) & (found < 1)).all()
    np.testing.assert_allclose(np.histogram(found, 10, (0, 1))[0], 50, atol=2)
    assert (score({"a": a + 0.5, "b": b}) >= found).all()
    np.testing.assert_array_equal(score({"a": [-99, 99], "b": [0, 1e9]}), [0, 1])


def test_one_measure_alone_keeps_its_order():
    values = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(QualityScore.fit({"a": values})({"a": values}), [7 / 8, 1 / 8, 1 / 2, 1 / 2])


def test_what_has_no_ranks_is_refused():
    with pytest.raises(QualityError, match="found 1 that are not"):
        EmpiricalCDF.fit([1.0, np.nan])
    with pytest.raises(QualityError, match="N at least 1"):
        EmpiricalCDF.fit([])
    with pytest.raises(QualityError, match="at least one measure"):
        QualityScore.fit({})


def test_the_worst_sees_a_damage_that_the_mean_is_outvoted_on():
    rng = np.random.default_rng(0)
    reference = {name: rng.normal(size=400) for name in "abc"}
    damaged = {"a": [-4.0], "b": [1.5], "c": [1.5]}  # one measure falls, the others take it for quality
    assert QualityScore.fit(reference, "worst")(damaged)[0] < 0.02
    assert QualityScore.fit(reference, "mean")(damaged)[0] > 0.4
    np.testing.assert_allclose(QualityScore.fit(reference, "worst")(reference).mean(), 0.5, atol=1e-9)


def test_a_sample_is_ranked_among_its_own_domain_where_that_is_large_enough():
    values = np.concatenate([np.arange(60), 1000 + np.arange(60), [5000.0, 6000.0]])
    domains = np.array(["dull"] * 60 + ["sharp"] * 60 + ["rare", None], dtype=object)
    score = DomainScore.fit({"a": values}, domains, "mean", least=60)
    asked = {"a": [30.0, 1030.0, 5000.0, 30.0]}
    found = score(asked, np.array(["dull", "sharp", "rare", None], dtype=object))
    overall = QualityScore.fit({"a": values})({"a": [5000.0, 30.0]})
    np.testing.assert_allclose(found, [30.5 / 60, 30.5 / 60, *overall])


@pytest.mark.parametrize("combine", ["mean", "worst"])
@pytest.mark.parametrize("count", [2_500, 30_000])
def test_a_score_of_fewer_values_is_the_same_score_where_measures_tie(combine, count):
    rng, most = np.random.default_rng(3), 2_000
    measures = {
        "noise": np.minimum(-3, -rng.gamma(2, 1.2, count)),  # most are the cleanest that there are
        "sharpness": rng.normal(size=count),
    }
    whole, kept = QualityScore.fit(measures, combine), QualityScore.fit(measures, combine, most)
    assert {len(each.sorted_values) for each in (kept.of_all, *kept.of_measure.values())} == {most}
    moved = np.abs(whole(measures) - kept(measures))
    assert moved.mean() < 1 / most and (moved > 0.01).mean() < 2e-3
    assert np.array_equal(QualityScore.fit(measures, combine, count)(measures), whole(measures))
