"""Closed-set identification: whose is this sample, among identities that are all enrolled?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import finite, same_length
from cross_modal_kd.metrics.classification import in_top_k
from cross_modal_kd.metrics.rows import first_of_each, unit_rows


@dataclass(frozen=True)
class Identification:
    """What ``identification`` found.

    probes: (p,) rows that were looked up. right: (p,) 1 where the nearest centroid was the right one (ties share).
    accuracy: the mean of ``right``. chance: 1 / identities enrolled.
    """

    probes: np.ndarray
    right: np.ndarray
    accuracy: float
    chance: float


def identification(embeddings: ArrayLike, labels: ArrayLike, enrol: int = 1, seed: int = 0) -> Identification:
    """Rank-1 accuracy by cosine to the centroid of ``enrol`` samples of each identity.

    Which samples enrol is drawn with ``seed`` and depends on the order of the rows alone; all the others are probes.
    Identities with no more than ``enrol`` samples stand in the gallery as distractors.

    Args:
        embeddings: (n, d) of any length; finite.
        labels: (n,) identities of any kind, I >= 2 of them.
        enrol: Samples of each identity in its centroid, >= 1.
        seed: Of the draw, >= 0.

    Returns:
        Accuracy, its chance level and the single answers. Memory grows with n I.

    Raises:
        ValueError: For fewer than two identities, or if no identity has a sample left to look up.

    >>> identification([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [0.1, 2.0]], ["a", "a", "b", "b"]).accuracy
    1.0
    """
    embeddings = finite(embeddings, "embeddings", ndim=2)
    labels = same_length(labels, embeddings, "labels", "embeddings")
    if enrol < 1:
        raise ValueError(f"enrol: expected at least 1 sample, found {enrol}")
    identities, index = np.unique(labels, return_inverse=True)
    if len(identities) < 2:
        raise ValueError(f"labels: expected at least 2 identities, found {len(identities)}")
    enrolled = first_of_each(index, enrol, np.random.default_rng(seed))
    probes = np.flatnonzero(~enrolled)
    if not len(probes):
        raise ValueError(f"enrol: no identity has more than {enrol} samples, none is left to look up")

    unit = unit_rows(embeddings)
    centroids = np.zeros((len(identities), embeddings.shape[1]))
    np.add.at(centroids, index[enrolled], unit[enrolled])
    right = in_top_k(unit[probes] @ unit_rows(centroids).T, index[probes])
    return Identification(probes, right, float(right.mean()), 1 / len(identities))
