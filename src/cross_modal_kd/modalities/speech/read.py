"""Decode one sound."""

import io

import numpy as np

from cross_modal_kd.samples import UnreadableSampleError


def decode_speech(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """A sound at the file's own rate; channels are averaged.

    Args:
        data: the file's bytes, in any format that libsndfile reads.
        name: of the sample, for errors.

    Returns:
        Mono float32 (T,) in [-1, 1], and its rate in Hz.

    Raises:
        UnreadableSampleError: bytes that are no sound, no samples, or NaN or infinite ones.
    """
    import soundfile

    try:
        channels, sample_rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except Exception as error:  # libsndfile's errors, and those of its wrapper, mean the same here
        why = getattr(error, "error_string", error)  # without the address of the buffer it was read from
        raise UnreadableSampleError(name, f"not a readable sound ({type(error).__name__}: {why})") from error
    if channels.size == 0:
        raise UnreadableSampleError(name, "the sound is empty")
    if not np.isfinite(channels).all():
        raise UnreadableSampleError(name, f"{np.count_nonzero(~np.isfinite(channels))} samples are NaN or infinite")
    return np.clip(channels.mean(axis=1), -1.0, 1.0), int(sample_rate)


def read_speech(data: bytes, name: str, sample_rate: int | None = None) -> np.ndarray:
    """As ``decode_speech``, resampled where the file's rate differs.

    Args:
        data: the file's bytes.
        name: of the sample, for errors.
        sample_rate: the wanted one in Hz; None keeps the file's own.

    Returns:
        Mono float32 (T,) in [-1, 1].

    Raises:
        UnreadableSampleError: as ``decode_speech`` does.
    """
    sound, found_rate = decode_speech(data, name)
    return sound if sample_rate in (None, found_rate) else resample(sound, found_rate, sample_rate)


def resample(sound: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Band-limited resampling.

    Args:
        sound: (T,) float32.
        from_rate: of the sound, in Hz.
        to_rate: the wanted one, in Hz.

    Returns:
        (ceil(T * to_rate / from_rate),) float32, clipped to [-1, 1].
    """
    import torch
    from torchaudio.functional import resample as resample_tensor

    resampled = resample_tensor(torch.from_numpy(sound), from_rate, to_rate).numpy()
    return np.clip(resampled, -1.0, 1.0)
