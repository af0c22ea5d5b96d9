"""Thresholds and calibrations against their definitions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from cross_modal_kd.config import DeploymentConfig
from cross_modal_kd.student.decide import probability_of
from cross_modal_kd.student.operating import Trials, find_thresholds, fit_scores, fit_temperature


def trials(targets=400, impostors=20_000, labels=30, seed=0, apart=1.5, split="dev"):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(apart, 1, targets), rng.normal(0, 1, impostors)])
    return Trials(scores, np.repeat([1, 0], [targets, impostors]), labels, split)


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
    dev = Trials(
        np.repeat([1.0, 0.5, 0.5, 0.0], [50, 50, 300, 2000]), np.repeat([1, 1, 0, 0], [50, 50, 300, 2000]), 9, "dev"
    )
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


def test_no_false_acceptance_in_few_trials_is_no_rate_of_zero():
    dev = trials(apart=50, impostors=150)
    eer = find_thresholds(dev, None, DeploymentConfig())[0]
    assert eer.far == 0.0
    assert eer.far_upper == pytest.approx(1 - 0.05 ** (1 / 150))  # the rule of three: 2 %
