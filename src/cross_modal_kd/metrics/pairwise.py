"""Equal error rate over all pairs of a set of samples."""

import numpy as np


def pairwise_eer(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """EER over all pairs of the samples, cosine scores; NaN where no two samples share a label or all do."""
    from cross_modal_kd.metrics.verification import eer

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    rows, columns = np.triu_indices(len(unit), 1)
    scores = (unit @ unit.T)[rows, columns]
    targets = labels[rows] == labels[columns]
    if targets.all() or not targets.any():
        return float("nan")
    return eer(scores, targets.astype(int))
