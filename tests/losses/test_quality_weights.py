"""What must hold of the weights whatever the qualities."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cross_modal_kd.losses import distillation_quality, quality_weights

QUALITIES = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1, width=32))
GAMMAS = st.floats(0, 5)


@settings(max_examples=60, deadline=None)
@given(QUALITIES, GAMMAS, st.floats(0, 1), st.floats(1, 10))
def test_mean_is_one_and_order_is_kept(quality, gamma, w_min, w_max):
    weights = quality_weights(quality, gamma, w_min, w_max)
    assert weights.shape == quality.shape
    assert weights.mean() == pytest.approx(1)
    assert (np.diff(weights[np.argsort(quality)]) >= -1e-9).all()


@settings(max_examples=60, deadline=None)
@given(QUALITIES, GAMMAS)
def test_torch_and_numpy_agree(quality, gamma):
    expected = quality_weights(quality, gamma)
    np.testing.assert_allclose(quality_weights(torch.from_numpy(quality), gamma).numpy(), expected, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(QUALITIES)
def test_gamma_zero_is_off(quality):
    np.testing.assert_array_equal(quality_weights(quality, 0.0), np.ones_like(quality))


@settings(max_examples=60, deadline=None)
@given(QUALITIES, GAMMAS, st.floats(0.05, 1), st.floats(1, 10))
def test_no_sample_outweighs_another_by_more_than_the_bounds(quality, gamma, w_min, w_max):
    weights = quality_weights(quality, gamma, w_min, w_max)
    assert weights.max() / weights.min() <= w_max / w_min * (1 + 1e-9)


def test_weights_are_the_formula():
    quality, gamma = [0.1, 0.4, 0.9, 1.0], 2.0
    power = [q**gamma for q in quality]
    mean = sum(power) / 4
    clipped = [min(max(p / mean, 0.5), 1.5) for p in power]
    expected = [w / (sum(clipped) / 4) for w in clipped]
    assert quality_weights(np.array(quality), gamma, 0.5, 1.5).tolist() == pytest.approx(expected)
    half = quality_weights(torch.tensor(quality, dtype=torch.bfloat16), gamma, 0.5, 1.5)
    assert half.dtype == torch.float32


def test_all_zero_qualities_weigh_the_same():
    assert quality_weights(np.zeros(3), 1.0).tolist() == [1.0, 1.0, 1.0]
    assert quality_weights(np.array([]), 1.0).tolist() == []


def test_pair_quality_is_the_geometric_mean():
    assert distillation_quality(np.array([0.25, 0.0]), np.array([1.0, 0.5])).tolist() == [0.5, 0.0]
    assert distillation_quality(torch.tensor([0.25]), torch.tensor([0.25])).tolist() == [0.25]


def test_wrong_qualities_are_refused_by_name():
    with pytest.raises(ValueError, match=r"quality: expected values in \[0, 1\], found nan"):
        quality_weights(np.array([0.1, np.nan]), 1.0)
    with pytest.raises(ValueError, match=r"quality: expected values in \[0, 1\], found 1.5; rank them first"):
        quality_weights(torch.tensor([1.5]), 1.0)
    with pytest.raises(ValueError, match="gamma: expected a number >= 0"):
        quality_weights(np.ones(2), -1.0)
    with pytest.raises(ValueError, match="w_min, w_max: expected 0 <= w_min <= 1 <= w_max"):
        quality_weights(np.ones(2), 1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match=r"teacher: expected the student's shape \(2,\), found \(3,\)"):
        distillation_quality(np.ones(2), np.ones(3))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.parametrize("gamma", [100.0, 5_000.0, 1e6])
def test_the_best_of_poor_samples_count_at_a_large_gamma_too(kind, gamma):
    weights = quality_weights(kind(np.array([0.2, 0.01, 0.2, 0.0], dtype=np.float32)), gamma)
    assert weights.tolist() == pytest.approx(np.array([2, 0.1, 2, 0.1]) / 1.05)
