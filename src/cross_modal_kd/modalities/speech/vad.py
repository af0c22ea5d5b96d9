"""How much of a clip is speech: the Silero voice activity detector, on many clips at once."""

import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
FRAME = 512
BATCH = 32
MOST_VALUES = BATCH * 60 * RATE  # of a padded batch: 123 MB

_local = threading.local()


def _model() -> Any:
    """The detector bundled with the package silero-vad; it keeps state between frames, so each thread has its own."""
    if not hasattr(_local, "model"):
        import torch

        threads = torch.get_num_threads()
        from silero_vad import load_silero_vad

        torch.set_num_threads(threads)  # importing silero_vad sets it to 1 for the whole process
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch.jit.load, which the package calls
            _local.model = load_silero_vad()
    return _local.model


def speech_probabilities(waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The probability of speech in each frame of 32 ms of each wave.

    Clips of similar length run side by side, which is four times as fast as one by one and gives the same values; a
    batch is smaller where padding it would take more than 123 MB.

    Args:
        waves: each (T,) float32 in [-1, 1] at 16 kHz; lengths may differ.

    Returns:
        One array (ceil(T / 512),) float32 in [0, 1] for each wave, in their order.
    """
    import torch

    model = _model()
    order = np.argsort([len(wave) for wave in waves], kind="stable")
    found: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(waves)
    for rows in _batches(order, [len(wave) for wave in waves]):
        frames = [-(-len(waves[row]) // FRAME) for row in rows]
        padded = np.zeros((len(rows), max(frames) * FRAME), dtype=np.float32)
        for place, row in enumerate(rows):
            padded[place, : len(waves[row])] = waves[row]
        model.reset_states()
        with torch.inference_mode():
            steps = torch.from_numpy(padded).split(FRAME, dim=1)
            probabilities = torch.cat([model(step, RATE) for step in steps], dim=1).numpy()
        for place, row in enumerate(rows):
            found[row] = probabilities[place, : frames[place]]
    return found


def _batches(order: NDArray[np.intp], lengths: Sequence[int]) -> list[list[int]]:
    """Rows in their order, in batches of at most ``BATCH``, and ``MOST_VALUES`` when padded unless it is one row."""
    batches: list[list[int]] = []
    for row in order.tolist():
        last = batches[-1] if batches else None
        if last is None or len(last) == BATCH or (len(last) + 1) * lengths[row] > MOST_VALUES:
            batches.append([])
        batches[-1].append(row)
    return batches
