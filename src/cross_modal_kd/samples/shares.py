"""What each split got, beside the share that was asked for."""

import pandas as pd

from cross_modal_kd.config import SplitConfig, TaskConfig
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.frozen import read_frozen
from cross_modal_kd.samples.names import one_form
from cross_modal_kd.samples.selection import SPLITS
from cross_modal_kd.storage import how_many

FAR, LEAST = 1.5, 1.5
"""A split is far from its share where it has so many times more, or less, and at least so many clusters too.

Shares of few clusters are no whole numbers: the nearest split of 8 labels, with two at least in dev, is 1.2 away from
0.8. That is no news; six labels dealt two, two and two, where training was to have 3.6, are.
"""
_SEVERAL = {"family": "families"}


def asked_for(candidates: pd.DataFrame, split: SplitConfig) -> SplitConfig | None:
    """The shares, where they decide how large the splits are.

    Args:
        candidates: rows that can be used, with the splits that their sources give, if any.
        split: the block of the parameters.

    Returns:
        None where sources or a frozen file give splits.
    """
    official = "split" in candidates and candidates["split"].notna().any()
    return None if official or read_frozen(split, tell=False) else split


def count_shares(
    samples: pd.DataFrame, task: TaskConfig, design: SamplingDesign, asked: SplitConfig | None
) -> pd.DataFrame:
    """How large the splits are.

    Args:
        samples: the table, with its splits; those without a label are not dealt, and not counted.
        task: its student's modality.
        design: what is dealt as one.
        asked: of ``asked_for``.

    Returns:
        split, dealt (what is dealt as one), unit (what that is: label, group, family, sample, or cluster for several of
        these), labels and samples (of the student's modality), share (of what is dealt), asked (null where nothing
        was) and least (of what is dealt, what each split is to hold whatever was asked); a row a split, in their order.
    """
    rows = samples[samples["label"].notna()]
    rows = rows.assign(dealt=design.dealt(rows).map(one_form))
    mine = rows[rows["modality"] == task.student].groupby("split")
    table = pd.DataFrame(
        {
            "dealt": rows.groupby("split")["dealt"].nunique(),
            "labels": mine["label"].nunique(),
            "samples": mine.size(),
        }
    )
    table = table.reindex(SPLITS, fill_value=0).fillna(0).astype("int64")
    table["share"] = table["dealt"] / max(1, table["dealt"].sum())
    table["asked"] = [None if asked is None else getattr(asked, name) for name in SPLITS]
    strata = design.strata(rows["label"], rows["dealt"]).value_counts()
    table["least"] = int((strata // len(SPLITS)).clip(upper=design.least).sum())
    units = rows["dealt"].str.partition(":")[0].unique()
    table["unit"] = units[0] if len(units) == 1 else "cluster"
    return table.astype({"asked": "float64"}).rename_axis("split").reset_index()


def far_from_asked(shares: pd.DataFrame) -> str:
    """What of the shares a person should look at.

    Args:
        shares: of ``count_shares``.

    Returns:
        A sentence; empty where no split is far from its share.
    """
    total = int(shares["dealt"].sum())
    expected = shares["asked"] * total
    far = ((shares["dealt"] > FAR * expected) | (shares["dealt"] * FAR < expected)) & (
        (shares["dealt"] - expected).abs() >= LEAST
    )
    if not far.any():
        return ""
    unit, least = str(shares["unit"].iloc[0]), int(shares["least"].iloc[0])
    units = _SEVERAL.get(unit, f"{unit}s")
    parts = ", ".join(
        f"{row.split} {row.dealt} ({row.share:.0%}, asked {row.asked:.0%})" for row in shares.itertuples()
    )
    forced = ((shares["dealt"] <= expected) | (shares["dealt"] <= least)).all()
    advice = (
        f"Each is to hold {how_many(least, unit, units)} at least, so that no other ingestion.split.seed comes much "
        f"nearer: more {units} would"
        if forced
        else "Another ingestion.split.seed draws another one, and ingestion.split.frozen keeps one of your own"
    )
    return (
        f"the split, drawn by a hash of the names, is far from the shares that were asked for: of "
        f"{how_many(total, unit, units)} {parts}. {advice}"
    )
