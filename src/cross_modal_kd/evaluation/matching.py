"""Cross-modal matching: the student's embedding of a sample against the projected teacher's of what belongs to it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.metrics import (
    Metric,
    MetricSet,
    average_precision,
    bootstrap_mean,
    bootstrap_verification,
    one_of_n,
    roc_auc,
    unit_rows,
)
from cross_modal_kd.models import ModelBundle, project
from cross_modal_kd.samples import KEYS, EmbeddingTable, split_rows
from cross_modal_kd.tasks import Subset

MOST_MISMATCHES = 50_000


@dataclass(frozen=True)
class Gallery:
    """One item a key (a group for instance pairing, a label for label pairing).

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
        task: names the teacher's modality; its pairing says what a key is, the group or the label.
        split: train, dev or test.
        teacher_embeddings: raw, of every sample of that modality and split.
        projection: of the teacher, into the student's space.

    Returns:
        An item a key; none where the split has no teacher sample with a key.
    """
    rows = split_rows(samples, task.teacher, split).dropna(subset=[KEYS[task.pairing]])
    if rows.empty:
        nothing = np.zeros((0, int(projection.config["projection"]["dim"])), dtype=np.float32)
        return Gallery(pd.Index([], dtype="str"), nothing, nothing)
    codes, keys = pd.factorize(rows[KEYS[task.pairing]], sort=True)
    views = project(projection, teacher_embeddings.at(rows["sample_id"]))
    means = np.zeros((len(keys), views.shape[1]), dtype=np.float32)
    np.add.at(means, codes, views)
    means /= np.bincount(codes)[:, None]
    return Gallery(pd.Index(keys), unit_rows(means), means)


def matching_metrics(
    subset: Subset, values: np.ndarray, task: TaskConfig, gallery: Gallery, evaluation: EvaluationConfig
) -> MetricSet:
    """1:N matching, AUC over all pairs, retrieval mAP, and the mean distance to the own teacher embedding.

    Rows without an item in the gallery take no part. The gallery is the same in every resample; the clusters of
    the queries are drawn.

    Args:
        subset: n samples of the student's modality.
        values: (n, D) embeddings of the samples, of which the first d are bound to the teacher.
        task: its pairing says what belongs to a sample.
        gallery: of the subset's split, G items (G, d).
        evaluation: ``gallery``, the N of 1:N; ``seed`` of the mismatches that the AUC is taken over (at most 50,000).

    Returns:
        ``matching_1_N``, ``matching_auc`` and ``retrieval_map`` in [0, 1], with their chance levels; ``distance``, 1
        less a cosine, in [0, 2]; or why one is not defined.
    """
    names = [*(f"matching_1_{n}" for n in evaluation.gallery), "matching_auc", "retrieval_map"]
    own = gallery.keys.get_indexer(pd.Index(subset.rows[KEYS[task.pairing]]))
    rows = np.flatnonzero(own >= 0)
    if not len(rows):
        reason = f"no sample has a {task.teacher} of its {KEYS[task.pairing]} in its split"
        return MetricSet(undefined=dict.fromkeys([*names, "distance"], reason))
    bound = values[:, : gallery.items.shape[1]]
    unit, own, clusters = unit_rows(bound)[rows], own[rows], subset.clusters[rows]
    distances = 1 - np.einsum("nd,nd->n", unit, gallery.means[own])
    metrics = MetricSet({"distance": _mean(distances, clusters, subset)})
    size = len(gallery.keys)
    if size < 2:
        return metrics | MetricSet(undefined=dict.fromkeys(names, f"the gallery has {size} item; two are needed"))
    similarity = unit @ gallery.items.T
    everyone = np.arange(size)
    for n in evaluation.gallery:
        name = f"matching_1_{n}"
        if n > size:
            metrics |= MetricSet(undefined={name: f"the gallery has only {size} items"})
            continue
        found = one_of_n(similarity, own, everyone, n)
        metrics |= MetricSet({name: _mean(found.per_query, clusters, subset)}, {name: found.chance})
    ranked = average_precision(similarity, own, everyone)
    metrics |= MetricSet({"retrieval_map": _mean(ranked.per_query, clusters, subset)}, {"retrieval_map": ranked.chance})
    return metrics | _auc(similarity, own, clusters, subset, evaluation)


def _auc(
    similarity: np.ndarray, own: np.ndarray, clusters: np.ndarray, subset: Subset, evaluation: EvaluationConfig
) -> MetricSet:
    """AUC over every match and a seeded draw of the mismatches."""
    queries, size = similarity.shape
    total = queries * (size - 1)
    drawn = np.random.default_rng(evaluation.seed).choice(total, min(total, MOST_MISMATCHES), replace=False)
    query, other = np.divmod(drawn, size - 1)
    other += other >= own[query]
    everyone = np.arange(queries)
    query, item = np.concatenate([everyone, query]), np.concatenate([own, other])
    scores, match = similarity[query, item], np.repeat([1, 0], [queries, len(drawn)])
    side = clusters[query]
    resampled = bootstrap_verification([scores], match, side, side, subset.weights, p_targets=()).auc[:, 0]
    found = Metric(roc_auc(scores, match), resampled, subset.evidence(clusters))
    return MetricSet({"matching_auc": found}, {"matching_auc": 0.5})


def _mean(per_query: np.ndarray, clusters: np.ndarray, subset: Subset) -> Metric:
    resampled = bootstrap_mean(per_query, clusters, subset.weights)
    return Metric(float(per_query.mean()), resampled, subset.evidence(clusters))
