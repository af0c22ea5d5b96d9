"""Classification by the student's own classifier, or by the teacher's that it takes along."""

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
)
from cross_modal_kd.models import ModelBundle, classifier_logits, prototypes
from cross_modal_kd.samples import class_numbers
from cross_modal_kd.tasks.subset import Subset


def classification_metrics(subset: Subset, student: ModelBundle, values: np.ndarray) -> MetricSet:
    """Top-1, top-5, macro F1 and calibration error.

    Args:
        subset: n samples, whose labels are classes of the student.
        student: with its classifier and its C classes.
        values: (n, D) float32 embeddings of the samples, not normalised.

    Returns:
        ``top1``, ``top5`` (undefined with five classes or fewer), ``macro_f1``, ``calibration_error``, each in [0, 1];
        chance of top-k is k / C.
    """
    answers, labels = _answers(subset, student, values)
    classes = answers.shape[1]
    found = _top(1, answers, labels, subset)
    if classes > 5:
        found |= _top(5, answers, labels, subset)
    else:
        found |= MetricSet(undefined={"top5": f"there are only {classes} classes"})
    predicted = answers.argmax(axis=1)
    statistics = {
        "macro_f1": lambda weights: macro_f1(predicted, labels, weights),
        "calibration_error": lambda weights: calibration_error(answers, labels, weights=weights),
    }
    everything = np.ones(len(labels))
    for name, statistic in statistics.items():
        resampled = bootstrap_statistic(statistic, subset.clusters, subset.weights)
        found |= MetricSet({name: Metric(statistic(everything), resampled)})
    return found


def top1(subset: Subset, student: ModelBundle, values: np.ndarray) -> MetricSet:
    """Top-1 accuracy alone.

    Args:
        subset: n samples, whose labels are classes of the student.
        student: with its classifier and its C classes.
        values: (n, D) float32 embeddings of the samples, not normalised.

    Returns:
        ``top1``, a share in [0, 1]; its chance is 1 / C.
    """
    return _top(1, *_answers(subset, student, values), subset)


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
    return MetricSet({"top1_error": _mean(wrong, subset)})


def prototype_top1(subset: Subset, projected: np.ndarray, projection: ModelBundle) -> MetricSet:
    """Top-1 accuracy of the nearest prototype, over the samples whose label is a class.

    Args:
        subset: n samples of the teacher's modality.
        projected: (n, d) unit rows.
        projection: with its C prototypes and their classes.

    Returns:
        ``top1``, a share in [0, 1]; its chance is 1 / C.
    """
    classes = projection.config["classes"]
    numbers = class_numbers(subset.rows["label"], classes)
    known = numbers >= 0
    right = in_top_k(projected[known] @ prototypes(projection).T, numbers[known])
    clusters = subset.clusters[known]
    resampled = bootstrap_mean(right, clusters, subset.weights)
    found = Metric(float(right.mean()), resampled, subset.evidence(clusters))
    return MetricSet({"top1": found}, {"top1": 1 / len(classes)})


def _answers(subset: Subset, student: ModelBundle, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, C) probabilities and (n,) class numbers."""
    return probabilities(student, values), class_numbers(subset.rows["label"], student.config["classes"])


def _top(k: int, answers: np.ndarray, labels: np.ndarray, subset: Subset) -> MetricSet:
    return MetricSet({f"top{k}": _mean(in_top_k(answers, labels, k), subset)}, {f"top{k}": k / answers.shape[1]})


def probabilities(student: ModelBundle, values: np.ndarray) -> np.ndarray:
    """Softmax of the student's logits, as it answers: by its own classifier, the teacher's, or both.

    Args:
        student: with its classifier of C classes.
        values: (n, D) float32 embeddings of samples, not normalised.

    Returns:
        (n, C) float64, rows sum to 1.
    """
    return classifier_logits(student, torch.from_numpy(values)).double().softmax(dim=1).numpy()


def _mean(per_sample: np.ndarray, subset: Subset) -> Metric:
    return Metric(float(per_sample.mean()), bootstrap_mean(per_sample, subset.clusters, subset.weights))
