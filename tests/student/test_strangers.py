"""How often a stranger is taken for one who is enrolled: measured on dev, by how many samples one is enrolled with."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.student.record import Threshold
from cross_modal_kd.student.strangers import SIZES, rate_of_any, rates_by_size

COMMON = 0.6


def people(count, samples, seed):
    """(count * samples, 16) embeddings with a direction that all share, and their labels."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 1, 16)) + COMMON
    values = (centres + rng.normal(size=(count, samples, 16))).reshape(-1, 16)
    return values, pd.Series(np.repeat([f"p{number}" for number in range(count)], samples))


def test_single_samples_are_taken_as_pairs_are_and_means_of_several_more_often():
    values, labels = people(60, 20, 0)
    unit, other = unit_rows(values), labels.to_numpy()[:, None] != labels.to_numpy()[None, :]
    threshold = float(np.quantile((unit @ unit.T)[other], 0.99))
    (rates,) = rates_by_size(values, labels, [threshold], least=5, seed=0)
    assert tuple(rates) == SIZES
    assert rates[1] == pytest.approx(0.01, rel=0.3)
    assert rates[1] < rates[4] < rates[16] and rates[16] > 0.012


@pytest.mark.parametrize("size", [1, 4, 8])
def test_the_rate_holds_for_strangers_that_had_no_part_in_it(size):
    values, labels = people(60, 20, 0)
    threshold = 0.62
    (rates,) = rates_by_size(values, labels, [threshold], least=5, seed=0)
    others, names = people(400, 20, 1)
    unit, numbers = unit_rows(others), pd.factorize(names)[0]
    means = unit_rows(np.stack([unit[numbers == number][:size].mean(axis=0) for number in range(200)]))
    found = (unit[numbers >= 200] @ means.T >= threshold).mean()
    assert rates[size] == pytest.approx(found, rel=0.35) and found > 0.005


def test_a_size_rests_on_as_many_labels_as_a_threshold_does():
    values, labels = people(6, 4, 0)
    few = np.r_[:12, 12, 16, 20]  # three labels of four samples, three of one
    (rates,) = rates_by_size(values[few], labels.iloc[few], [0.5], least=4, seed=0)
    assert tuple(rates) == (1,)
    assert rates_by_size(values, labels, [], least=4, seed=0) == []


def test_the_rate_of_any_adds_names_up_and_is_never_nothing():
    at = Threshold(name="eer", value=0.5, far=0.0, far_upper=0.02, far_enrolled={1: 0.0, 4: 0.05})
    assert rate_of_any(at, [1, 1]) == pytest.approx(0.04)  # 150 trials without an error do not say 0
    assert rate_of_any(at, [1, 2, 9]) == pytest.approx(0.02 + 0.05 + 0.05)
    assert rate_of_any(at, [4] * 50) == 1.0
    assert rate_of_any(at.model_copy(update={"far_enrolled": {}, "far_upper": None, "far": 0.1}), [3]) == 0.1
    assert rate_of_any(Threshold(name="eer", reason="too few"), [1]) is None
