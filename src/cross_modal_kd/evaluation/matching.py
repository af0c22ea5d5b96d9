"""Cross-modal matching: the student's embedding of a sample against the projected teacher's of what belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.metrics import (
    Cosines,
    Matching,
    Metric,
    MetricSet,
    bootstrap_mean,
    bootstrap_verification,
    match_places,
    roc_auc,
    unit_rows,
)
from cross_modal_kd.models import ModelBundle, project
from cross_modal_kd.samples import KEYS, EmbeddingTable, item_keys, split_rows
from cross_modal_kd.storage import with_article
from cross_modal_kd.tasks import Subset

MOST_MISMATCHES = 50_000


@dataclass(frozen=True)
class Gallery:
    """One item a key (a group for instance pairing, a label for label pairing; of several, the widest).

    keys: G. items: (G, d), the mean of the key's normalised projected teacher views, normalised again.
    means: (G, d), that mean itself: s . mean is the mean cosine to the views.
    """

    keys: pd.Index
    items: np.ndarray
    means: np.ndarray


def teacher_gallery(
    samples: pd.DataFrame, task: TaskConfig, split: str, teacher_embeddings: EmbeddingTable, projection: ModelBundle
) -> Gallery:
    """Items of one split, in the order of their keys.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality; its pairing says what a key is: the group, the video or the label.
        split: train, dev or test.
        teacher_embeddings: raw, of every sample of that modality and split.
        projection: of the teacher, into the student's space.

    Returns:
        An item a key; none where the split has no teacher sample with a key.
    """
    rows = split_rows(samples, task.teacher, split)
    named = item_keys(rows, task).dropna()
    rows = rows.loc[named.index]
    if rows.empty:
        nothing = np.zeros((0, int(projection.config["projection"]["dim"])), dtype=np.float32)
        return Gallery(pd.Index([], dtype="str"), nothing, nothing)
    codes, keys = pd.factorize(named, sort=True)
    views = project(projection, teacher_embeddings.at(rows["sample_id"]))
    means = np.zeros((len(keys), views.shape[1]), dtype=np.float32)
    np.add.at(means, codes, views)
    means /= np.bincount(codes)[:, None]
    return Gallery(pd.Index(keys), unit_rows(means), means)


@dataclass(frozen=True)
class Queries:
    """Those samples of a fold that have an item in its gallery, and all of its gallery.

    similarity: (q, G) cosines. own: (q,) the item that belongs to each. distances: (q,) 1 - the mean cosine to the
    views of that item. clusters: (q,).
    """

    similarity: Cosines
    own: np.ndarray
    distances: np.ndarray
    clusters: np.ndarray

    @property
    def items(self) -> int:
        """G, the size of the gallery."""
        return self.similarity.shape[1]


def matching_metrics(
    folds: Sequence[tuple[Subset, np.ndarray, Gallery]], task: TaskConfig, evaluation: EvaluationConfig
) -> MetricSet:
    """1:N matching, AUC over all pairs, retrieval mAP, and the mean distance to the own teacher embedding.

    Rows without an item in the gallery take no part. The gallery is the same in every resample; the clusters of
    the queries are drawn. Of several folds each has its own gallery, and what its queries find is pooled.

    Args:
        folds: n samples of the student's modality, (n, D) embeddings of them, of which the first d are bound to the
            teacher, and the gallery of their split, G items (G, d); of each fold.
        task: its pairing says what belongs to a sample.
        evaluation: ``gallery``, the N of 1:N; ``seed`` of the mismatches that the AUC is taken over (at most 50,000).

    Returns:
        ``matching_1_N``, ``matching_auc`` and ``retrieval_map`` in [0, 1], with their chance levels; ``distance``, 1
        less a cosine, in [0, 2]; or why one is not defined.
    """
    names = [*(f"matching_1_{n}" for n in evaluation.gallery), "matching_auc", "retrieval_map"]
    subset = folds[0][0]
    found = [_queries(*fold, task) for fold in folds]
    queries = [each for each in found if len(each.own)]
    if not queries:
        reason = f"no sample has {with_article(task.teacher)} of its {' and '.join(KEYS[task.levels[-1]])} in its split"
        return MetricSet(undefined=dict.fromkeys([*names, "distance"], reason))
    metrics = MetricSet({"distance": _mean([each.distances for each in queries], queries, subset)})
    size = min(each.items for each in queries)
    if size < 2:
        return metrics | MetricSet(undefined=dict.fromkeys(names, f"the gallery has {size} item; two are needed"))
    places = [match_places(each.similarity, each.own, np.arange(each.items)) for each in queries]
    for n in evaluation.gallery:
        name = f"matching_1_{n}"
        if n > size:
            metrics |= MetricSet(undefined={name: f"the gallery has only {size} items"})
            continue
        metrics |= _ranked(name, [each.one_of_n(n) for each in places], queries, subset)
    ranked = [each.average_precision() for each in places]
    return metrics | _ranked("retrieval_map", ranked, queries, subset) | _auc(queries, subset, evaluation)


def _queries(subset: Subset, values: np.ndarray, gallery: Gallery, task: TaskConfig) -> Queries:
    own = gallery.keys.get_indexer(pd.Index(item_keys(subset.rows, task)))
    rows = np.flatnonzero(own >= 0)
    unit, own = unit_rows(values[:, : gallery.items.shape[1]])[rows], own[rows]
    distances = 1 - np.einsum("nd,nd->n", unit, gallery.means[own])
    return Queries(Cosines(unit, gallery.items), own, distances, subset.clusters[rows])


def _auc(folds: Sequence[Queries], subset: Subset, evaluation: EvaluationConfig) -> MetricSet:
    """AUC over every match and a seeded draw of the mismatches."""
    parts = []
    for found in folds:
        queries, size = found.similarity.shape
        total = queries * (size - 1)
        drawn = np.random.default_rng(evaluation.seed).choice(total, min(total, MOST_MISMATCHES), replace=False)
        query, other = np.divmod(drawn, size - 1)
        other += other >= found.own[query]
        query = np.concatenate([np.arange(queries), query])
        scores = found.similarity.at(query, np.concatenate([found.own, other]))
        parts.append((scores, np.repeat([1, 0], [queries, len(drawn)]), found.clusters[query]))
    scores, match, side = map(np.concatenate, zip(*parts, strict=True))
    resampled = bootstrap_verification([scores], match, side, side, subset.weights, p_targets=()).auc[:, 0]
    clusters = np.concatenate([found.clusters for found in folds])
    metric = Metric(roc_auc(scores, match), resampled, subset.evidence(clusters))
    return MetricSet({"matching_auc": metric}, {"matching_auc": 0.5})


def _ranked(name: str, found: Sequence[Matching], folds: Sequence[Queries], subset: Subset) -> MetricSet:
    """The mean over the queries of all folds, with the chance level of each query's own gallery."""
    counts = np.array([len(each.per_query) for each in found])
    chance = float(np.dot([each.chance for each in found], counts / counts.sum()))
    return MetricSet({name: _mean([each.per_query for each in found], folds, subset)}, {name: chance})


def _mean(per_query: Sequence[np.ndarray], folds: Sequence[Queries], subset: Subset) -> Metric:
    values, clusters = np.concatenate(per_query), np.concatenate([found.clusters for found in folds])
    resampled = bootstrap_mean(values, clusters, subset.weights)
    return Metric(float(values.mean()), resampled, subset.evidence(clusters))
