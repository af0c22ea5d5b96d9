"""Decode one sound, in bounded memory whatever its file claims."""

from dataclasses import dataclass
from math import gcd, inf

import numpy as np

from cross_modal_kd.modalities.files import Content
from cross_modal_kd.modalities.speech.contents import left_behind
from cross_modal_kd.modalities.speech.sound import Sound, exact_stretch
from cross_modal_kd.samples import UnreadableSampleError

LONGEST_S = 60
"""A longer sound is never whole in memory: it is measured and shown by stretches, and heard by its crops."""
STRETCHES = 6
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
"""Hz; a sound of another rate is refused."""

_MOST_KERNEL = 2**21
_FULL_SCALE = 32768
_MOST_OVER = 4.0
_MARGIN_S = 0.05
_CANCELLED = 0.2
"""Of the energy that the average of channels with nothing in common has: two alike but for the sign have less where
their correlation is under -0.8. Wide stereo, or a voice in one channel of several, has all of it."""
SILENT = "the sound is silent: all its samples are the same"


@dataclass(frozen=True)
class About:
    """What a whole sound is, as counted.

    Attributes:
        duration_s: in seconds.
        sample_rate: in Hz.
        audible: whether its samples differ: one level all along, zero or not, is nothing that is heard.
    """

    duration_s: float
    sample_rate: int
    audible: bool


def examine_speech(data: Content, name: str) -> About:
    """Decode a whole sound, of which a block of 4 MB is in memory at a time.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.

    Returns:
        Its length, rate and whether there is anything to be heard.

    Raises:
        UnreadableSampleError: bytes that are no sound, no samples, NaN or infinite ones, numbers that are no sound's,
            fewer samples than it claims or more than its header counts, another sound behind the first, channels that
            cancel each other out, or a rate that is of no use.
    """
    if (why := left_behind(data, name)) is not None:
        raise UnreadableSampleError(name, why)
    sound = _opened(data, name)
    frames, bad, low, high = 0, 0, inf, -inf
    power = np.zeros(2)
    for block in sound.blocks():
        frames, bad = frames + len(block), bad + int(np.count_nonzero(~np.isfinite(block)))
        mono = block.mean(axis=1)
        if len(mono):
            low, high = min(low, float(mono.min())), max(high, float(mono.max()))
        power += _powers(block, mono)
    if not frames:
        raise UnreadableSampleError(name, "the sound is empty")
    if bad:
        raise UnreadableSampleError(name, f"{bad} samples are NaN or infinite")
    _refuse_cut(sound, name)
    _unit(sound, name)
    _refuse_cancelled(power, name)
    return About(frames / sound.sample_rate, sound.sample_rate, low < high)


def decode_speech(data: Content, name: str) -> tuple[np.ndarray, int]:
    """A sound at the file's own rate; channels are averaged.

    Args:
        data: the file or its bytes, in any format that libsndfile reads, or m4a, mp4, aac or webm.
        name: of the sample, for errors; its ending says who decodes it.

    Returns:
        Mono float32 (T,) in [-1, 1], and its rate in Hz; of a sound above 60 s six stretches of 10 s, evenly spread.

    Raises:
        UnreadableSampleError: as ``examine_speech`` does.
    """
    sound = _opened(data, name)
    if _is_long(sound):
        count = LONGEST_S * sound.sample_rate // STRETCHES
        starts = np.linspace(0, sound.frames - count, STRETCHES).astype(np.int64)
        channels = np.concatenate([sound.stretch(int(start), count) for start in starts])
    else:
        channels = sound.stretch(0, LONGEST_S * sound.sample_rate)
    if not channels.size and (why := left_behind(data, name)) is not None:
        raise UnreadableSampleError(name, why)
    mono = _mono(channels, sound, name)
    _refuse_cancelled(_powers(channels, channels.mean(axis=1)), name)
    return mono, sound.sample_rate


