"""The conditions of the test, and the damage of one sample: decided by seed, sample, kind and level alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.modalities import Degradation, Dose, modality_of
from cross_modal_kd.samples import split_rows
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.training import derive_seed


@dataclass(frozen=True)
class DamageLevel:
    """One kind of damage at one level.

    Attributes:
        kind: name of the degradation.
        level: in the degradation's unit.
        severity: counts from 1, mild to severe.
        degradation: the function that damages a sample, with its unit and what it needs.
    """

    kind: str
    level: float
    severity: int
    degradation: Degradation


def damage_levels(robustness: RobustnessConfig, modality: str) -> list[DamageLevel]:
    """Every kind and level of a modality.

    Args:
        robustness: kinds with their levels; an empty list takes the kind's own.
        modality: of the student.

    Returns:
        Damage levels, kind by kind, levels as they are listed.

    Raises:
        ValueError: no kind is named for the modality, or one that it does not have.
    """
    there = modality_of(modality).degradations
    named = robustness.kinds.get(modality, {})
    where = f"robustness.kinds.{modality}"
    unknown = sorted(set(named) - set(there))
    if unknown or not named:
        found = f"unknown kind {', '.join(map(repr, unknown))}" if unknown else "no kind"
        raise ValueError(f"{where}: {found}; name some of: {', '.join(there)}")
    return [
        DamageLevel(kind, level, severity, there[kind])
        for kind, levels in named.items()
        for severity, level in enumerate(levels or there[kind].levels, 1)
    ]


def held_out(samples: pd.DataFrame, modality: str, n: int, seed: int) -> pd.DataFrame:
    """Training samples of a modality, of as many labels as there are: what babble is mixed from.

    Args:
        samples: the samples table.
        modality: of the samples that are drawn.
        n: how many, at most.
        seed: of the draw.

    Returns:
        n rows of the training split, or all where there are fewer; no label comes twice before each has come once.
    """
    rows = split_rows(samples, modality, "train")
    rows = rows.iloc[np.random.default_rng(seed).permutation(len(rows))]
    label = rows["label"].fillna(rows["sample_id"])
    return rows.iloc[np.argsort(label.groupby(label).cumcount().to_numpy(), kind="stable")[:n]]


@dataclass(frozen=True)
class FixedDose:
    """sample_id -> the condition's damage; seed, sample, kind and level decide its randomness."""

    condition: DamageLevel
    seed: int

    def __call__(self, sample_id: str) -> Dose:
        of = self.condition
        seed = derive_seed("robustness", self.seed, sample_id, of.kind, float(of.level))
        return Dose(of.degradation, of.level, np.random.default_rng(seed))
