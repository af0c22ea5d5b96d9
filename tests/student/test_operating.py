"""Thresholds and calibrations against their definitions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from cross_modal_kd.config import DeploymentConfig
from cross_modal_kd.metrics import cosine_scores, unit_rows
from cross_modal_kd.student.decide import probability_of
from cross_modal_kd.student.operating import Trials, find_thresholds, fit_scores, fit_temperature


def trials(targets=400, impostors=20_000, labels=30, seed=0, apart=1.5, split="dev"):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(apart, 1, targets), rng.normal(0, 1, impostors)])
    sides = rng.integers(labels, size=(2, targets + impostors))
    sides[1, :targets] = sides[0, :targets]
    sides[1, targets:] = (sides[0, targets:] + rng.integers(1, labels, size=impostors)) % labels
    return Trials(scores, np.repeat([1, 0], [targets, impostors]), labels, split, sides)


def rates(given, value):
    accepted = given.scores >= value
    return accepted[given.targets == 0].mean(), (~accepted[given.targets == 1]).mean()


def test_each_threshold_is_where_its_name_says():
    dev, test = trials(), trials(seed=1, split="test")
    found = {each.name: each for each in find_thresholds(dev, test, DeploymentConfig())}
    assert list(found) == ["eer", "min_dcf_01", "far_0.01", "far_0.001"]
    for each in found.values():
        assert (each.far, each.frr) == pytest.approx(rates(dev, each.value))
        assert each.far < each.far_upper <= 1
        assert (each.test_far, each.test_frr) == pytest.approx(rates(test, each.value))
    assert found["eer"].far == pytest.approx(found["eer"].frr, abs=1 / 400)
    cost = [0.01 * frr + 0.99 * far for far, frr in (rates(dev, value) for value in np.sort(dev.scores)[-3000:])]
    best = found["min_dcf_01"]
    assert 0.01 * best.frr + 0.99 * best.far == pytest.approx(min(cost))
    for rate in (0.01, 0.001):
        at = found[f"far_{rate:g}"]
        assert at.far == pytest.approx(rate)  # 20,000 impostors: the rate is met exactly
        below = dev.scores[(dev.targets == 0) & (dev.scores < at.value)].max()
        assert rates(dev, below)[0] > rate  # the lowest such threshold


@pytest.mark.parametrize("impostors", [9_999, 10_000])
def test_a_rate_needs_its_false_acceptances(impostors):
    last = find_thresholds(trials(impostors=impostors), None, DeploymentConfig())[-1]
    assert (last.value is None) == (impostors < 10_000)
    if last.value is None:
        assert "9999 impostor trials on dev, 10000 are needed" in last.reason
    assert last.test_far is None


@pytest.mark.parametrize("dev", [trials(labels=4), trials(targets=0), trials(impostors=0)])
def test_trials_that_cannot_bear_a_threshold_give_the_reason(dev):
    for each in find_thresholds(dev, None, DeploymentConfig()):
        assert each.value is None and each.far is None and "dev" in each.reason
    assert fit_scores(dev, DeploymentConfig()).slope is None and fit_scores(dev, DeploymentConfig()).reason


def test_equal_scores_are_accepted_together_and_never_more_than_the_rate():
    counts = [50, 50, 300, 2000]
    sides = np.random.default_rng(0).integers(9, size=(2, 2400))
    dev = Trials(np.repeat([1.0, 0.5, 0.5, 0.0], counts), np.repeat([1, 1, 0, 0], counts), 9, "dev", sides)
    found = find_thresholds(dev, None, DeploymentConfig(far=[0.05]))[-1]
    assert found.value > 0.5 and found.far == 0.0 and found.frr == 0.5


def test_scores_are_calibrated_as_by_logistic_regression_at_even_odds():
    dev = trials(targets=300, impostors=3000)
    found = fit_scores(dev, DeploymentConfig())
    peer = LogisticRegression(C=1e6, class_weight="balanced", tol=1e-8, max_iter=10_000)
    peer.fit(dev.scores[:, None], dev.targets)
    assert found.slope == pytest.approx(peer.coef_[0, 0], rel=1e-3)
    assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-3, abs=1e-3)
    assert 0 < found.loss < 1
    parted = fit_scores(trials(apart=50), DeploymentConfig())
    assert parted.slope is None and "0 dev trials lie among those of the other sort" in parted.reason


def test_a_score_that_is_no_number_has_no_probability_of_one():
    fitted = SimpleNamespace(calibration=fit_scores(trials(), DeploymentConfig()))
    assert np.isnan(probability_of(fitted, float("nan")))
    assert probability_of(fitted, 1e6) == 1.0 and 0 < probability_of(fitted, -1e6) < 1e-300


def test_a_temperature_undoes_logits_that_are_too_large():
    rng = np.random.default_rng(0)
    right = rng.normal(0, 1.5, (4000, 5))
    shares = np.exp(right) / np.exp(right).sum(1, keepdims=True)
    labels = pd.Series([list("abcde")[rng.choice(5, p=share)] for share in shares])
    found = fit_temperature(torch.from_numpy(3 * right), labels, list("abcde"), 10)
    assert found.value == pytest.approx(3, rel=0.1)
    assert found.after < found.before and found.samples == 4000
    unseen = fit_temperature(torch.from_numpy(right), labels.replace("a", "z"), list("abcde"), 10)
    assert unseen.value is None and "open set" in unseen.reason


def test_answers_that_are_all_right_do_not_tell_how_sure_they_are():
    labels = pd.Series(list("abcde") * 4)
    logits = 0.1 * torch.eye(5).repeat(4, 1)
    found = fit_temperature(logits, labels, list("abcde"), 10)
    assert found.value is None and found.samples == 20
    assert found.reason.startswith(
        "0 of the 20 dev samples are answered wrongly, fewer than deployment.min_errors = 10"
    )
    turned = fit_temperature(logits, labels.where(labels.index >= 10, "a"), list("abcde"), 8)
    assert turned.value is not None


@pytest.mark.parametrize("min_errors", [1, 10])
def test_no_false_acceptance_in_few_trials_is_no_rate_of_zero(min_errors):
    dev = trials(apart=50, impostors=150, labels=100)
    eer = find_thresholds(dev, None, DeploymentConfig(min_errors=min_errors))[0]
    assert eer.far == 0.0
    independent = beta.ppf(0.95, min_errors + 1, 150 - min_errors)  # of that many false acceptances
    assert independent < eer.far_upper < 2 * independent
    two = find_thresholds(trials(labels=2), None, DeploymentConfig(min_labels=2))[-1]
    assert two.far < two.far_upper < 1  # every pair has both labels: their sums do not vary
    few = trials(apart=50, impostors=9)
    assert find_thresholds(few, None, DeploymentConfig(min_errors=10))[0].far_upper == 1.0


def world(rng, labels, each):
    """Scores of all pairs of samples, whose labels are of different spread."""
    label = np.repeat(np.arange(labels), each)
    spread = 0.6 * np.exp(0.3 * rng.normal(size=labels))[label][:, None]
    values = unit_rows(rng.normal(size=(labels, 8))[label] + spread * rng.normal(size=(len(label), 8)))
    sides = np.stack(np.triu_indices(len(label), 1))
    of = label[sides]
    return Trials(cosine_scores(values, *sides), (of[0] == of[1]).astype(int), labels, "dev", of)


@pytest.mark.parametrize(("labels", "each", "share"), [(50, 4, 0.9), (10, 10, 0.75)])
def test_a_false_acceptance_rate_between_other_labels_is_below_its_bound(labels, each, share):
    rng = np.random.default_rng(5)
    whole = world(rng, 1500, 2)
    others = np.sort(whole.scores[whole.targets == 0])
    held = {}
    for _ in range(60):
        for found in find_thresholds(world(rng, labels, each), None, DeploymentConfig(far=[0.05, 0.01])):
            true = 1 - np.searchsorted(others, found.value) / len(others)
            held.setdefault(found.name, []).append(true <= found.far_upper)
    assert len(held) == 4 and all(np.mean(each) >= share for each in held.values()), held
