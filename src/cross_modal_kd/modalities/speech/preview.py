"""Sounds on a page."""

import io

import numpy as np
from numpy.typing import NDArray

POINTS = 160


def wav(wave: NDArray[np.float32], sample_rate: int) -> bytes:
    """A wave as a WAV file of 16 bits.

    Args:
        wave: (T,) float32 in [-1, 1].
        sample_rate: in Hz.

    Returns:
        The file's bytes.
    """
    import soundfile

    stored = io.BytesIO()
    soundfile.write(stored, wave, sample_rate, format="WAV", subtype="PCM_16")
    return stored.getvalue()


def outline(wave: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Highest and lowest value in each of at most 160 stretches, negated, as a screen's coordinates run downwards.

    Args:
        wave: (T,) float32 in [-1, 1], not empty.

    Returns:
        (-highest, -lowest) of each stretch in its order, to three places.
    """
    stretches = np.array_split(wave, min(POINTS, len(wave)))
    return [(round(-float(s.max()), 3), round(-float(s.min()), 3)) for s in stretches]
