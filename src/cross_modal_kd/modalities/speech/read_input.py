"""Sound files as an exported student hears them, with numpy and soundfile alone (soxr for odd rates).

run_student.py beside it calls ``read``. It reads, and refuses, what the package does, but for FFmpeg's formats.
"""

from math import ceil, gcd

import numpy as np
import soundfile

FFMPEG = (".m4a", ".mp4", ".aac", ".webm")
LONGEST_S, STRETCHES, MARGIN_S = 60, 6, 0.05
MOST_OVER, FULL_SCALE, CANCELLED = 4, 32768, 0.2


class Refused(ValueError):
    """What is wrong with a file."""


def read(path: str, about: dict) -> np.ndarray:
    """The first seconds, repeated where it is shorter: mono (samples,) of 16 bits as float32."""
    if path.lower().endswith(FFMPEG):
        raise Refused("libsndfile does not read this format: convert it to WAV or FLAC")
    wanted, samples = about["sample_rate"], about["samples"]
    with open(path, "rb") as stream:  # noqa: PTH123
        try:
            with soundfile.SoundFile(stream) as file:
                heard, rate = decoded(file, ceil((samples / wanted + MARGIN_S) * file.samplerate))
        except (Refused, MemoryError):
            raise
        except Exception as error:  # libsndfile's errors, and those of its wrapper
            why = getattr(error, "error_string", None) or error  # without the path
            raise Refused(f"not a readable sound ({type(error).__name__}: {why})") from error
    wave = heard if rate == wanted else resampled(heard, rate, wanted).clip(-1, 1)
    return np.resize(np.round(wave * 32767), samples).astype(np.float32) / np.float32(32767)


def decoded(file: soundfile.SoundFile, heard: int) -> tuple:
    """(the first samples, mono and in [-1, 1]; the rate), after a look at a minute of it, or six stretches of 10 s."""
    rate = file.samplerate
    if not 1_000 <= rate <= 768_000:
        raise Refused(f"a rate of {rate} Hz, expected 1,000 to 768,000: no use for speech")
    long = file.frames > LONGEST_S * rate
    count = LONGEST_S * rate // (STRETCHES if long else 1)
    looked = []
    for start in np.linspace(0, file.frames - count, STRETCHES).astype(np.int64) if long else [0]:
        file.seek(int(start))
        looked.append(file.read(count, dtype="float32", always_2d=True))
    sound = np.concatenate(looked)
    beginning = sound
    if long:
        file.seek(0)
        beginning = file.read(heard, dtype="float32", always_2d=True)
    if not sound.size:
        raise Refused("the sound is empty")
    if bad := np.count_nonzero(~np.isfinite(sound)) or np.count_nonzero(~np.isfinite(beginning)):
        raise Refused(f"{bad} samples are NaN or infinite")
    mono = sound.mean(axis=1)
    if np.vdot(mono, mono) < CANCELLED * np.vdot(sound, sound) / sound.shape[1] ** 2:
        raise Refused("its channels cancel each other out: one is the other upside down; keep one of them")
    if np.ptp(mono) == 0 and np.ptp(beginning.mean(axis=1)) == 0:
        raise Refused("the sound is silent: all its samples are the same")
    return (beginning.mean(axis=1) / np.float32(full_scale(file))).clip(-1, 1), rate


def full_scale(file: soundfile.SoundFile) -> int:
    """1, or 32768 where floating-point numbers are those of 16 bits."""
    low, high, whole = 0.0, 0.0, True
    if file.subtype in ("FLOAT", "DOUBLE"):
        file.seek(0)
        for block in file.blocks(2**20 // file.channels, dtype="float32"):
            low, high = min(low, float(block.min())), max(high, float(block.max()))
            whole = whole and bool((block == np.rint(block)).all())
    peak = max(-low, high)
    if peak <= 1 or (peak <= MOST_OVER and not whole):
        return 1
    if whole and low < 0 and peak <= FULL_SCALE:
        return FULL_SCALE
    said = f"floating-point samples from {low:g} to {high:g}, expected -1 to 1; divide them by their full scale"
    raise Refused(said)


def resampled(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """By windowed sincs; rates without a common divisor need soxr."""
    old, new = rate // gcd(rate, wanted), wanted // gcd(rate, wanted)
    length = ceil(len(wave) * new / old)
    if old * new > 2**21:
        try:
            import soxr
        except ImportError as error:
            said = f"{rate} Hz cannot be resampled to {wanted} Hz by numpy: pip install soxr, or convert the file"
            raise Refused(said) from error
        found = soxr.resample(wave, rate, wanted)[:length]
        return np.pad(found, (0, length - len(found)))
    base = 0.99 * min(old, new)
    width = ceil(6 * old / base)
    time = (np.arange(-width, width + old) / old - np.arange(new)[:, None] / new) * base
    kernels = np.sinc(time) * np.cos(time.clip(-6, 6) * np.pi / 12) ** 2 * (base / old)
    padded = np.pad(wave, (width, width + old))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1])[::old]
    return (windows @ kernels.T.astype(np.float32)).reshape(-1)[:length]
