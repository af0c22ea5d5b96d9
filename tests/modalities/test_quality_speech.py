"""Speech measures: WADA against simulation, each measure orders its damage on synthetic and on real clips."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from cross_modal_kd.modalities.speech import vad, wada
from cross_modal_kd.modalities.speech.degrade import DEGRADATIONS
from cross_modal_kd.modalities.speech.quality import BATCHED, MEASURES
from cross_modal_kd.modalities.speech.read import decode_speech

RATE = 16000
VOICES = Path("data/01_raw/voices")
FAST = [name for name in MEASURES if name not in ("dnsmos", "active_speech_s")]
ORDERS = [
    ("snr_wada", "white", 0.7),
    ("snr_wada", "pink", 0.7),
    ("snr_wada", "babble", 0.6),
    ("dynamics", "white", 0.9),
    ("dynamics", "babble", 0.8),
    ("decay", "white", 0.9),
    ("decay", "reverberation", 0.8),
    ("clipping", "clipping", 0.95),
    ("speech_level", "clipping", 0.95),
    ("bandwidth", "band_limit", 0.95),
]


def synthetic() -> list[np.ndarray]:
    """Bursts of coloured noise with gamma-distributed amplitudes and pauses: speech for the statistics' sake."""
    waves = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        fine = rng.gamma(0.4, 1.0, 2 * RATE) * rng.choice([-1, 1], 2 * RATE)
        envelope = np.repeat(rng.choice([0.001, 0.3, 1.0], 20), RATE // 10)
        waves.append((0.05 * fine * envelope).astype(np.float32))
    return waves


def voices() -> list[np.ndarray]:
    files = sorted(VOICES.glob("*/*.ogg"))[40::300]
    return [decode_speech(file.read_bytes(), file.name)[0] for file in files]


CLIPS = {"synthetic": synthetic, "voices": voices}


@pytest.mark.parametrize("kind", CLIPS)
def test_each_measure_orders_its_damage(kind):
    waves = CLIPS[kind]()
    found = {}
    for name, damage, bound in ORDERS:
        degradation = DEGRADATIONS[damage]
        order = -np.arange(len(degradation.levels) + 1)
        correlations = []
        for place, wave in enumerate(waves):
            others = waves[:place] + waves[place + 1 :]
            damaged = [
                degradation(wave, level, np.random.default_rng(0), sample_rate=RATE, others=others)
                for level in degradation.levels
            ]
            values = [MEASURES[name](each, RATE) for each in [wave, *damaged]]
            correlations.append(spearmanr(values, order).statistic if np.ptp(values) > 0 else 0.0)
        found[name, damage] = (np.mean(correlations), bound)
    too_low = {key: value for key, value in found.items() if not value[0] >= value[1]}
    assert not too_low


@pytest.mark.parametrize("snr_db", [-5, 0, 5, 10, 20, 40])
def test_wada_finds_the_snr_of_gamma_speech_in_gaussian_noise(snr_db):
    rng = np.random.default_rng(snr_db + 5)
    clean = rng.gamma(wada.SHAPE, 1.0, 300_000) * rng.choice([-1, 1], 300_000)
    noise = rng.normal(0, np.sqrt(wada.SHAPE * (wada.SHAPE + 1) / 10 ** (snr_db / 10)), 300_000)
    assert wada.snr_db((0.1 * (clean + noise)).astype(np.float32)) == pytest.approx(snr_db, abs=0.7)


def test_wada_curve_rises_and_ends_at_the_pure_noise_value():
    snr, statistic = wada.curve()
    assert (np.diff(statistic) > 0).all() and len(snr) == 121
    # pure Gaussian noise: log sqrt(2/pi) + (Euler + log 2) / 2
    assert statistic[0] == pytest.approx(np.log(np.sqrt(2 / np.pi)) + (np.euler_gamma + np.log(2)) / 2, abs=1e-3)


def test_wada_ignores_gain_and_digital_silence():
    wave = voices()[0]
    found = wada.snr_db(wave)
    assert wada.snr_db(0.1 * wave) == pytest.approx(found, abs=1e-3)
    assert wada.snr_db(np.concatenate([np.zeros(8000, np.float32), wave])) == pytest.approx(found, abs=1e-6)


def test_clipping_and_level_have_their_units():
    time = np.arange(RATE) / RATE
    sine = (0.5 * np.sin(2 * np.pi * 100 * time)).astype(np.float32)
    assert MEASURES["speech_level"](sine, RATE) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    cut = np.clip(sine, -0.25, 0.25)
    # a sine cut at half its height lies on the plateau for two thirds of the time
    assert MEASURES["clipping"](cut, RATE) == pytest.approx(-2 / 3, abs=0.01)
    assert MEASURES["bandwidth"](sine, RATE) < 300


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize(
    "wave", [np.zeros(4000, np.float32), np.ones(5, np.float32), np.full(8000, -0.5, np.float32)], ids=str
)
def test_silence_and_very_short_clips_have_finite_measures(name, wave):
    assert np.isfinite(MEASURES[name](wave, RATE))


def test_the_detector_hears_speech_and_no_silence():
    wave = max(voices(), key=len)
    active = MEASURES["active_speech_s"]
    assert active(np.zeros(RATE, np.float32), RATE) < 0.1
    assert 0.3 < active(wave, RATE) <= len(wave) / RATE + vad.FRAME / vad.RATE


def test_side_by_side_the_detector_gives_what_it_gives_one_by_one():
    waves = voices()[:5]
    together = BATCHED["active_speech_s"]([(wave, RATE) for wave in waves])
    np.testing.assert_allclose(together, [MEASURES["active_speech_s"](wave, RATE) for wave in waves], rtol=1e-3)


def test_the_detector_leaves_the_number_of_threads_alone():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        vad.speech_probabilities([np.zeros(600, np.float32)])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_optional_measure_names_its_extra(monkeypatch):
    from cross_modal_kd.modalities.speech import quality

    quality._speechmos.cache_clear()
    monkeypatch.setitem(sys.modules, "speechmos", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'cross-modal-kd\[dnsmos\]', or take dnsmos out"):
        MEASURES["dnsmos"](np.zeros(RATE, np.float32), RATE)


def test_the_spectrum_of_a_very_long_wave_is_taken_block_by_block(monkeypatch):
    wave = np.random.default_rng(0).normal(size=80_000).astype(np.float32)
    whole = MEASURES["bandwidth"](wave, 16_000)
    monkeypatch.setattr("cross_modal_kd.modalities.speech.quality.BLOCK", 1000)
    assert MEASURES["bandwidth"](wave, 16_000) == pytest.approx(whole, rel=1e-5)
