"""A modality of the tests' own: a row of numbers in a .json file. This folder and one ``register`` are all of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from cross_modal_kd.config import EncoderConfig, InputConfig, Strict
from cross_modal_kd.modalities import Corrupt, Decoded, Degradation, Modality, Preview, Taken
from cross_modal_kd.models import EncoderLibrary
from cross_modal_kd.samples import Roots, UnreadableSampleError


class TabularInputConfig(Strict):
    """columns: how many of the numbers the encoder sees."""

    columns: int = Field(4, ge=1)


class RowOptions(Strict):
    """hidden: size of the hidden layer."""

    hidden: int = Field(8, ge=1)


def _create(config: EncoderConfig, inputs: InputConfig):
    from tabular.tensors import RowEncoder

    return RowEncoder(inputs.of(TabularInputConfig).columns, int(config.options.get("hidden", 8)))


def _jitter(row: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return row + rng.normal(0.0, level, row.shape)


class Tabular(Modality):
    """Rows (K,) float64."""

    name = "tabular"
    plural = "rows of numbers"
    endings = (".json",)
    inputs = TabularInputConfig
    libraries = {"rows": EncoderLibrary(_create, options=RowOptions)}
    measures: Mapping[str, Callable[..., float]] = {
        "spread": lambda row: float(row.std()),
        "filled": lambda row: float((row != 0).mean()),
    }
    degradations = {"jitter": Degradation(_jitter, (0.1, 1.0), "sigma")}

    def decode(self, content: bytes, name: str, inputs: InputConfig | None = None) -> Decoded:
        try:
            row = np.asarray(json.loads(content), dtype=float)
        except ValueError as error:
            raise UnreadableSampleError(name, f"not a row of numbers ({error})") from error
        return Decoded(row if inputs is None else row[: inputs.of(TabularInputConfig).columns])

    def load(self, samples, roots: Roots, inputs: InputConfig, corrupt: Corrupt | None = None):
        from tabular.tensors import RowInputs

        return RowInputs(self, samples, roots, inputs, corrupt)

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        import torch

        decoded = self.decode(given.read_bytes() if isinstance(given, Path) else given, name)
        return Taken(decoded, torch.from_numpy(decoded.value[: inputs.of(TabularInputConfig).columns]).float())

    def preview(self, row: Mapping[str, Any], roots: Roots, large: bool = False) -> Preview:
        values: Sequence[float] = self.read(row, roots).value
        return Preview("text", "row: " + " ".join(f"{value:.2f}" for value in values))
