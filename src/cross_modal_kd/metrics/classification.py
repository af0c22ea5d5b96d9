"""Classification: which of C known classes?"""

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import class_indices, finite, same_length, sample_weights


def in_top_k(scores: ArrayLike, labels: ArrayLike, k: int = 1) -> np.ndarray:
    """1 where the true class is among the k highest scores, else 0.

    Where it ties with others across the limit: the probability of being among them if ties are broken at random.

    Args:
        scores: (n, C), higher is more likely; finite.
        labels: (n,) integers in [0, C).
        k: 1 to C.

    Returns:
        (n,) in [0, 1]. Memory grows with n C.

    Raises:
        ValueError: Where scores are not finite, a label has no class or k is out of range.

    >>> in_top_k([[0.9, 0.1], [0.5, 0.5]], [0, 1]).tolist()
    [1.0, 0.5]
    """
    scores = finite(scores, "scores", ndim=2)
    labels = class_indices(labels, scores, scores.shape[1], "labels", "scores")
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"k: expected 1 to {scores.shape[1]} (the number of classes), found {k}")
    own = scores[np.arange(len(scores)), labels][:, None]
    above, level = (scores > own).sum(1), (scores == own).sum(1)
    return np.clip((k - above) / level, 0, 1)


def top_k_accuracy(scores: ArrayLike, labels: ArrayLike, k: int = 1, weights: ArrayLike | None = None) -> float:
    """Weighted mean of ``in_top_k``.

    Args:
        scores: (n, C), higher is more likely; finite.
        labels: (n,) integers in [0, C).
        k: 1 to C.
        weights: (n,) >= 0 of the samples; None is ones.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: As ``in_top_k``, and where the weights are none.

    >>> top_k_accuracy([[0.9, 0.1], [0.8, 0.2]], [0, 1])
    0.5
    """
    hits = in_top_k(scores, labels, k)
    return float(np.average(hits, weights=sample_weights(weights, hits, "scores")))


def macro_f1(predicted: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean of F1_c = 2 TP / (2 TP + FP + FN) over the classes that occur in the truth with weight above 0.

    Args:
        predicted: (n,) classes of any kind.
        labels: (n,) the true ones, of the same kind.
        weights: (n,) >= 0 of the samples; None is ones.

    Returns:
        A mean in [0, 1].

    Raises:
        ValueError: Without a sample, or where lengths differ or the weights are none.

    >>> macro_f1(["a", "a", "b"], ["a", "b", "b"])
    0.6666666666666666
    """
    labels = np.asarray(labels)
    predicted = same_length(predicted, labels, "predicted", "labels")
    if not len(labels):
        raise ValueError("labels: expected at least one, found none")
    weights = sample_weights(weights, labels, "labels")
    classes, indices = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
    truth, answer = indices[: len(labels)], indices[len(labels) :]
    in_truth = np.bincount(truth, weights, len(classes))
    in_answer = np.bincount(answer, weights, len(classes))
    right = np.bincount(truth, weights * (truth == answer), len(classes))
    present = in_truth > 0
    return float(np.mean(2 * right[present] / (in_truth + in_answer)[present]))


def calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 15, weights: ArrayLike | None = None
) -> float:
    """Expected calibration error: sum over bins of share * |accuracy - mean confidence|.

    The confidence is the highest of a row, and its first class the answer. Bins are equally wide over [0, 1], closed on
    the right. Reference: Guo et al., ICML 2017.

    Args:
        probabilities: (n, C) in [0, 1], rows sum to 1.
        labels: (n,) integers in [0, C).
        bins: How many, >= 1.
        weights: (n,) >= 0 of the samples; None is ones.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: Where rows do not sum to 1, a label has no class, or bins or weights are none.

    >>> calibration_error([[0.75, 0.25], [0.75, 0.25]], [0, 1])
    0.25
    """
    probabilities = finite(probabilities, "probabilities", ndim=2)
    labels = class_indices(labels, probabilities, probabilities.shape[1], "labels", "probabilities")
    weights = sample_weights(weights, labels, "probabilities")
    if probabilities.min() < 0 or not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise ValueError("probabilities: expected rows >= 0 that sum to 1; pass the softmax of the logits")
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, found {bins}")
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    gaps = np.bincount(index, weights * (right - confidence), bins)
    return float(np.abs(gaps).sum() / weights.sum())
