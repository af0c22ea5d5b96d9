"""Sounds on a page."""

import io

import numpy as np
from numpy.typing import NDArray

POINTS = 160


def wav(wave: NDArray[np.float32], sample_rate: int) -> bytes:
    """A wave (T,) in [-1, 1] as a WAV file of 16 bits."""
    import soundfile

    stored = io.BytesIO()
    soundfile.write(stored, wave, sample_rate, format="WAV", subtype="PCM_16")
    return stored.getvalue()


def outline(wave: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Highest and lowest value in each of at most 160 stretches, negated, as a screen's coordinates run downwards."""
    stretches = np.array_split(wave, min(POINTS, len(wave)))
    return [(round(-float(s.max()), 3), round(-float(s.min()), 3)) for s in stretches]
