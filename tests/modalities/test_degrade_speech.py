"""Known damage to sounds is as strong as it says."""

import numpy as np
import pytest

from cross_modal_kd.modalities.speech.degrade import DEGRADATIONS, mix_at_snr

RATE = 16000


def clip(seed: int, seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.02 * rng.standard_normal(int(seconds * RATE)) * rng.uniform(0.2, 1)).astype(np.float32)


def damage(name: str, wave: np.ndarray, level: float, seed: int = 0) -> np.ndarray:
    others = [clip(9), clip(10, 0.3), clip(11, 2.0), np.zeros(100, np.float32)]
    return DEGRADATIONS[name](wave, level, np.random.default_rng(seed), sample_rate=RATE, others=others)


@pytest.mark.parametrize("name", ["white", "pink", "babble"])
@pytest.mark.parametrize("snr_db", [20, 7.5, 0, -5])
def test_noise_is_added_at_exactly_that_snr(name, snr_db):
    wave = clip(0).astype(np.float64)
    noise = damage(name, clip(0), snr_db).astype(np.float64) - wave
    assert 10 * np.log10((wave**2).mean() / (noise**2).mean()) == pytest.approx(snr_db, abs=1e-3)


def test_a_mixture_above_full_scale_is_turned_down_as_a_whole():
    wave = np.sin(np.arange(RATE) / 7).astype(np.float32)
    noise = np.cos(np.arange(RATE) / 5)
    mixture = mix_at_snr(wave, noise, 0).astype(np.float64)
    assert np.abs(mixture).max() == pytest.approx(1)
    gains, *_ = np.linalg.lstsq(np.stack([wave, noise], axis=1), mixture, rcond=None)
    powers = gains**2 * [(wave.astype(float) ** 2).mean(), (noise**2).mean()]
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_length_range_and_seed(name):
    wave = clip(1)
    for level in DEGRADATIONS[name].levels:
        first, second = damage(name, wave, level), damage(name, wave, level)
        assert first.dtype == np.float32 and first.shape == wave.shape and np.abs(first).max() <= 1
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, wave)
    assert np.isfinite(damage(name, np.zeros(3000, np.float32), level)).all()


def test_pink_noise_falls_by_three_decibels_an_octave():
    noise = damage("pink", clip(0, 8), -60)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[low : 2 * low].mean() for low in (1000, 2000, 4000, 8000, 16000)]
    np.testing.assert_allclose(np.diff(10 * np.log10(octaves)), -3.0, atol=0.6)


def test_reverberation_keeps_the_power_and_decays_by_sixty_decibels():
    click = np.zeros(2 * RATE, np.float32)
    click[0] = 0.5
    t60 = 0.5
    wet = damage("reverberation", click, t60).astype(np.float64)
    assert (wet**2).mean() == pytest.approx((click.astype(float) ** 2).mean(), rel=1e-4)
    early, late = (wet[int(a * RATE) : int((a + 0.05) * RATE)] for a in (0.05, 0.3))
    fall = 10 * np.log10((early**2).mean() / (late**2).mean())
    assert fall == pytest.approx(60 * 0.25 / t60, abs=2)


def test_clipping_cuts_that_far_below_the_peak():
    wave = clip(2)
    assert np.abs(damage("clipping", wave, 6.0)).max() == pytest.approx(np.abs(wave).max() * 10 ** (-6 / 20), rel=1e-5)


def test_band_limit_takes_what_is_above_and_leaves_what_is_below():
    wave = clip(3)
    limited = damage("band_limit", wave, 2000)
    power = np.abs(np.fft.rfft(limited)) ** 2 / np.abs(np.fft.rfft(wave)) ** 2
    assert power[100:1500].mean() == pytest.approx(1, abs=0.1) and np.median(power[3000:]) < 1e-3
    np.testing.assert_array_equal(damage("band_limit", wave, 8000), wave)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match=r"needs \['others'\] beside the sample"):
        DEGRADATIONS["babble"](clip(0), 5, np.random.default_rng(0), sample_rate=RATE)
    with pytest.raises(ValueError, match="babble needs clips of other speakers"):
        DEGRADATIONS["babble"](clip(0), 5, np.random.default_rng(0), others=[])
