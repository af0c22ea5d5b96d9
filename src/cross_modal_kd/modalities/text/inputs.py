"""Texts as the bytes of their UTF-8, all of one length."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.inputs import Inputs, Item, text_column
from cross_modal_kd.modalities.modality import Corrupt
from cross_modal_kd.modalities.text.config import TextInputConfig
from cross_modal_kd.modalities.text.read_input import as_bytes


class TextInputs(Inputs):
    """uint8 (length,), 0 after the text's end. The words are those of the table: no file is read.

    Args:
        samples: rows of the samples table, with ``sample_id`` and ``text``.
        config: the length in its block ``text``.
        corrupt: damage done to the words of each.
    """

    def __init__(self, samples: pd.DataFrame, config: InputConfig, corrupt: Corrupt | None = None) -> None:
        self.sample_ids, self._texts = text_column(samples["sample_id"]), text_column(samples["text"])
        self._corrupt, self._length = corrupt, config.of(TextInputConfig).length
        self.size_bytes = len(self) * self._length

    def _read(self, index: int) -> np.ndarray:
        text = self._texts[index]
        if self._corrupt is not None:
            text = self._corrupt(self.sample_ids[index], text)
        return as_bytes(text, self._length)

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        """See ``Inputs.__getitems__``."""
        rows = [item.row for item in items]
        return torch.tensor(rows), torch.from_numpy(np.stack([self._read(row) for row in rows]))
