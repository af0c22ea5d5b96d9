"""Folds: every cluster is tested once, by a student that was trained without it."""

from collections import defaultdict

import pandas as pd

from cross_modal_kd.config import SplitConfig, TaskConfig
from cross_modal_kd.samples.checks import check_samples
from cross_modal_kd.samples.copies import bound_by_everything
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.names import one_form
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.selection import train_classes
from cross_modal_kd.samples.splits import draw_splits, score
from cross_modal_kd.samples.unlabelled import join_unlabelled

TEACHER_ALONE = "\0"
"""What ends the name of a stratum whose clusters hold nothing of the student."""


def deal_folds(
    samples: pd.DataFrame, task: TaskConfig, design: SamplingDesign, split: SplitConfig, folds: int
) -> list[pd.DataFrame]:
    """The samples as they are split in each fold.

    The first fold is the table as it is. What that does not test is dealt, in whole clusters (with families, with
    groups, and with byte-identical files, under whatever labels), to the tests of the others: stratum by stratum in the
    order of their scores, one to each in turn; what holds nothing of the student by itself. Samples without a label
    are tested in none, and trained on wherever ``join_unlabelled`` lets them. In each fold the clusters
    that it does not test are drawn for training and dev anew, in the proportion of ``split``. A label of a closed set
    that is learnt from one cluster alone stays in training, since a student that never saw it cannot be asked for it.
    Where no training sample of the student has a label, none has one in any fold: its labelled ones are then of dev.

    Args:
        samples: the table, with its splits.
        task: its modalities and its pairing.
        design: of its kind.
        split: the shares of training and dev, and the seed of the draws.
        folds: k, 3 or more (1 gives the table alone).

    Returns:
        k tables. Training samples of the student without a partner in their fold are left out of it, and samples
        without a label that are bound to what it measures.

    Raises:
        SamplesError: there are fewer clusters to deal than folds, or a fold cannot be learnt or measured on.
    """
    if folds == 1:
        return [samples]
    labelled, others = samples[samples["label"].notna()], samples[samples["label"].isna()]
    clusters = bound_by_everything(design.dealt(labelled).map(one_form), labelled)
    strata = _strata(labelled, clusters, design, task)
    tested = set(clusters[labelled["split"] == "test"])
    fold_of = _dealt(strata, tested, design, split.seed, folds)
    learnt = bool(train_classes(samples, task))
    if len(set(fold_of.values())) < folds - 1:
        raise SamplesError(
            f"evaluation.folds: {folds} folds need at least {folds - 1} {design.cluster}s outside the test split to be "
            f"dealt to their tests, found {len(fold_of)}. Choose fewer folds, or add {design.cluster}s"
        )
    found = [samples]
    for fold in range(2, folds + 1):
        table = labelled.assign(split=clusters.map(_splits(strata, fold_of, fold, design, split, learnt)).astype("str"))
        table = join_unlabelled(table, others, task).samples
        alone = (table["split"] == "train") & table["sample_id"].isin(pair(table, task).without_partner)
        if alone.any():  # else the folds share all columns but the split
            table = table[~alone]
        table = table.reset_index(drop=True)
        try:
            check_samples(table, task, design)
        except SamplesError as error:
            raise SamplesError(f"evaluation.folds: in fold {fold} of {folds}: {error}") from error
        found.append(table)
    return found


def _strata(samples: pd.DataFrame, clusters: pd.Series, design: SamplingDesign, task: TaskConfig) -> pd.Series:
    """The stratum of each cluster; those that hold nothing of the student are dealt by themselves."""
    strata = design.strata(samples["label"], clusters)
    of_student = set(clusters[samples["modality"] == task.student])
    marks = ["" if name in of_student else TEACHER_ALONE for name in strata.index]
    return strata.astype("str") + pd.Series(marks, strata.index)


def _dealt(strata: pd.Series, tested: set[str], design: SamplingDesign, seed: int, folds: int) -> dict[str, int]:
    """The fold, 2 to k, in whose test each cluster is that the first fold does not test."""
    sizes = strata.value_counts()
    ranked = sorted(
        (name for name in strata.index if name not in tested and not (design.closed_set and sizes[strata[name]] < 2)),
        key=lambda name: (strata[name], score(name, seed)),
    )
    return {name: 2 + rank % (folds - 1) for rank, name in enumerate(ranked)}


def _splits(
    strata: pd.Series, fold_of: dict[str, int], fold: int, design: SamplingDesign, split: SplitConfig, learnt: bool
) -> dict[str, str]:
    """The split of every cluster in one fold.

    learnt: whether labels of the student are learnt from; else its clusters are tested, or choose on dev.
    """
    splits: dict[str, str] = {}
    free: defaultdict[str, list[str]] = defaultdict(list)
    for name, stratum in strata.items():
        if fold_of.get(str(name)) == fold:
            splits[str(name)] = "test"
        elif not learnt and not stratum.endswith(TEACHER_ALONE):
            splits[str(name)] = "dev"
        else:
            free[stratum].append(str(name))
    for names in free.values():
        splits |= draw_splits(names, {"train": split.train, "dev": split.dev}, split.seed + fold, design.least)
    return splits
