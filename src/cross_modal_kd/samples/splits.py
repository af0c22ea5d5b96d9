"""Training, development and test: whole clusters are dealt out, never single samples."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import SplitConfig
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.schema import SPLITS


def assign_splits(samples: pd.DataFrame, design: SamplingDesign, split: SplitConfig) -> pd.Series:
    """The split of every row.

    What is dealt goes into one split as a whole: the ``family`` where there is one (what must not be parted), else the
    cluster (``design.cluster``). In a closed set it is dealt label by label, so that each split gets every label that
    has enough clusters. A split gets ``design.least`` where there are enough for all splits (one label alone makes no
    impostor trial). The draw depends on ``split.seed`` and on the clusters' names, not on the order of rows.

    Rows that already carry a split (an official one) keep it. Clusters without one are then dealt to the splits that
    the official one leaves out, or to all where it leaves none out; with no dev split left, it is drawn from the
    training clusters.

    Args:
        samples: the table, with or without a column ``split``.
        design: of the kind of task.
        split: the shares of the clusters, and the seed.

    Returns:
        train, dev or test for each row, on the index of ``samples``.
    """
    clusters = design.dealt(samples)
    fixed = samples["split"].copy() if "split" in samples else pd.Series(None, index=samples.index, dtype="str")
    fixed = fixed.fillna(clusters.map(pd.Series(fixed.values, index=clusters.values).dropna().groupby(level=0).first()))
    strata = design.strata(samples["label"], clusters)
    shares = {name: getattr(split, name) for name in SPLITS}
    official = set(fixed.dropna())
    if fixed.isna().any():
        left_out = {name: share for name, share in shares.items() if name not in official}
        dealt = _deal(strata[clusters[fixed.isna()].unique()], left_out or shares, split.seed, design.least)
        fixed = fixed.fillna(clusters.map(dealt))
    if official and "dev" not in set(fixed) and "train" in set(fixed):
        of_train = clusters[fixed == "train"].unique()
        dealt = _deal(strata[of_train], {name: shares[name] for name in ("train", "dev")}, split.seed, design.least)
        fixed = fixed.where(fixed != "train", clusters.map(dealt))
    return fixed.astype("str")


def _deal(strata: pd.Series, shares: dict[str, float], seed: int, least: int) -> dict[str, str]:
    """Split of each cluster (the index of ``strata``), dealt stratum by stratum; ``least`` a split if possible."""
    dealt: dict[str, str] = {}
    rng = np.random.default_rng(seed)
    for _, clusters in sorted(strata.groupby(strata).groups.items()):
        names = np.array(sorted(clusters), dtype=object)
        order = names[rng.permutation(len(names))]
        splits = np.repeat(list(shares), _counts(len(names), shares, least))
        dealt.update(zip(order.tolist(), splits.tolist(), strict=True))
    return dealt


def _counts(clusters: int, shares: dict[str, float], least: int) -> list[int]:
    """Whole numbers nearest to the shares (largest remainder), summing to ``clusters``; each ``least`` if n allows.

    With fewer clusters than splits, training comes first, then test.
    """
    if clusters < len(shares):
        first = sorted(shares, key=["train", "test", "dev"].index)[:clusters]
        return [int(name in first) for name in shares]
    total = sum(shares.values())
    exact = np.array([clusters * share / total for share in shares.values()])
    counts = np.floor(exact + 1e-9).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: clusters - counts.sum()]:
        counts[place] += 1
    while counts.min() < min(least, clusters // len(shares)):
        counts[np.argmin(counts)] += 1
        counts[np.argmax(counts)] -= 1
    return counts.tolist()