def given_wave(wave: np.ndarray, sample_rate: int, name: str) -> np.ndarray:
    """A wave that is in memory already, as ``decode_speech`` gives that of a file, but whole.

    Args:
        wave: (T,), or channels beside time in either order, the longer side being time: floating-point in [-1, 1], or
            int16.
        sample_rate: in Hz.
        name: of the sample, for errors.

    Returns:
        Mono float32 (T,) in [-1, 1].

    Raises:
        UnreadableSampleError: another shape or type of numbers, none, NaN, beyond their range, or a rate of no use.
    """
    wave = np.asarray(wave)
    _require_rate(sample_rate, name)
    if wave.ndim not in (1, 2) or not (wave.dtype == np.int16 or np.issubdtype(wave.dtype, np.floating)):
        raise UnreadableSampleError(
            name, f"a wave must be (T,) or (T, channels), floats in [-1, 1] or int16, found {wave.shape} {wave.dtype}"
        )
    scale = np.float32(1 / _FULL_SCALE if wave.dtype == np.int16 else 1)
    channels = wave[:, None] if wave.ndim == 1 else wave
    channels = channels.T if channels.shape[0] < channels.shape[1] else channels
    if not channels.size:
        raise UnreadableSampleError(name, "the sound is empty")
    floats = channels.astype(np.float32)
    mono = floats.mean(axis=1) * scale
    if not np.isfinite(mono).all():
        raise UnreadableSampleError(name, "samples are NaN or infinite")
    if (peak := float(np.abs(mono).max())) > _MOST_OVER:
        raise UnreadableSampleError(
            name, f"floating-point samples up to {peak:g}, expected -1 to 1; divide them by their full scale"
        )
    _refuse_cancelled(_powers(floats, mono / scale), name)
    return np.clip(mono, -1.0, 1.0)


def is_silent(wave: np.ndarray) -> bool:
    """Whether there is nothing to be heard in a wave.

    Args:
        wave: (T,), at the rate at which it was stored: filters make an edge of a level that begins.

    Returns:
        Whether all its samples are the same.
    """
    return len(wave) == 0 or bool((wave == wave[0]).all())


