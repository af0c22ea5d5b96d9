"""Sounds as waveforms of one length: a random crop to train on, the beginning to be evaluated on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.files import located
from cross_modal_kd.modalities.inputs import Inputs, Item, read_all
from cross_modal_kd.modalities.modality import Corrupt
from cross_modal_kd.modalities.speech.config import SpeechInputConfig
from cross_modal_kd.modalities.speech.read import LONGEST_S, read_crop, read_speech
from cross_modal_kd.samples import Roots


class SpeechInputs(Inputs):
    """float32 waveforms (T,) in [-1, 1]; shorter sounds are repeated to fill T; kept in memory as int16 if they fit.

    Of sounds above 60 s no more is read than the crop, each time anew. T is ``crop_s`` seconds of an item with a draw,
    and ``eval_s`` of one without.

    Args:
        samples: rows of the samples table, with ``sample_id``, ``source``, ``path`` and ``duration_s``.
        roots: where the files lie.
        config: rate and lengths in its block ``speech``, and ``cache_mb``; sounds that fit are all read at once.
        corrupt: damage done to each whole sound at that rate, before it is cropped; above 60 s to the crop.
    """

    def __init__(
        self, samples: pd.DataFrame, roots: Roots, config: InputConfig, corrupt: Corrupt | None = None
    ) -> None:
        self.sample_ids = samples["sample_id"].tolist()
        self._where = list(zip(samples["source"], samples["path"], strict=True))
        self._roots, self._config, self._corrupt = roots, config.of(SpeechInputConfig), corrupt
        self._durations = samples["duration_s"].fillna(self._config.eval_s).astype(float).tolist()
        self._cache: dict[int, np.ndarray] | None = None
        short = [row for row, seconds in enumerate(self._durations) if seconds <= LONGEST_S]
        seconds = sum(self._durations[row] for row in short)
        if seconds * self._config.sample_rate * 2 <= config.cache_mb * 2**20:
            self._cache = dict(zip(short, read_all(self._read_int16, short, "reading sounds"), strict=True))

    def _read_int16(self, index: int) -> np.ndarray:
        source, path = self._where[index]
        return self._damaged(index, read_speech(located(self._roots, source, path), path, self._config.sample_rate))

    def _damaged(self, index: int, wave: np.ndarray) -> np.ndarray:
        if self._corrupt is not None:
            wave = self._corrupt(self.sample_ids[index], wave, sample_rate=self._config.sample_rate)
        return np.round(wave * 32767).astype(np.int16)

    def _crop_int16(self, item: Item, length: int) -> np.ndarray:
        """As ``_item``, of a long sound."""
        source, path = self._where[item.row]
        whole, rate = int(self._durations[item.row] * self._config.sample_rate), self._config.sample_rate
        start = self._start(item, whole, length)
        return self._damaged(item.row, read_crop(located(self._roots, source, path), path, rate, start, length))

    @staticmethod
    def _start(item: Item, whole: int, length: int) -> int:
        if item.draw is None or whole <= length:
            return 0
        return int(np.random.default_rng((*item.draw, item.row)).integers(whole - length + 1))

    def _item(self, item: Item) -> np.ndarray:
        seconds = self._config.eval_s if item.draw is None else self._config.crop_s
        length = int(seconds * self._config.sample_rate)
        if self._durations[item.row] > LONGEST_S:
            return np.resize(self._crop_int16(item, length), length)
        wave = self._cache[item.row] if self._cache is not None else self._read_int16(item.row)
        start = self._start(item, len(wave), length)
        return np.resize(wave, length) if len(wave) < length else wave[start : start + length]

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        waves = np.stack([self._item(item) for item in items])
        return torch.tensor([item.row for item in items]), torch.from_numpy(waves).float() / 32767
