"""Classes that are named by words and were never seen in training: how often is the right one named, among how many?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.evaluation.matching import Gallery, teacher_gallery
from cross_modal_kd.metrics import Cosines, MatchPlaces, Metric, MetricSet, bootstrap_mean, match_places, unit_rows
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import Subset, kind_of

NAME = "open_vocabulary"


@dataclass(frozen=True)
class Asked:
    """Samples of one fold that are each held against one item a class.

    places: where the own class of each of the q samples stands. clusters: (q,) of the samples.
    """

    places: MatchPlaces
    clusters: np.ndarray


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
    in_words = modality_of(task.teacher).words
    if not in_words or task.chimeric or kind_of(task).design.closed_set:
        return None
    by_label = task.model_copy(update={"pairing": "label"})
    return teacher_gallery(samples, by_label, "test", teacher_embeddings, projection)


def open_vocabulary_metrics(
    folds: Sequence[tuple[Subset, np.ndarray, Gallery]], evaluation: EvaluationConfig
) -> MetricSet:
    """The share of the samples whose label's words are nearer than those of the other labels: of all, and of few.

    Args:
        folds: n samples of the student's modality, their embeddings (n, D), of which the first d are bound to the
            teacher, and ``named_classes`` of their split; of each fold.
        evaluation: ``vocabulary``, the N of labels to choose from.

    Returns:
        ``open_vocabulary``, among all labels, and ``open_vocabulary_N``, as ``among`` gives them.
    """
    parts = []
    for part, values, classes in folds:
        own = classes.keys.get_indexer(pd.Index(part.rows["label"]))
        rows = np.flatnonzero(own >= 0)
        if len(classes.keys) < 2 or not len(rows):
            continue
        similarity = Cosines(unit_rows(values[rows, : classes.items.shape[1]]), classes.items)
        places = match_places(similarity, own[rows], np.arange(len(classes.keys)))
        parts.append(Asked(places, part.clusters[rows]))
    lacking = "fewer than two test labels are named by a text, or no sample is of one"
    return among(NAME, parts, folds[0][0], evaluation, lacking)


def among(
    name: str,
    parts: Sequence[Asked],
    subset: Subset,
    evaluation: EvaluationConfig,
    lacking: str,
    besides: str = "",
) -> MetricSet:
    """How often the own class is the nearest: of all classes, and of it and N - 1 others.

    Of N it is the expectation over every draw of the others, in closed form (``MatchPlaces.one_of_n``), so that no draw
    adds its luck. Ties count as misses in part. The clusters of the samples are resampled, in a verification their
    classes; the classes that they are held against stay.

    Args:
        name: of the metric.
        parts: of each fold (and draw), whose classes are its own.
        subset: has the resamples.
        evaluation: ``vocabulary``, the N.
        lacking: why nothing is defined, where there is no part.
        besides: what is to be said of classes that take no part, where there are fewer than N.

    Returns:
        ``name`` and ``name_N`` in [0, 1] with their chance levels, one in the number of classes and 1 / N; or why one
        is not defined: there is no part, or a fold has fewer than N classes.
    """
    names = {f"{name}_{n}": n for n in evaluation.vocabulary}
    if not parts:
        return MetricSet(undefined=dict.fromkeys([name, *names], lacking))
    fewest = min(part.places.items for part in parts)
    undefined = {
        each: f"there are only {fewest} unseen classes to choose from{besides}"
        for each, n in names.items()
        if n > fewest
    }
    sizes: dict[str, int | None] = {name: None, **{each: n for each, n in names.items() if each not in undefined}}
    clusters = np.concatenate([part.clusters for part in parts])
    evidence = subset.evidence(clusters)
    found, chance = {}, {}
    for each, n in sizes.items():
        matched = [part.places.one_of_n(n or part.places.items) for part in parts]
        values = np.concatenate([one.per_query for one in matched])
        found[each] = Metric(float(values.mean()), bootstrap_mean(values, clusters, subset.weights), evidence)
        chance[each] = float(np.concatenate([np.full(len(one.per_query), one.chance) for one in matched]).mean())
    return MetricSet(found, chance, undefined)
