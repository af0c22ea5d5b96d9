"""Quality measures of one sound: float32 wave (T,) in [-1, 1] and its rate in Hz in, one float out, higher is better.

No measure needs a clean reference. They are comparable only through their ranks: the unit of each is said in its
docstring.
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cross_modal_kd.modalities.speech import vad, wada
from cross_modal_kd.modalities.speech.read import is_odd, resample

FRAME_S = 0.02
ACTIVE_DB = 30.0
FLOOR_DB = -100.0
PLATEAU = 0.01
PRE_EMPHASIS = 0.97
ROLL_OFF = 0.99
WIDEST_DYNAMICS_DB = 60.0
BLOCK = 2**22

Wave = NDArray[np.float32]


def _frames(wave: Wave, sample_rate: int) -> Wave:
    """(n, 20 ms) frames side by side; a last part of a frame is left out unless it is all there is."""
    length = max(1, round(FRAME_S * sample_rate))
    if len(wave) < length:
        wave = np.pad(wave, (0, length - len(wave)))
    return wave[: len(wave) // length * length].reshape(-1, length)


def _levels(frames: Wave) -> NDArray[np.float64]:
    """Mean power of each frame in dB of full scale, at least -100."""
    power = np.einsum("nt,nt->n", frames, frames, dtype=np.float64) / frames.shape[1]
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def _active(wave: Wave, sample_rate: int) -> Wave:
    """The frames within 30 dB of the loudest."""
    frames = _frames(wave, sample_rate)
    levels = _levels(frames)
    return frames[levels >= levels.max() - ACTIVE_DB]


def snr_wada(wave: Wave, sample_rate: int) -> float:
    """Blind SNR: see ``wada``. Babble, being speech too, is only partly seen as noise.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: not used.

    Returns:
        dB, within [-20, 100].
    """
    return wada.snr_db(wave)


def clipping(wave: Wave, sample_rate: int) -> float:
    """-(share of samples within 1 % of the highest or of the lowest value): flat tops, at whatever level they stand.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: not used.

    Returns:
        In [-1, 0]; 0 for a constant wave.
    """
    top, bottom = float(wave.max(initial=0)), float(wave.min(initial=0))
    if top == bottom:
        return 0.0
    flat = np.zeros(len(wave), dtype=bool)
    if top > 0:
        flat |= wave >= (1 - PLATEAU) * top
    if bottom < 0:
        flat |= wave <= (1 - PLATEAU) * bottom
    return -float(flat.mean())


def speech_level(wave: Wave, sample_rate: int) -> float:
    """Mean power of the active frames (20 ms, within 30 dB of the loudest).

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz.

    Returns:
        dB of full scale, within [-100, 0] (a full-scale square wave is 0 dB).
    """
    active = _active(wave, sample_rate).astype(np.float64)
    return float(10 * np.log10(max(float(np.square(active, out=active).mean()), 10 ** (FLOOR_DB / 10))))


def dynamics(wave: Wave, sample_rate: int) -> float:
    """95th less 10th percentile of the frames' levels: noise and reverberation fill the pauses.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz.

    Returns:
        dB, within [0, 60].
    """
    low, high = np.percentile(_levels(_frames(wave, sample_rate)), [10, 95])
    return float(min(high - low, WIDEST_DYNAMICS_DB))


def decay(wave: Wave, sample_rate: int) -> float:
    """The steepest falls of the level, in dB within 50 ms (the 98th percentile of them).

    A room cannot fall faster than its reverberation does, nor can speech fall below the noise: the measure answers to
    both.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz.

    Returns:
        dB, within [0, 60]; 0 for a wave under 60 ms.
    """
    length = max(1, round(FRAME_S / 2 * sample_rate))
    if len(wave) < 6 * length:
        return 0.0
    levels = _levels(wave[: len(wave) // length * length].reshape(-1, length))
    return float(np.clip(np.percentile(levels[:-5] - levels[5:], 98), 0, WIDEST_DYNAMICS_DB))


def bandwidth(wave: Wave, sample_rate: int) -> float:
    """The frequency below which 99 % of the energy of the active frames lies, after pre-emphasis (1 - 0.97 / z).

    Falls with the cut-off of a channel. White noise raises it: leave it out of the score where inputs are noisy.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz.

    Returns:
        Hz, up to half the rate; 0 for silence.
    """
    emphasised = wave.astype(np.float32)
    emphasised[1:] -= PRE_EMPHASIS * wave[:-1]
    power = _mean_spectrum(_active(emphasised, sample_rate))
    total = np.cumsum(power)
    if total[-1] <= 0:
        return 0.0
    frequencies = np.linspace(0, sample_rate / 2, len(power))
    return float(np.interp(ROLL_OFF * total[-1], total, frequencies))


def _mean_spectrum(frames: Wave) -> Wave:
    """Mean power by frequency of n frames, so many of which are looked at side by side as have ``BLOCK`` values."""
    window = np.hanning(frames.shape[1]).astype(np.float32)
    side_by_side = max(1, BLOCK // frames.shape[1])
    blocks = [frames[start : start + side_by_side] for start in range(0, len(frames), side_by_side)]
    means = [(np.abs(np.fft.rfft(block * window, axis=1)) ** 2).mean(axis=0) for block in blocks]
    if len(means) == 1:
        return means[0]
    return np.average(means, axis=0, weights=[len(block) for block in blocks])


def active_speech_s(wave: Wave, sample_rate: int) -> float:
    """How much speech there is: the sum of the Silero detector's probabilities over frames of 32 ms.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz; the detector hears the wave at 16 kHz.

    Returns:
        Seconds.
    """
    return float(active_speech_all([(wave, sample_rate)])[0])


def active_speech_all(clips: Sequence[tuple[Wave, int]]) -> NDArray[np.float64]:
    """``active_speech_s`` of many clips, several times as fast as one by one.

    Args:
        clips: n pairs of a wave (T,) and its rate in Hz; lengths and rates may differ.

    Returns:
        (n,) float64, seconds.
    """
    probabilities = vad.speech_probabilities([_resampled(wave, rate, vad.RATE) for wave, rate in clips])
    return np.array([float(p.sum()) * vad.FRAME / vad.RATE for p in probabilities])


def dnsmos(wave: Wave, sample_rate: int) -> float:
    """Overall quality as the DNSMOS network predicts it. Slow (about half a second a clip), hence optional.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz; the network hears the wave at 16 kHz.

    Returns:
        Mean opinion score, 1 to 5.

    Raises:
        ModuleNotFoundError: the package speechmos or what it runs on is not installed; the message names the extra.
    """
    return float(_speechmos().run(np.clip(_resampled(wave, sample_rate, 16_000), -1, 1), sr=16_000)["ovrl_mos"])


@cache
def _speechmos() -> Any:
    try:
        from speechmos import dnsmos as package
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"quality measure 'dnsmos' needs the package {error.name!r}, which is not installed: "
            "pip install 'cross-modal-kd[dnsmos]', or take dnsmos out of quality.measures.speech",
            name=error.name,
        ) from error
    return package


def _resampled(wave: Wave, sample_rate: int, wanted: int) -> Wave:
    if sample_rate == wanted:
        return wave
    if is_odd(sample_rate, wanted):
        return resample(wave, sample_rate, wanted)
    from scipy.signal import resample_poly

    factor = gcd(sample_rate, wanted)
    return resample_poly(wave, wanted // factor, sample_rate // factor).astype(np.float32)


MEASURES: dict[str, Callable[[Wave, int], float]] = {
    "snr_wada": snr_wada,
    "clipping": clipping,
    "active_speech_s": active_speech_s,
    "bandwidth": bandwidth,
    "speech_level": speech_level,
    "dynamics": dynamics,
    "decay": decay,
    "dnsmos": dnsmos,
}
BATCHED: dict[str, Callable[[Sequence[tuple[Wave, int]]], NDArray[np.float64]]] = {"active_speech_s": active_speech_all}
