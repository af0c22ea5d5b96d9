"""Few-shot classification: which class is this, when each is shown by a few samples?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cross_modal_kd.metrics.checks import finite, same_length
from cross_modal_kd.metrics.cosines import Cosines
from cross_modal_kd.metrics.matching import MatchPlaces, match_places
from cross_modal_kd.metrics.rows import first_of_each, unit_rows


@dataclass(frozen=True)
class FewShot:
    """One draw of ``few_shot``.

    queries: (q,) rows that were asked. places: where the own class of each stands among all classes.
    """

    queries: np.ndarray
    places: MatchPlaces


def few_shot(embeddings: ArrayLike, labels: ArrayLike, shots: int, rng: np.random.Generator) -> FewShot:
    """Each sample against the mean of ``shots`` drawn samples of every class, by cosine; those drawn are not asked.

    The mean is of unit vectors, as in ``identification``; it is the nearest class mean of prototypical networks (Snell
    et al., arXiv 1703.05175), with the cosine, by which the embeddings are trained, for their squared distance.

    Args:
        embeddings: (n, d) of any length; finite.
        labels: (n,) classes of any kind, C >= 2 of them, each of more than ``shots`` samples.
        shots: Samples of each class in its mean, >= 1.
        rng: Of the draw; it depends on the order of the rows.

    Returns:
        The queries and their places among C classes. Memory grows with n + C d, and with one block of cosines.

    Raises:
        ValueError: Where shapes do not fit, for fewer than two classes, or if a class is left without a query.

    >>> found = few_shot([[1, 0], [2, 0.1], [0, 1], [0.1, 2]], ["a", "a", "b", "b"], 1, np.random.default_rng(0))
    >>> found.places.one_of_n(2).value
    1.0
    """
    embeddings = finite(embeddings, "embeddings", ndim=2)
    labels = same_length(labels, embeddings, "labels", "embeddings")
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if shots < 1 or len(classes) < 2 or sizes.min() <= shots:
        raise ValueError(
            f"shots, labels: expected at least 1 shot, 2 classes, and more samples than shots in each; found {shots}, "
            f"{len(classes)} and a class of {sizes.min() if len(sizes) else 0}"
        )
    shown = first_of_each(index, shots, rng)
    queries = np.flatnonzero(~shown)
    unit = unit_rows(embeddings)
    means = np.zeros((len(classes), unit.shape[1]), dtype=unit.dtype)
    np.add.at(means, index[shown], unit[shown])
    places = match_places(Cosines(unit[queries], unit_rows(means)), index[queries], np.arange(len(classes)))
    return FewShot(queries, places)
