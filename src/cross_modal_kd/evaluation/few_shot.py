"""The same unseen classes, shown by a few samples of the student's own modality in place of words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.config import EvaluationConfig
from cross_modal_kd.evaluation.matching import Gallery
from cross_modal_kd.evaluation.open_vocabulary import Asked, among
from cross_modal_kd.metrics import MetricSet, few_shot
from cross_modal_kd.tasks import Subset

DRAWS = 10


def too_few(rows: pd.DataFrame, classes: Gallery, shots: int) -> int:
    """How many of the classes have no more samples than would be shown, and are left out.

    Args:
        rows: of the student's modality and the test split.
        classes: ``named_classes`` of the split.
        shots: samples that a class is shown by.

    Returns:
        A count of the classes that have a sample at all.
    """
    sizes = rows.loc[rows["label"].isin(classes.keys), "label"].value_counts()
    return int((sizes <= shots).sum())


def few_shot_metrics(folds: Sequence[tuple[Subset, np.ndarray, Gallery]], evaluation: EvaluationConfig) -> MetricSet:
    """The share of the samples that are nearest to the mean of a few others of their class, in the student's own space.

    The samples that a class is shown by are drawn with ``evaluation.seed``, ten times, the same for every student; all
    others of it are asked, and all draws count alike. Classes with no more samples than that are left out.

    Args:
        folds: n samples of the student's modality, their embeddings (n, D), of which all D count, and ``named_classes``
            of their split; of each fold.
        evaluation: ``shots``, the samples that a class is shown by; ``vocabulary``, the N of classes to choose from.

    Returns:
        For each number of shots k ``few_shot_k``, among all classes that are left, and ``few_shot_k_N``, as ``among``
        gives them.
    """
    found = MetricSet()
    for shots in evaluation.shots:
        parts, left_out = [], 0
        for part, values, classes in folds:
            labels = part.rows["label"]
            left_out += too_few(part.rows, classes, shots)
            enough = labels.isin(classes.keys) & (labels.groupby(labels).transform("size") > shots)
            rows = np.flatnonzero(enough)
            if labels.iloc[rows].nunique() < 2:
                continue
            for draw in range(DRAWS):
                rng = np.random.default_rng([evaluation.seed, shots, draw])
                drawn = few_shot(values[rows], labels.iloc[rows].to_numpy(), shots, rng)
                parts.append(Asked(drawn.places, part.clusters[rows[drawn.queries]]))
        samples = f"{shots} {'sample' if shots == 1 else 'samples'}"
        lacking = f"fewer than two unseen classes have more than {samples}"
        besides = f"; {left_out} more have no more than {samples}" if left_out else ""
        found |= among(f"few_shot_{shots}", parts, folds[0][0], evaluation, lacking, besides)
    return found
