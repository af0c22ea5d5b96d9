"""Classes that are named by words and were never seen in training: how often is the right one of all of them named?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.evaluation.matching import Gallery, teacher_gallery
from cross_modal_kd.metrics import Cosines, Metric, MetricSet, bootstrap_mean, one_of_n, unit_rows
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import Subset, kind_of

NAME = "open_vocabulary"


def named_classes(
    samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable, projection: ModelBundle
) -> Gallery | None:
    """The test labels as their words name them: the mean of each label's projected texts.

    Args:
        samples: the table, with its splits.
        task: its kind, pairing and modalities.
        teacher_embeddings: raw, of every sample of the teacher's modality.
        projection: of the teacher, into the student's space.

    Returns:
        An item a label; None where the teacher reads no words, where its words are not the student's labels' (chimeric
        pairs), or where the test labels were seen in training.
    """
    in_words = not modality_of(task.teacher).endings
    if not in_words or task.chimeric or kind_of(task).design.closed_set:
        return None
    by_label = task.model_copy(update={"pairing": "label"})
    return teacher_gallery(samples, by_label, "test", teacher_embeddings, projection)


def open_vocabulary_metric(folds: Sequence[tuple[Subset, np.ndarray, Gallery]]) -> MetricSet:
    """The share of the samples whose label's words are nearer than those of every other label.

    Args:
        folds: n samples of the student's modality, their embeddings (n, D), of which the first d are bound to the
            teacher, and ``named_classes`` of their split; of each fold.

    Returns:
        ``open_vocabulary`` in [0, 1] with its chance level, one in the number of labels; or why it is not defined. Ties
        count as misses in part, as in ``metrics.one_of_n``; the clusters of the samples are resampled, not the labels.
    """
    subset = folds[0][0]
    hits, clusters, chances = [], [], []
    for part, values, classes in folds:
        own = classes.keys.get_indexer(pd.Index(part.rows["label"]))
        rows = np.flatnonzero(own >= 0)
        if len(classes.keys) < 2 or not len(rows):
            continue
        similarity = Cosines(unit_rows(values[rows, : classes.items.shape[1]]), classes.items)
        found = one_of_n(similarity, own[rows], np.arange(len(classes.keys)), len(classes.keys))
        hits.append(found.per_query)
        clusters.append(part.clusters[rows])
        chances.append(np.full(len(rows), found.chance))
    if not hits:
        return MetricSet(undefined={NAME: "fewer than two test labels are named by a text, or no sample is of one"})
    values, sides = np.concatenate(hits), np.concatenate(clusters)
    metric = Metric(float(values.mean()), bootstrap_mean(values, sides, subset.weights), subset.evidence(sides))
    return MetricSet({NAME: metric}, {NAME: float(np.concatenate(chances).mean())})
