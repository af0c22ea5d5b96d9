"""Samples that are measured, and the clusters that are resampled with them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from cross_modal_kd.metrics import Evidence, Least


def _least() -> "Least":
    from cross_modal_kd.metrics import Least  # with it comes scipy, which looking at the pipelines does not need

    return Least()


@dataclass(frozen=True)
class Subset:
    """Samples of one modality and split, with their resamples.

    rows: n rows of the samples table, indexed from 0.
    clusters: (n,) number of each row's cluster: what was drawn from the world as one, by the kind of task.
    names: the C clusters, by number.
    weights: (R, max(C, 2)) how often each cluster is drawn in each resample.
    least: what an interval over these clusters needs.
    """

    rows: pd.DataFrame
    clusters: np.ndarray
    names: list[str]
    weights: np.ndarray
    least: "Least" = field(default_factory=_least)

    def evidence(self, *sides: np.ndarray) -> "Evidence":
        """What a metric over a part of the samples rests on.

        Args:
            *sides: cluster numbers of what the metric needs of each sort; the sort with the fewest clusters counts.
                None: all of the subset.

        Returns:
            The clusters that have a part in it, and the resamples.
        """
        from cross_modal_kd.metrics import Evidence

        return Evidence.of(self.weights, *(sides or (self.clusters,)), least=self.least)
