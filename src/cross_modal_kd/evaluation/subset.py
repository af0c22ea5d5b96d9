"""The samples that are measured: the test split, and a part of the training split."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.metrics import Least, cluster_weights
from cross_modal_kd.tasks import Subset, kind_of

PER_CLUSTER = 10
SEEDS = {"test": 0, "train": 1}


def subset_of(rows: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig, split: str) -> Subset:
    """The rows with their clusters and resamples.

    The weights depend on seed, split and number of clusters alone, so that all arms share them.

    Args:
        rows: n rows of the samples table, of one modality and split.
        task: its kind says what a cluster is.
        evaluation: ``bootstrap`` resamples, drawn with ``seed``; and how much an interval needs.
        split: test or train.

    Returns:
        The n rows indexed from 0, with (R, max(C, 2)) weights of their C clusters.
    """
    rows = rows.reset_index(drop=True)
    clusters, names = pd.factorize(kind_of(task).clusters(rows), sort=True)
    weights = cluster_weights(max(len(names), 2), evaluation.bootstrap, evaluation.seed + SEEDS[split])
    return Subset(rows, clusters.astype(np.intp), names.tolist(), weights, least_of(task, evaluation, split))


def over_clusters(subsets: Sequence[Subset], evaluation: EvaluationConfig, split: str) -> list[Subset]:
    """Subsets of several folds with one numbering of all their clusters, and so with the same resamples.

    Args:
        subsets: of each fold, as ``subset_of`` gives them; a cluster may be in several.
        evaluation: ``bootstrap`` resamples, drawn with ``seed``.
        split: test or train.

    Returns:
        The same rows, with numbers and (R, C) weights of the C clusters of all.
    """
    names = sorted({name for subset in subsets for name in subset.names})
    number = pd.Index(names)
    weights = cluster_weights(max(len(names), 2), evaluation.bootstrap, evaluation.seed + SEEDS[split])
    return [
        replace(
            subset,
            clusters=number.get_indexer(pd.Index(subset.names))[subset.clusters].astype(np.intp),
            names=names,
            weights=weights,
        )
        for subset in subsets
    ]


def least_of(task: TaskConfig, evaluation: EvaluationConfig, split: str) -> Least:
    """What an interval over the clusters of a split needs, and what to do where they are too few.

    Args:
        task: its kind says what a cluster is.
        evaluation: ``min_clusters`` and ``min_resamples``; ``folds``, which are no advice where there are several.
        split: test or train.

    Returns:
        The two numbers, and the words for them.
    """
    cluster = f"{kind_of(task).design.cluster}s"
    advice = {
        "test": "add data"
        if evaluation.folds > 1
        else f"add data, or set evaluation.folds to 3 or more, so that all {cluster} are tested",
        "train": "raise evaluation.train_subset",
    }[split]
    what = f"{'test' if split == 'test' else 'training'} clusters ({cluster})"
    return Least(evaluation.min_clusters, evaluation.min_resamples, what, advice)


def train_subset(rows: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """At most ``evaluation.train_subset`` training samples: up to ten of a cluster, in a seeded order of whole ones.

    Of those that have a label, by which they are measured; of all where none has.

    Args:
        rows: the student's training samples.
        task: its kind says what a cluster is.
        evaluation: ``train_subset`` and ``seed``.

    Returns:
        A part of the rows in the order of their index; none where the first cluster drawn exceeds the number.
    """
    rows = known if len(known := rows[rows["label"].notna()]) else rows
    order = np.random.default_rng(evaluation.seed).permutation(len(rows))
    cluster = kind_of(task).clusters(rows).iloc[order]
    kept = cluster[cluster.groupby(cluster).cumcount() < PER_CLUSTER]
    sizes = kept.value_counts()
    first_seen = kept.drop_duplicates().tolist()
    fits = np.cumsum(sizes.loc[first_seen].to_numpy()) <= evaluation.train_subset
    chosen = kept[kept.isin(np.asarray(first_seen, dtype=object)[fits])].index
    return rows.loc[sorted(chosen)]