def stretches(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    """What is measured of a wave in memory: all of it, above 60 s the stretches that ``decode_speech`` gives of a file.

    Args:
        wave: (T,).
        sample_rate: in Hz.

    Returns:
        (T,), at most 60 s.
    """
    if len(wave) <= LONGEST_S * sample_rate:
        return wave
    count = LONGEST_S * sample_rate // STRETCHES
    starts = np.linspace(0, len(wave) - count, STRETCHES).astype(np.int64)
    return np.concatenate([wave[start : start + count] for start in starts])


def is_long(data: Content, name: str) -> bool:
    """Whether a file's sound is longer than is ever whole in memory.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.

    Returns:
        Whether it claims more than 60 s.

    Raises:
        UnreadableSampleError: bytes that are no sound.
    """
    return _is_long(_opened(data, name))


def read_speech(data: Content, name: str, sample_rate: int | None = None) -> np.ndarray:
    """As ``decode_speech``, resampled where the file's rate differs.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.
        sample_rate: the wanted one in Hz; None keeps the file's own.

    Returns:
        Mono float32 (T,) in [-1, 1].

    Raises:
        UnreadableSampleError: as ``decode_speech`` does.
    """
    sound, found_rate = decode_speech(data, name)
    return sound if sample_rate in (None, found_rate) else resample(sound, found_rate, sample_rate)


def read_part(data: Content, name: str, sample_rate: int, whole: int, part: slice) -> np.ndarray | None:
    """``read_speech(data, name, sample_rate)[part]``, to the last bit, of which no more than the part is decoded.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.
        sample_rate: in Hz, of what is returned.
        whole: samples of the whole sound at that rate.
        part: from a sample to another one, inside the sound.

    Returns:
        Mono float32 (part.stop - part.start,) in [-1, 1]; None where the whole has to be read for it: another rate, a
        format whose places are not found to the sample, floating-point numbers, another length than expected.

    Raises:
        UnreadableSampleError: as ``decode_speech`` does.
    """
    channels = exact_stretch(data, name, sample_rate, whole, part)
    return None if channels is None else np.clip(channels.mean(axis=1), -1.0, 1.0)


def read_crop(data: Content, name: str, sample_rate: int, start: int, count: int) -> np.ndarray:
    """A part of a sound, of which no more than that is read.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.
        sample_rate: in Hz, of what is returned.
        start: the first sample at that rate.
        count: samples at that rate.

    Returns:
        Mono float32 (count,) in [-1, 1], shorter where the sound ends before.

    Raises:
        UnreadableSampleError: as ``decode_speech`` does.
    """
    sound = _opened(data, name)
    found_rate = sound.sample_rate
    if found_rate == sample_rate:
        return _mono(sound.stretch(start, count), sound, name)
    divisor = gcd(found_rate, sample_rate)
    there, here = found_rate // divisor, sample_rate // divisor  # so many samples of either are the same time
    first = max(0, start - int(_MARGIN_S * sample_rate)) // here * here
    needed = -(-(start - first + count) * found_rate // sample_rate) + int(_MARGIN_S * found_rate)
    part = _mono(sound.stretch(first // here * there, needed), sound, name)
    return resample(part, found_rate, sample_rate)[start - first :][:count]


def resample(sound: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Band-limited resampling; rates with next to no common divisor by soxr, whose memory does not grow with them.

    Args:
        sound: (T,) float32.
        from_rate: of the sound, in Hz.
        to_rate: the wanted one, in Hz.

    Returns:
        (ceil(T * to_rate / from_rate),) float32, clipped to [-1, 1].
    """
    if is_odd(from_rate, to_rate):
        return np.clip(_by_soxr(sound, from_rate, to_rate), -1.0, 1.0)
    import torch
    from torchaudio.functional import resample as resample_tensor

    resampled = resample_tensor(torch.from_numpy(sound), from_rate, to_rate).numpy()
    return np.clip(resampled, -1.0, 1.0)


def is_odd(from_rate: int, to_rate: int) -> bool:
    """Whether the rates have so small a common divisor that a polyphase filter between them is too large.

    Args:
        from_rate: in Hz.
        to_rate: in Hz.

    Returns:
        True of 44,101 and 16,000 Hz, False of 44,100 and 16,000 Hz.
    """
    divisor = gcd(from_rate, to_rate)
    return (from_rate // divisor) * (to_rate // divisor) > _MOST_KERNEL


def _by_soxr(sound: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    import soxr

    length = -(-len(sound) * to_rate // from_rate)
    resampled = soxr.resample(sound, from_rate, to_rate)[:length]
    return np.pad(resampled, (0, length - len(resampled)))


def _opened(data: Content, name: str) -> Sound:
    sound = Sound(data, name)
    _require_rate(sound.sample_rate, name)
    return sound


def _refuse_cut(sound: Sound, name: str) -> None:
    """Of a sound that was read to its end."""
    stated = sound.stated_s()
    if stated is not None:
        says = "says that it goes on" if stated == inf else f"states {stated:.1f} s"
        raise UnreadableSampleError(
            name, f"cut: the file {says}, {sound.heard_s:.1f} s could be decoded; copy it once more"
        )


def _powers(channels: np.ndarray, mono: np.ndarray) -> np.ndarray:
    """Energy that the average of (T, channels) would have if they had nothing in common, and that it has."""
    return np.array([np.vdot(channels, channels) / channels.shape[1] ** 2, np.vdot(mono, mono)], dtype=np.float64)


def _refuse_cancelled(power: np.ndarray, name: str) -> None:
    """Of a recording whose one channel is the other upside down the average has the noise of both, and little else."""
    if power[1] < _CANCELLED * power[0]:
        raise UnreadableSampleError(
            name, "its channels cancel each other out: one is the other upside down; keep one of them"
        )


def _require_rate(sample_rate: float, name: str) -> None:
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise UnreadableSampleError(
            name, f"a rate of {sample_rate} Hz, expected {LOWEST_RATE:,} to {HIGHEST_RATE:,}: no use for speech"
        )


def _is_long(sound: Sound) -> bool:
    return sound.frames > LONGEST_S * sound.sample_rate


def _mono(channels: np.ndarray, sound: Sound, name: str) -> np.ndarray:
    if channels.size == 0:
        raise UnreadableSampleError(name, "the sound is empty")
    if not np.isfinite(channels).all():
        raise UnreadableSampleError(name, f"{np.count_nonzero(~np.isfinite(channels))} samples are NaN or infinite")
    unit = _unit(sound, name)
    mono = channels.mean(axis=1)
    return np.clip(mono if unit == 1 else mono / np.float32(unit), -1.0, 1.0)


def _unit(sound: Sound, name: str) -> int:
    """What stands for full scale: 1, or 32768 where floating-point numbers are those of 16 bits; the whole is read."""
    low, high, whole = sound.spread() if sound.floating else (0.0, 0.0, False)
    peak = max(-low, high)
    if peak <= 1 or (peak <= _MOST_OVER and not whole):
        return 1
    if whole and low < 0 and peak <= _FULL_SCALE:
        return _FULL_SCALE
    raise UnreadableSampleError(
        name, f"floating-point samples from {low:g} to {high:g}, expected -1 to 1; divide them by their full scale"
    )
