"""How many different things the samples say: what is all the same teaches nothing."""

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.digests import file_contents
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.names import seen_of
from cross_modal_kd.samples.pairing import Pairing
from cross_modal_kd.samples.selection import SPLITS
from cross_modal_kd.storage import how_many, with_article

FEW = 0.5
"""Of the samples that are paired one by one: a smaller share of different contents is told of."""


def contents_of(samples: pd.DataFrame) -> pd.Series:
    """What each sample holds, as a name: two with the same one are the same, byte for byte, or word for word.

    Pictures of the same pixels in files that differ (in what they say of their making, say) count as different ones.

    Args:
        samples: n rows with ``sha256``, ``path`` whose box is a part of a picture, and ``text``, of which signs that
            are not seen are no part.

    Returns:
        (n,) names, null where a sample was not looked at.
    """
    held = file_contents(samples)
    said = samples["text"].notna() & held.notna()
    return held.mask(said, samples["text"].where(said).map(seen_of, na_action="ignore")) if said.any() else held


def require_differences(samples: pd.DataFrame, task: TaskConfig) -> None:
    """Make sure that the training samples of each modality are not all the same; without splits, all samples.

    Args:
        samples: the table.
        task: its modalities.

    Raises:
        SamplesError: those of one modality are.
    """
    dealt = "split" in samples and samples["split"].notna().any()
    for modality in (task.student, task.teacher):
        rows = samples[samples["modality"] == modality]
        rows = rows[rows["split"] == "train"] if dealt else rows
        held = contents_of(rows)
        if len(rows) > 1 and held.notna().all() and held.nunique() == 1:
            first = rows.iloc[0]
            said = repr(first["text"])[:60] if isinstance(first["text"], str) else first["path"]
            raise SamplesError(
                f"the {len(rows):,} {modality} samples{' of the train split' if dealt else ''} all hold the same "
                f"({said}), which tells no sample and no label from another: nothing can be learnt from them. Give "
                f"each label, or each file, {with_article(modality)} of its own"
            )


def count_contents(samples: pd.DataFrame, task: TaskConfig) -> pd.DataFrame:
    """How many different contents the training samples of each modality have; before the split is known, all samples.

    Args:
        samples: the table; rows that were not looked at are left out.
        task: its modalities.

    Returns:
        A row a modality: modality, samples, contents (different ones), labels, lost (labels all of whose contents are
        found under another label too), first_lost (the first of these, null for none), copies (labels of several
        samples that are copies of one), first_copied (the first of these, null for none), most (samples of the
        commonest content) and example (one of these: its words, else its path).
    """
    dealt = samples["split"].notna().any()
    rows = samples[(samples["split"] == "train") | (not dealt)]
    rows = rows.assign(content=contents_of(rows)).dropna(subset=["content"])
    found = []
    for modality in (task.student, task.teacher):
        own = rows[rows["modality"] == modality]
        if own.empty:
            continue
        commonest = own["content"].value_counts()
        first = own[own["content"] == commonest.index[0]].iloc[0]
        labelled = own.dropna(subset=["label"])
        only = labelled.groupby("content")["label"].transform("nunique") == 1
        sizes = labelled.groupby("label")["content"].agg(["size", "nunique"])
        alone = only.groupby(labelled["label"]).any()
        lost = alone.index[~alone.astype(bool)]
        copied = sizes.index[(sizes["size"] > 1) & (sizes["nunique"] == 1)]
        found.append(
            {
                "modality": modality,
                "samples": len(own),
                "contents": own["content"].nunique(),
                "labels": len(sizes),
                "lost": len(lost),
                "first_lost": lost[0] if len(lost) else None,
                "copies": len(copied),
                "first_copied": copied[0] if len(copied) else None,
                "most": int(commonest.iloc[0]),
                "example": first["text"] if isinstance(first["text"], str) else first["path"],
            }
        )
    return pd.DataFrame(found)


def few_contents(counts: pd.DataFrame, task: TaskConfig) -> list[str]:
    """What of the counts a person should look at.

    Args:
        counts: of ``count_contents``.
        task: its modalities, and how they are paired.

    Returns:
        A sentence each; none where all is as it should be.
    """
    said = []
    for row in counts.to_dict("records"):
        name = f"{row['modality']} sample"
        if row["lost"]:
            said.append(
                f"{how_many(row['lost'], 'label has', 'labels have')} {name}s that are found under other labels too, "
                f"and no other (the first is {row['first_lost']!r}): they cannot tell one from another; give each "
                "label one of its own"
            )
        if task.levels[0] == "instance" and row["contents"] <= FEW * row["samples"]:
            said.append(
                f"{how_many(row['samples'], name)} hold {row['contents']:,} different contents (the commonest "
                f"{row['most']:,} times: {str(row['example'])!r:.60}), and are paired one by one: what is the "
                "same tells none of them from another"
            )
        if row["modality"] == task.student and row["copies"]:
            said.append(
                f"{how_many(row['copies'], 'label has', 'labels have')} several {name}s that are copies of one (the "
                f"first is {row['first_copied']!r}): a pair of them asks nothing"
            )
    return said


def count_shared(samples: pd.DataFrame, pairing: Pairing) -> pd.DataFrame:
    """How many student samples share their teacher samples with others, by split.

    Args:
        samples: the table, with its splits.
        pairing: of these samples.

    Returns:
        split; paired (student samples that have a partner), shared (of these, that have the same partners as another
        one), most (student samples of one set of partners), and partners (teacher samples that are somebody's).
    """
    split = samples.set_index("sample_id")["split"]
    mine = pd.DataFrame({"split": split.reindex(pairing.student_ids).to_numpy(), "pool": pairing.pool})
    mine = mine[mine["pool"] >= 0]
    sizes = mine.groupby(["split", "pool"]).size().rename("size").reset_index()
    sizes["partners"] = (pairing.starts[1:] - pairing.starts[:-1])[sizes["pool"].to_numpy()]
    sizes["shared"] = sizes["size"].where(sizes["size"] > 1, 0)
    found = sizes.groupby("split", sort=False).agg(
        paired=("size", "sum"), shared=("shared", "sum"), most=("size", "max"), partners=("partners", "sum")
    )
    return found.reindex([split for split in SPLITS if split in found.index]).reset_index()
