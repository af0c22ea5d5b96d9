"""Sounds as waveforms of one length: a random crop to train on, the beginning to be evaluated on."""

import copy
from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.files import Content
from cross_modal_kd.modalities.inputs import Inputs, Item, fits, read_all, text_column
from cross_modal_kd.modalities.modality import Corrupt
from cross_modal_kd.modalities.speech.config import SpeechAugmentation, SpeechInputConfig
from cross_modal_kd.modalities.speech.field import Field
from cross_modal_kd.modalities.speech.read import LONGEST_S, read_crop, read_part, read_speech, resample
from cross_modal_kd.samples import Roots


class SpeechInputs(Inputs):
    """float32 waveforms (T,) in [-1, 1]; shorter sounds are repeated to fill T; kept in memory as int16 if they fit.

    Where they do not, no more than the crop is decoded of WAV, AIFF and FLAC at the rate of ``inputs.speech``, and the
    whole of others; both give the numbers of sounds in memory. Of sounds above 60 s it is the crop alone, each time
    anew. T is ``crop_s`` seconds of an item with a draw, and ``eval_s`` of one without. ``augmented`` ones are changed
    as an item is read, with a draw alone; variant v is the sound at the v-th of ``speeds``.

    Args:
        samples: rows of the samples table, with ``sample_id``, ``source``, ``path`` and ``duration_s``.
        roots: where the files lie.
        config: rate and lengths in its block ``speech``, and ``cache_mb``; sounds that fit are all read at once.
        corrupt: damage done to each whole sound at that rate, before it is cropped; above 60 s to the crop.
    """

    def __init__(
        self, samples: pd.DataFrame, roots: Roots, config: InputConfig, corrupt: Corrupt | None = None
    ) -> None:
        self.sample_ids = text_column(samples["sample_id"])
        self._sources, self._paths = text_column(samples["source"]), text_column(samples["path"])
        self._roots, self._config, self._corrupt = roots, config.of(SpeechInputConfig), corrupt
        self._durations = samples["duration_s"].fillna(self._config.eval_s).to_numpy(dtype=float)
        self._crop_s = self._config.crop_s
        speakers = samples["label"].fillna(samples["sample_id"]) if "label" in samples else samples["sample_id"]
        self._speakers = pd.factorize(speakers)[0]
        self._several = len(set(self._speakers)) > 1
        self._augmentation: SpeechAugmentation | None = None
        self._field: Field | None = None
        self._cache: dict[int, np.ndarray] | None = None
        short = self._durations <= LONGEST_S
        self.size_bytes = int(self._durations.sum() * self._config.sample_rate * 2)
        if fits(int(self._durations[short].sum() * self._config.sample_rate * 2), config):
            rows = np.flatnonzero(short).tolist()
            self._cache = dict(zip(rows, read_all(self._read_int16, rows, "reading sounds"), strict=True))
        self.kept = self._cache is not None and bool(short.all())

    def augmented(self, augmentation: SpeechAugmentation) -> "SpeechInputs":
        """See ``Inputs.augmented``."""
        changed = copy.copy(self)
        changed._augmentation, changed._field = augmentation, Field.of(augmentation, self._config.sample_rate)
        changed.variants, changed.kept = len(augmentation.speeds), False
        return changed

    def longer(self, crop_s: float) -> "SpeechInputs":
        """See ``Inputs.longer``."""
        changed = copy.copy(self)
        changed._crop_s, changed.variants = crop_s, 1
        return changed

    def _content(self, row: int) -> tuple[Content, str]:
        """A sound's file or bytes, and its path."""
        return self._roots.content(self._sources[row], self._paths[row]), self._paths[row]

    def _read_int16(self, row: int) -> np.ndarray:
        return self._damaged(row, read_speech(*self._content(row), self._config.sample_rate))

    def _damaged(self, index: int, wave: np.ndarray) -> np.ndarray:
        if self._corrupt is not None:
            wave = self._corrupt(self.sample_ids[index], wave, sample_rate=self._config.sample_rate)
        return np.round(wave * 32767).astype(np.int16)

    def _crop_int16(self, item: Item, length: int) -> np.ndarray:
        """As ``_item``, of a long sound."""
        whole, rate = int(self._durations[item.row] * self._config.sample_rate), self._config.sample_rate
        start = self._start(item, whole, length)
        return self._damaged(item.row, read_crop(*self._content(item.row), rate, start, length))

    def _part_int16(self, item: Item, length: int) -> np.ndarray | None:
        """As ``_item``, of a sound that is not in memory; None where the whole has to be read for it."""
        rate = self._config.sample_rate
        whole = round(self._durations[item.row] * rate)
        if self._corrupt is not None or whole <= length:
            return None
        start = self._start(item, whole, length)
        part = read_part(*self._content(item.row), rate, whole, slice(start, start + length))
        return None if part is None else self._damaged(item.row, part)

    @staticmethod
    def _start(item: Item, whole: int, length: int) -> int:
        if item.draw is None or whole <= length:
            return 0
        return int(np.random.default_rng((*item.draw, item.row)).integers(whole - length + 1))

    def _item(self, item: Item) -> np.ndarray:
        seconds = self._config.eval_s if item.draw is None else self._crop_s
        length = int(seconds * self._config.sample_rate)
        if item.draw is None or self._augmentation is None or self._field is None:
            return self._int16(item, length)
        wave, rng = self._at_speed(item, length), np.random.default_rng((*item.draw, item.row, item.variant))
        wave = self._field(wave, rng, (lambda of: self._other(item, length, of)) if self._several else None)
        return np.round(wave * 32767).astype(np.int16)

    def _at_speed(self, item: Item, length: int) -> np.ndarray:
        """A crop of ``length`` samples, of as much sound as that is at the speed of the item's variant."""
        rate, speed = self._config.sample_rate, self._augmentation.speeds[item.variant] if self._augmentation else 1.0
        wave = self._int16(item, ceil(length * speed)).astype(np.float32) / 32767
        return wave if speed == 1 else resample(wave, round(rate * speed), rate)[:length]

    def _other(self, item: Item, length: int, rng: np.random.Generator) -> np.ndarray:
        """A crop of another speaker."""
        row = item.row
        while self._speakers[row] == self._speakers[item.row]:
            row = int(rng.integers(len(self._speakers)))
        return self._int16(Item(row, item.draw), length).astype(np.float32) / 32767

    def _int16(self, item: Item, length: int) -> np.ndarray:
        if self._durations[item.row] > LONGEST_S:
            return np.resize(self._crop_int16(item, length), length)
        if self._cache is None and (part := self._part_int16(item, length)) is not None:
            return part
        wave = self._read_int16(item.row) if self._cache is None else self._cache[item.row]
        start = self._start(item, len(wave), length)
        return np.resize(wave, length) if len(wave) < length else wave[start : start + length]

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        waves = np.stack([self._item(item) for item in items])
        return torch.tensor([item.row for item in items]), torch.from_numpy(waves).float() / 32767
