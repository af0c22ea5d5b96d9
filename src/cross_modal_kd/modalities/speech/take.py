"""One sound from outside the samples table, as a student in use hears it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cross_modal_kd.modalities.files import Content
from cross_modal_kd.modalities.modality import Decoded, Taken
from cross_modal_kd.modalities.speech.config import SpeechInputConfig
from cross_modal_kd.modalities.speech.read import (
    LONGEST_S,
    SILENT,
    decode_speech,
    given_wave,
    is_long,
    is_silent,
    read_crop,
    resample,
    stretches,
)
from cross_modal_kd.samples import UnreadableSampleError

MARGIN_S = 0.05
BEGINNINGS = {b"\x1aE\xdf\xa3": ".webm", b"\xff\xf1": ".aac", b"\xff\xf9": ".aac"}


def take_speech(given: Any, name: str, config: SpeechInputConfig) -> Taken:
    """A sound, and its first ``eval_s`` seconds at the network's rate; a shorter one is repeated to fill them.

    Args:
        given: a path, the bytes of a file, or (wave, rate in Hz).
        name: of the sample, for errors; where its ending says nothing, that of a phone's or browser's format is found
            in the bytes.
        config: rate and length.

    Returns:
        The sound at its own rate (of more than 60 s six stretches), and (T,) float32.

    Raises:
        UnreadableSampleError: it cannot be read, is silent, or is no sound.
    """
    length = int(config.eval_s * config.sample_rate)
    if isinstance(given, bytes | Path):
        decoded, wave, beginning = _of_file(given, _named(given, name), config.sample_rate, length)
    else:
        decoded, wave, beginning = _of_array(given, name, config.sample_rate, length)
    if is_silent(decoded.value) and is_silent(beginning()):
        raise UnreadableSampleError(name, SILENT)
    heard = np.round(wave * 32767).astype(np.int16)
    heard = np.resize(heard, length) if len(heard) < length else heard[:length]
    return Taken(decoded, torch.from_numpy(heard.astype(np.float32)) / 32767)


Beginning = Callable[[], np.ndarray]
"""What is heard of a sound, at its own rate: asked for where what was looked at is silent."""


def _of_file(content: Content, name: str, rate: int, length: int) -> tuple[Decoded, np.ndarray, Beginning]:
    wave, own_rate = decode_speech(content, name)
    decoded = Decoded(wave, {"sample_rate": own_rate})
    if len(wave) >= LONGEST_S * own_rate and is_long(content, name):
        count = -(-length * own_rate // rate)
        heard = partial(read_crop, content, name, own_rate, 0, count)
        return decoded, read_crop(content, name, rate, 0, length), heard
    return decoded, wave if own_rate == rate else resample(wave, own_rate, rate), lambda: wave


def _of_array(given: Any, name: str, rate: int, length: int) -> tuple[Decoded, np.ndarray, Beginning]:
    if not isinstance(given, tuple) or len(given) != 2:
        raise UnreadableSampleError(
            name, f"a sound must be a file, its bytes, or (wave, rate in Hz), found {type(given).__name__}"
        )
    own_rate = int(given[1])
    wave = given_wave(given[0], own_rate, name)
    decoded = Decoded(stretches(wave, own_rate), {"sample_rate": own_rate})
    if len(wave) > LONGEST_S * own_rate:  # no more than is heard, as of a file
        wave = wave[: -(-length * own_rate // rate) + int(MARGIN_S * own_rate)]
    return decoded, wave if own_rate == rate else resample(wave, own_rate, rate), lambda: wave


def _named(content: Content, name: str) -> str:
    """The name, with the ending by which the decoder is chosen where it has none."""
    if isinstance(content, Path) or "." in name:
        return name
    if content[4:8] == b"ftyp":
        return f"{name}.mp4"
    return name + next((ending for begin, ending in BEGINNINGS.items() if content.startswith(begin)), "")
