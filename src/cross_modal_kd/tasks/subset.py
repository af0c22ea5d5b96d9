"""The samples that are measured, and the clusters that are resampled with them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.metrics import cluster_weights

PER_UNIT = 10
SEEDS = {"test": 0, "train": 1}


@dataclass(frozen=True)
class Subset:
    """rows: (n) of one modality and split. clusters: (n,) index of each row's cluster. weights: (R, C) resamples.

    A cluster is what was drawn from the world as one: a label (concept, speaker) for verification, a group for
    classification. The weights depend on seed and number of clusters alone, so that all arms share them.
    """

    rows: pd.DataFrame
    clusters: np.ndarray
    names: list[str]
    weights: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig, split: str) -> "Subset":
        rows = rows.reset_index(drop=True)
        clusters, names = pd.factorize(units(rows, task), sort=True)
        weights = cluster_weights(max(len(names), 2), evaluation.bootstrap, evaluation.seed + SEEDS[split])
        return cls(rows, clusters.astype(np.intp), names.tolist(), weights)


def units(rows: pd.DataFrame, task: TaskConfig) -> pd.Series:
    """What is resampled as one: the label, or for classification the group (the sample where it has none)."""
    return rows["label"] if task.kind == "verification" else rows["group"].fillna(rows["sample_id"])


def train_subset(rows: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """At most ``evaluation.train_subset`` training samples: up to ten of a unit, units in a seeded order, whole."""
    order = np.random.default_rng(evaluation.seed).permutation(len(rows))
    unit = units(rows, task).iloc[order]
    place = unit.groupby(unit).cumcount()
    kept = unit[place < PER_UNIT]
    sizes = kept.value_counts()
    first_seen = kept.drop_duplicates().tolist()
    fits = np.cumsum(sizes.loc[first_seen].to_numpy()) <= evaluation.train_subset
    chosen = kept[kept.isin(np.asarray(first_seen, dtype=object)[fits])].index
    return rows.loc[sorted(chosen)]
