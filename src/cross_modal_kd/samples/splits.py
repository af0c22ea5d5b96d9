"""Training, development and test: whole units are dealt out, never single samples."""

import numpy as np
import pandas as pd

from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.schema import SPLITS


def assign_splits(samples: pd.DataFrame, task: TaskConfig, split: SplitConfig) -> pd.Series:
    """Split of every row, as a series on the index of ``samples``.

    A unit goes into one split as a whole. It is the ``family`` where there is one (what must not be parted), else the
    label (verification: test labels are unseen) or the group (classification: drawn label by label, so that each split
    gets every label that has enough units; a row without a group is a unit of its own). A verification split gets two
    units or more where there are six, since one alone makes no impostor trial. The draw depends on
    ``split.seed`` and on the units' names, not on the order of rows.

    Rows that already carry a split (an official one) keep it. Units without one are then dealt to the splits that the
    official one leaves out, or to all where it leaves none out; with no dev split left, it is drawn from the training
    units.
    """
    units = unit_of(samples, task)
    fixed = samples["split"].copy() if "split" in samples else pd.Series(None, index=samples.index, dtype="str")
    fixed = fixed.fillna(units.map(pd.Series(fixed.values, index=units.values).dropna().groupby(level=0).first()))
    strata = _strata(samples, units, task)
    shares = {name: getattr(split, name) for name in SPLITS}
    official = set(fixed.dropna())
    least = 2 if task.kind == "verification" else 1
    if fixed.isna().any():
        left_out = {name: share for name, share in shares.items() if name not in official}
        fixed = fixed.fillna(
            units.map(_deal(strata[units[fixed.isna()].unique()], left_out or shares, split.seed, least))
        )
    if official and "dev" not in set(fixed) and "train" in set(fixed):
        train_units = units[fixed == "train"].unique()
        dealt = _deal(strata[train_units], {"train": shares["train"], "dev": shares["dev"]}, split.seed, least)
        fixed = fixed.where(fixed != "train", units.map(dealt))
    return fixed.astype("str")


def unit_of(samples: pd.DataFrame, task: TaskConfig) -> pd.Series:
    """Name of each row's unit, the thing that lies in one split as a whole."""
    unit = "label:" + samples["label"].astype("str")
    if task.kind == "classification":
        unit = ("group:" + samples["group"].astype("str")).fillna("sample:" + samples["sample_id"].astype("str"))
    if "family" in samples:
        unit = ("family:" + samples["family"].astype("str")).fillna(unit)
    return unit


def _strata(samples: pd.DataFrame, units: pd.Series, task: TaskConfig) -> pd.Series:
    """Stratum of each unit: its label for classification (the first, where it has several), one for verification."""
    if task.kind == "verification":
        return pd.Series("all", index=units.unique())
    return samples["label"].groupby(units).min()


def _deal(strata: pd.Series, shares: dict[str, float], seed: int, least: int) -> dict[str, str]:
    """Split of each unit (the index of ``strata``), dealt stratum by stratum; ``least`` units a split if possible."""
    dealt: dict[str, str] = {}
    rng = np.random.default_rng(seed)
    for _, units in sorted(strata.groupby(strata).groups.items()):
        names = np.array(sorted(units), dtype=object)
        order = names[rng.permutation(len(names))]
        splits = np.repeat(list(shares), _counts(len(names), shares, least))
        dealt.update(zip(order.tolist(), splits.tolist(), strict=True))
    return dealt


def _counts(n_units: int, shares: dict[str, float], least: int) -> list[int]:
    """Whole numbers nearest to the shares (largest remainder), summing to ``n_units``; each ``least`` if n allows.

    With fewer units than splits, training comes first, then test.
    """
    if n_units < len(shares):
        first = sorted(shares, key=["train", "test", "dev"].index)[:n_units]
        return [int(name in first) for name in shares]
    total = sum(shares.values())
    exact = np.array([n_units * share / total for share in shares.values()])
    counts = np.floor(exact + 1e-9).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: n_units - counts.sum()]:
        counts[place] += 1
    while counts.min() < min(least, n_units // len(shares)):
        counts[np.argmin(counts)] += 1
        counts[np.argmax(counts)] -= 1
    return counts.tolist()
