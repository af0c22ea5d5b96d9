"""Known damage to a sound: float32 wave (T,) in [-1, 1] in and out, same length, seeded by the generator passed in.

SNR is the ratio of the mean powers of clip and noise over the whole clip. Where a mixture would exceed full scale,
clip and noise are turned down together, which leaves the SNR as it is.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from cross_modal_kd.modalities.degradation import Degradation

VOICES = 6

Wave = NDArray[np.float32]


def mix_at_snr(wave: Wave, noise: NDArray[np.floating], snr_db: float) -> Wave:
    """wave + g noise, with g such that 10 log10(power(wave) / power(g noise)) = snr_db.

    Args:
        wave: (T,) float32 in [-1, 1].
        noise: (T,) at any scale.
        snr_db: in dB, over the whole clip.

    Returns:
        (T,) float32 in [-1, 1]; the wave itself where it or the noise is silent.
    """
    signal_power = np.mean(wave.astype(np.float64) ** 2)
    noise_power = np.mean(noise.astype(np.float64) ** 2)
    if signal_power == 0 or noise_power == 0:
        return wave
    gain = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    return _within_full_scale(wave + gain * noise)


def _within_full_scale(wave: NDArray[np.floating]) -> Wave:
    return (wave / max(1.0, float(np.abs(wave).max(initial=0)))).astype(np.float32)


def white(wave: Wave, level: float, rng: np.random.Generator) -> Wave:
    """Gaussian noise.

    Args:
        wave: (T,) float32 in [-1, 1].
        level: SNR in dB.
        rng: draws the noise.

    Returns:
        (T,) float32 in [-1, 1].
    """
    return mix_at_snr(wave, rng.standard_normal(len(wave)), level)


def pink(wave: Wave, level: float, rng: np.random.Generator) -> Wave:
    """Gaussian noise whose power falls by 3 dB an octave.

    Args:
        wave: (T,) float32 in [-1, 1].
        level: SNR in dB.
        rng: draws the noise.

    Returns:
        (T,) float32 in [-1, 1].
    """
    spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
    bins = np.arange(len(spectrum))
    shaped = np.where(bins > 0, spectrum / np.sqrt(np.maximum(bins, 1)), 0)
    return mix_at_snr(wave, np.fft.irfft(shaped, n=len(wave)), level)


def babble(wave: Wave, level: float, rng: np.random.Generator, others: Sequence[Wave]) -> Wave:
    """Up to six of ``others`` talking at once, equally loud, each from a random place on and repeated.

    Args:
        wave: (T,) float32 in [-1, 1].
        level: SNR in dB.
        rng: draws the voices and where each starts.
        others: clips of other speakers at the same rate, of any length; silent ones are passed over.

    Returns:
        (T,) float32 in [-1, 1].

    Raises:
        ValueError: there is no other clip with sound in it.
    """
    audible = [other for other in others if len(other) and np.any(other)]
    if not audible:
        raise ValueError("babble needs clips of other speakers in `others`, found none with sound in it")
    mixture = np.zeros(len(wave))
    for chosen in rng.choice(len(audible), size=min(VOICES, len(audible)), replace=False):
        voice = audible[chosen]
        voice = np.take(voice, np.arange(len(wave)) + rng.integers(len(voice)), mode="wrap")
        power = np.mean(voice.astype(np.float64) ** 2)
        mixture += voice / np.sqrt(power) if power > 0 else 0
    return mix_at_snr(wave, mixture, level)


def reverberation(wave: Wave, level: float, rng: np.random.Generator, sample_rate: int) -> Wave:
    """A room whose sound decays by 60 dB in ``level`` seconds (T60); the power of the clip is kept.

    Synthetic impulse response: the direct sound, then Gaussian noise under exp(-6.9 t / T60) with as much energy in
    all.

    Args:
        wave: (T,) float32 in [-1, 1].
        level: T60 in seconds, above 0.
        rng: draws the impulse response.
        sample_rate: of the wave, in Hz.

    Returns:
        (T,) float32 in [-1, 1]; turned down where it would exceed full scale.
    """
    time = np.arange(1, max(2, round(level * sample_rate))) / sample_rate
    tail = rng.standard_normal(len(time)) * np.exp(-3 * np.log(10) * time / level)
    response = np.concatenate([[1.0], tail / np.sqrt(np.sum(tail**2))])
    return convolved(wave, response)


def convolved(wave: Wave, response: NDArray[np.floating]) -> Wave:
    """A wave as a room answers it; its power is kept.

    Args:
        wave: (T,) float32 in [-1, 1].
        response: (R,) impulse response of the room, at the wave's rate.

    Returns:
        (T,) float32 in [-1, 1]; turned down where it would exceed full scale.
    """
    wet = signal.fftconvolve(wave.astype(np.float64), response)[: len(wave)]
    dry_power, wet_power = np.mean(wave.astype(np.float64) ** 2), np.mean(wet**2)
    return _within_full_scale(wet * np.sqrt(dry_power / wet_power) if wet_power > 0 else wet)


def clipping(wave: Wave, level: float, rng: np.random.Generator) -> Wave:
    """Recorded ``level`` dB over full scale: cut at that many dB below its own peak; not turned up.

    Args:
        wave: (T,) float32 in [-1, 1].
        level: in dB, at least 0.
        rng: not used, nothing is random.

    Returns:
        (T,) float32 in [-1, 1].
    """
    peak = float(np.abs(wave).max(initial=0)) * 10 ** (-level / 20)
    return np.clip(wave, -peak, peak).astype(np.float32)


def band_limit(wave: Wave, level: float, rng: np.random.Generator, sample_rate: int) -> Wave:
    """Low-pass (Butterworth, order 8, forwards and backwards).

    Args:
        wave: (T,) float32 in [-1, 1].
        level: the cut-off in Hz, above 0; from half the rate on the wave is unchanged.
        rng: not used, nothing is random.
        sample_rate: of the wave, in Hz.

    Returns:
        (T,) float32 in [-1, 1].
    """
    if level >= sample_rate / 2:
        return wave
    sections = signal.butter(8, level, fs=sample_rate, output="sos")
    padding = min(len(wave) - 1, 3 * (2 * len(sections) + 1))
    return _within_full_scale(signal.sosfiltfilt(sections, wave.astype(np.float64), padlen=padding))


_SNR = (20.0, 15.0, 10.0, 5.0, 0.0)

DEGRADATIONS: dict[str, Degradation] = {
    "white": Degradation(white, _SNR, "SNR, dB"),
    "pink": Degradation(pink, _SNR, "SNR, dB"),
    "babble": Degradation(babble, _SNR, "SNR, dB", needs=("others",)),
    "reverberation": Degradation(
        reverberation, (0.2, 0.4, 0.6, 0.9, 1.2), "T60, s", needs=("sample_rate",), allowed=(0.01, 60)
    ),
    "clipping": Degradation(clipping, (3.0, 6.0, 10.0, 15.0, 20.0), "dB over full scale", allowed=(0, math.inf)),
    "band_limit": Degradation(
        band_limit,
        (6000.0, 4000.0, 3000.0, 2000.0, 1000.0),
        "cut-off, Hz",
        needs=("sample_rate",),
        allowed=(1, math.inf),
    ),
}
