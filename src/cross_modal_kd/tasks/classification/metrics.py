"""Classification by the student's own head."""

import numpy as np

from cross_modal_kd.metrics import (
    Figures,
    Measured,
    bootstrap_mean,
    bootstrap_statistic,
    calibration_error,
    in_top_k,
    macro_f1,
)
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.selection import class_numbers
from cross_modal_kd.tasks.subset import Subset


def classification_figures(subset: Subset, student: ModelBundle, values: np.ndarray) -> Figures:
    """Top-1, top-5, macro F1 and calibration error. values: (n, d) embeddings of the subset's rows, not normalised."""
    answers = probabilities(student, values)
    labels = class_numbers(subset.rows["label"], student.config["classes"])
    classes = answers.shape[1]
    figures = Figures({"top1": _mean(in_top_k(answers, labels, 1), subset)}, {"top1": 1 / classes})
    if classes > 5:
        figures |= Figures({"top5": _mean(in_top_k(answers, labels, 5), subset)}, {"top5": 5 / classes})
    else:
        figures |= Figures(undefined={"top5": f"there are only {classes} classes"})
    predicted = answers.argmax(axis=1)
    statistics = {
        "macro_f1": lambda weights: macro_f1(predicted, labels, weights),
        "calibration_error": lambda weights: calibration_error(answers, labels, weights=weights),
    }
    everything = np.ones(len(labels))
    for name, statistic in statistics.items():
        resampled = bootstrap_statistic(statistic, subset.clusters, subset.weights)
        figures |= Figures({name: Measured(statistic(everything), resampled)})
    return figures


def probabilities(student: ModelBundle, values: np.ndarray) -> np.ndarray:
    """(n, C) softmax of the student's own logits."""
    import torch

    from cross_modal_kd.models.student import head_logits

    return head_logits(student, torch.from_numpy(values)).double().softmax(dim=1).numpy()


def _mean(per_sample: np.ndarray, subset: Subset) -> Measured:
    return Measured(float(per_sample.mean()), bootstrap_mean(per_sample, subset.clusters, subset.weights))
