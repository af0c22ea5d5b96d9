"""The conditions of the test, and the damage of one sample: decided by seed, sample, kind and level alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.modalities.degradation import Degradation
from cross_modal_kd.modalities.speech.read import read_speech
from cross_modal_kd.quality.modality import degradations_of
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.selection import split_rows
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.training.seeds import derive_seed


@dataclass(frozen=True)
class Condition:
    """One kind of damage at one level; severity counts from 1, mild to severe."""

    kind: str
    level: float
    severity: int
    degradation: Degradation


def conditions(robustness: RobustnessConfig, modality: str) -> list[Condition]:
    """Every kind and level of a modality.

    Raises:
        ValueError: no kind is named for the modality, or one that it does not have.
    """
    there = degradations_of(modality)
    named = robustness.kinds.get(modality, {})
    where = f"robustness.kinds.{modality}"
    unknown = sorted(set(named) - set(there))
    if unknown or not named:
        found = f"unknown kind {', '.join(map(repr, unknown))}" if unknown else "no kind"
        raise ValueError(f"{where}: {found}; name some of: {', '.join(there)}")
    return [
        Condition(kind, level, severity, there[kind])
        for kind, levels in named.items()
        for severity, level in enumerate(levels or there[kind].levels, 1)
    ]


@dataclass(frozen=True)
class HeldOut:
    """Clips of training speakers to mix babble from: (label, wave (T,) at one rate)."""

    clips: list[tuple[str, np.ndarray]]

    @classmethod
    def draw(cls, samples: pd.DataFrame, roots: Roots, sample_rate: int, n: int, seed: int) -> "HeldOut":
        """``n`` clips of the training split, of as many speakers as there are."""
        rows = split_rows(samples, "speech", "train")
        rows = rows.iloc[np.random.default_rng(seed).permutation(len(rows))]
        rows = rows.iloc[np.argsort(rows.groupby("label").cumcount().to_numpy(), kind="stable")[:n]]
        clips = zip(rows["label"], rows["source"], rows["path"], strict=True)
        return cls(
            [(label, read_speech(roots.bytes(source, path), path, sample_rate)) for label, source, path in clips]
        )

    def without(self, label: str) -> list[np.ndarray]:
        """The waves of everybody else: nobody is mixed with themselves, where training and test share speakers."""
        return [wave for other, wave in self.clips if other != label]


@dataclass(frozen=True)
class Damage:
    """(sample_id, decoded sample) -> damaged sample: the ``corrupt`` of ``load_inputs``.

    labels: of each sample. others, sample_rate: of speech.
    """

    condition: Condition
    seed: int
    labels: Mapping[str, str] = field(default_factory=dict)
    others: HeldOut | None = None
    sample_rate: int | None = None

    def __call__(self, sample_id: str, sample: np.ndarray) -> np.ndarray:
        kind, level = self.condition.kind, self.condition.level
        rng = np.random.default_rng(derive_seed("robustness", self.seed, sample_id, kind, float(level)))
        context: dict[str, Any] = {}
        if self.others is not None:
            context = {"sample_rate": self.sample_rate, "others": self.others.without(self.labels[sample_id])}
        return self.condition.degradation(sample, level, rng, **context)
