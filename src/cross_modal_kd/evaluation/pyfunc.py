"""What MLflow reads a logged student with: ``mlflow.pyfunc.load_model("models:/<id>")``.

It takes inputs as the network does (waveforms, images), not files: those are read by the modality's own reader.
"""

from pathlib import Path
from typing import Any

import numpy as np

import cross_modal_kd.modalities  # noqa: F401 (registers the encoders that students are made of)
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.models import build_student, load_bundle


class LoggedStudent:
    """A student in use: a batch of inputs to embeddings.

    Args:
        folder: what ``save_bundle`` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.bundle = load_bundle(folder)
        self._network = build_student(self.bundle)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> np.ndarray:
        """Embeddings of length 1, on the CPU.

        Args:
            model_input: (B, ...) array of raw inputs, as the modality reads them.
            params: none are known.

        Returns:
            (B, d) float32.

        Raises:
            ValueError: parameters are given.
        """
        import torch

        if params:
            raise ValueError(f"a logged student takes no parameters, found {sorted(params)}")
        with torch.no_grad():
            return unit_rows(self._network(torch.as_tensor(np.asarray(model_input))).float().numpy())


def _load_pyfunc(path: str) -> LoggedStudent:
    """Called by MLflow with the folder of the model's data."""
    return LoggedStudent(Path(path))
