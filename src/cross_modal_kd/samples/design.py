"""How the samples of a task are drawn from the world: which of them belong together, and what every split must hold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class SamplingDesign:
    """What the functions over the samples table have to know of a kind of task.

    cluster: the column whose value was drawn from the world as one; a row without one is a cluster of its own.
    closed_set: the splits share their labels, and clusters are dealt label by label (the strata); else labels are
    disjoint over the splits, and there is one stratum.
    least: clusters that a part of a stratum holds at least, where there are enough.
    """

    cluster: Literal["label", "group"]
    closed_set: bool
    least: int

    def clusters(self, rows: pd.DataFrame) -> pd.Series:
        """The cluster of each row, what is resampled as one.

        Args:
            rows: n rows of the samples table.

        Returns:
            (n,) names on the rows' index: the column ``cluster``, else the sample's own id.
        """
        return rows[self.cluster].fillna(rows["sample_id"])

    def dealt(self, rows: pd.DataFrame) -> pd.Series:
        """What each row is dealt to a split with: its ``family`` where it has one, else its cluster.

        Args:
            rows: n rows of the samples table; a column ``family`` need not be there.

        Returns:
            (n,) names on the rows' index. A name says what it is of (``family:``, ``label:``, ``group:``, ``sample:``),
            so that none is taken for another.
        """
        names = (f"{self.cluster}:" + rows[self.cluster].astype("str")).fillna(
            "sample:" + rows["sample_id"].astype("str")
        )
        return ("family:" + rows["family"].astype("str")).fillna(names) if "family" in rows else names

    def strata(self, labels: pd.Series, clusters: pd.Series) -> pd.Series:
        """The stratum of each cluster: its label (the first, where it has several), or the same one for all.

        Args:
            labels: (n,) label of each row.
            clusters: (n,) name of each row's cluster.

        Returns:
            Names of strata, by name of cluster: labels in a closed set, else ``all``.
        """
        if self.closed_set:
            return labels.groupby(clusters).min()
        return pd.Series("all", index=clusters.unique())


def draw_clusters(rows: pd.DataFrame, design: SamplingDesign, share: float, seed: int) -> set[str]:
    """A seeded draw of a share of the clusters, stratum by stratum; a smaller share is a part of a larger one.

    Args:
        rows: the samples to draw from.
        design: what a cluster and a stratum is; of each stratum ``design.least`` clusters are drawn at least.
        share: in (0, 1].
        seed: of the draw.

    Returns:
        Names of the clusters, as ``design.clusters`` gives them.
    """
    table = pd.DataFrame({"label": rows["label"], "cluster": design.clusters(rows)}).drop_duplicates()
    strata = [part for _, part in table.groupby("label", sort=True)] if design.closed_set else [table]
    rng = np.random.default_rng(seed)
    drawn: set[str] = set()
    for part in strata:
        names = np.array(sorted(part["cluster"]), dtype=object)
        drawn.update(names[rng.permutation(len(names))][: max(design.least, round(share * len(names)))])
    return drawn
