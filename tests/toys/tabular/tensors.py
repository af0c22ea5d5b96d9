"""Rows as tensors, and an encoder of them."""

import numpy as np
import torch
from torch import Tensor, nn

from cross_modal_kd.modalities import Inputs
from cross_modal_kd.models import Encoder
from cross_modal_kd.samples import as_records


class RowInputs(Inputs):
    """float32 rows (columns,), all in memory."""

    def __init__(self, modality, samples, roots, inputs, corrupt=None) -> None:
        self.sample_ids = samples["sample_id"].tolist()
        found = []
        for row in as_records(samples):
            value = modality.read(row, roots, inputs).value
            found.append(value if corrupt is None else corrupt(row["sample_id"], value))
        self._values = torch.from_numpy(np.stack(found)).float()

    def __getitems__(self, items):
        rows = torch.tensor([item.row for item in items])
        return rows, self._values[rows]


class RowEncoder(Encoder):
    """A network of one hidden layer."""

    def __init__(self, columns: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(columns, hidden), nn.ReLU())
        self.num_features = hidden

    def forward(self, rows: Tensor) -> Tensor:
        return self.layers(rows)
