"""Samples that are measured, and the clusters that are resampled with them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Subset:
    """Samples of one modality and split, with their resamples.

    rows: n rows of the samples table, indexed from 0.
    clusters: (n,) number of each row's cluster: what was drawn from the world as one, by the kind of task.
    names: the C clusters, by number.
    weights: (R, max(C, 2)) how often each cluster is drawn in each resample.
    """

    rows: pd.DataFrame
    clusters: np.ndarray
    names: list[str]
    weights: np.ndarray
