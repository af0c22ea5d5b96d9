"""Classification by the student's own classifier, or by the teacher's that it takes along."""

from collections.abc import Sequence

import numpy as np
import torch

from cross_modal_kd.metrics import (
    Metric,
    MetricSet,
    bootstrap_mean,
    bootstrap_statistic,
    calibration_error,
    in_top_k,
    macro_f1,
    without_bias,
)
from cross_modal_kd.models import ModelBundle, classifier_logits, prototypes
from cross_modal_kd.samples import class_numbers
from cross_modal_kd.tasks.on_test import Evaluated
from cross_modal_kd.tasks.subset import Subset


def classification_metrics(folds: Sequence[Evaluated]) -> MetricSet:
    """Top-1, top-5, macro F1 and calibration error; the answers of all folds are pooled.

    Args:
        folds: the student, or one of each fold, on its test samples, whose labels are classes of the student.

    Returns:
        ``top1``, ``top5`` (undefined with five classes or fewer), ``macro_f1``, ``calibration_error``, each in [0, 1];
        chance of top-k is k / C. The resamples of the calibration error are ``without_bias``.
    """
    answers, labels, clusters = _pooled(folds)
    classes, weights = answers.shape[1], folds[0].subset.weights
    found = _top(1, answers, labels, clusters, weights)
    if classes > 5:
        found |= _top(5, answers, labels, clusters, weights)
    else:
        found |= MetricSet(undefined={"top5": f"there are only {classes} classes"})
    predicted = answers.argmax(axis=1)
    f1 = bootstrap_statistic(lambda counts: macro_f1(predicted, labels, counts), clusters, weights)
    error = calibration_error(answers, labels)
    errors = bootstrap_statistic(lambda counts: calibration_error(answers, labels, weights=counts), clusters, weights)
    return found | MetricSet(
        {
            "macro_f1": Metric(macro_f1(predicted, labels), f1),
            "calibration_error": Metric(error, without_bias(error, errors)),
        }
    )


def top1(folds: Sequence[Evaluated]) -> MetricSet:
    """Top-1 accuracy alone.

    Args:
        folds: the student, or one of each fold, on samples whose labels are classes of the student.

    Returns:
        ``top1``, a share in [0, 1]; its chance is 1 / C.
    """
    return _top(1, *_pooled(folds), folds[0].subset.weights)


def top1_error(subset: Subset, student: ModelBundle, values: np.ndarray) -> MetricSet:
    """The share of wrong answers.

    Args:
        subset: n samples, whose labels are classes of the student.
        student: with its classifier and its C classes.
        values: (n, D) float32 embeddings of the samples, not normalised.

    Returns:
        ``top1_error``, a share in [0, 1], without a chance level.
    """
    wrong = 1.0 - in_top_k(*_answers(subset, student, values), 1)
    resampled = bootstrap_mean(wrong, subset.clusters, subset.weights)
    return MetricSet({"top1_error": Metric(float(wrong.mean()), resampled)})


def prototype_top1(folds: Sequence[tuple[Subset, np.ndarray, ModelBundle]]) -> MetricSet:
    """Top-1 accuracy of the nearest prototype, over the samples whose label is a class.

    Args:
        folds: n samples of the teacher's modality, (n, d) unit rows of them, and the projection with its C prototypes
            and their classes, of each fold.

    Returns:
        ``top1``, a share in [0, 1]; its chance is 1 / C.
    """
    answered, of_clusters = [], []
    for subset, projected, projection in folds:
        numbers = class_numbers(subset.rows["label"], projection.config["classes"])
        known = numbers >= 0
        answered.append(in_top_k(projected[known] @ prototypes(projection).T, numbers[known]))
        of_clusters.append(subset.clusters[known])
    right, clusters, subset = np.concatenate(answered), np.concatenate(of_clusters), folds[0][0]
    resampled = bootstrap_mean(right, clusters, subset.weights)
    found = Metric(float(right.mean()), resampled, subset.evidence(clusters))
    return MetricSet({"top1": found}, {"top1": 1 / len(folds[0][2].config["classes"])})


def _pooled(folds: Sequence[Evaluated]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, C) probabilities, (n,) class numbers and (n,) clusters of the samples of all folds."""
    parts = [(*_answers(fold.subset, fold.student, fold.values), fold.subset.clusters) for fold in folds]
    answers, labels, clusters = map(np.concatenate, zip(*parts, strict=True))
    return answers, labels, clusters


def _answers(subset: Subset, student: ModelBundle, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, C) probabilities and (n,) class numbers."""
    return probabilities(student, values), class_numbers(subset.rows["label"], student.config["classes"])


def _top(k: int, answers: np.ndarray, labels: np.ndarray, clusters: np.ndarray, weights: np.ndarray) -> MetricSet:
    right = in_top_k(answers, labels, k)
    found = Metric(float(right.mean()), bootstrap_mean(right, clusters, weights))
    return MetricSet({f"top{k}": found}, {f"top{k}": k / answers.shape[1]})


def probabilities(student: ModelBundle, values: np.ndarray) -> np.ndarray:
    """Softmax of the student's logits, as it answers: by its own classifier, the teacher's, or both.

    Args:
        student: with its classifier of C classes.
        values: (n, D) float32 embeddings of samples, not normalised.

    Returns:
        (n, C) float64, rows sum to 1.
    """
    return classifier_logits(student, torch.from_numpy(values)).double().softmax(dim=1).numpy()
