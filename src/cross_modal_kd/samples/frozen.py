"""A split that was drawn once, kept in a file."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cross_modal_kd.config import SplitConfig
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.errors import SamplesError, first_few
from cross_modal_kd.samples.names import one_form
from cross_modal_kd.samples.selection import SPLITS
from cross_modal_kd.samples.tables import read_csv
from cross_modal_kd.storage import how_many, plain_text

logger = logging.getLogger(__name__)

PARAMETER = "ingestion.split.frozen"
PARTNER, OF_LABEL = "teacher", "label:"
KINDS = ("label:", "group:", "family:", "sample:")


def drawn_split(samples: pd.DataFrame, design: SamplingDesign, seed: int) -> pd.DataFrame:
    """The split of each cluster, as ``read_frozen`` reads it.

    Args:
        samples: the samples table, with its splits.
        design: of the kind of task.
        seed: with which the split was drawn.

    Returns:
        cluster (as ``design.dealt`` names it), split and seed, sorted by cluster.
    """
    table = pd.DataFrame({"cluster": design.dealt(samples).map(one_form), "split": samples["split"]})
    return table.drop_duplicates("cluster").sort_values("cluster", ignore_index=True).assign(seed=seed)


def read_frozen(split: SplitConfig, base: Path | None = None, tell: bool = True) -> dict[str, str]:
    """The split of each cluster in the file that ``split.frozen`` names.

    Args:
        split: the file, and the seed.
        base: where a relative path starts; None is the current folder, which is the project's folder under Kedro.
        tell: whether it is warned of, that the file was drawn with another seed or other shares.

    Returns:
        train, dev or test by the cluster's name; nothing where no file is named, or where its column ``seed`` says that
        it was drawn with another.

    Raises:
        SamplesError: the file is missing or damaged, or gives a cluster two splits.
    """
    if split.frozen is None:
        return {}
    file = (Path.cwd() if base is None else base) / split.frozen
    if not file.is_file():
        raise SamplesError(
            f"{PARAMETER} = {split.frozen!r}: there is no file {file}; restore it, or set {PARAMETER} to null, which "
            "draws the split anew"
        )
    table = _checked(file)
    seeds = sorted(set(table["seed"])) if "seed" in table else [str(split.seed)]
    if tell:
        _compare(split, table["split"], seeds)
    return dict(zip(table["cluster"], table["split"], strict=True)) if seeds == [str(split.seed)] else {}


def frozen_partners(split: SplitConfig, base: Path | None = None) -> dict[str, str]:
    """The teacher's label that each label of a chimeric task has, of the frozen split's column ``teacher``.

    Args:
        split: the file, and the seed.
        base: as in ``read_frozen``.

    Returns:
        The teacher's label by the student's, both in one form of Unicode; nothing where the file does not say, or was
        drawn with another seed.

    Raises:
        SamplesError: as in ``read_frozen``, and where a label of the teacher is given twice.
    """
    if not read_frozen(split, base, tell=False):
        return {}
    file = (Path.cwd() if base is None else base) / str(split.frozen)
    table = _checked(file)
    if PARTNER not in table:
        return {}
    table = table[table["cluster"].str.startswith(OF_LABEL) & table[PARTNER].notna() & (table[PARTNER] != "")]
    partners = table[PARTNER].astype(str).map(plain_text).map(one_form)
    if partners.duplicated().any():
        raise SamplesError(f"{file}: {PARTNER}: given to two labels: {first_few(partners[partners.duplicated()])}")
    return dict(zip(table["cluster"].str.removeprefix(OF_LABEL), partners, strict=True))


def _checked(file: Path) -> pd.DataFrame:
    """The table, a row each cluster."""
    table = read_csv(file, ["cluster", "split"])
    table = table.assign(cluster=table["cluster"].map(plain_text))
    wrong = set(table["split"]) - set(SPLITS)
    if wrong:
        raise SamplesError(f"{file}: split must be one of {list(SPLITS)}, found {first_few(wrong)}")
    unknown = [name for name in table["cluster"] if not name.startswith(KINDS)]
    if unknown:
        raise SamplesError(
            f"{file}: a cluster says what it is of ({', '.join(KINDS)}), as drawn_split has it; found "
            f"{first_few(unknown)}"
        )
    table = table.assign(cluster=table["cluster"].map(one_form)).drop_duplicates(["cluster", "split"])
    repeated = table.loc[table["cluster"].duplicated(), "cluster"]
    if len(repeated):
        raise SamplesError(f"{file}: each cluster has one split; several are given to {first_few(repeated)}")
    return table


def _compare(split: SplitConfig, splits: pd.Series, seeds: list[str]) -> None:
    """Warn where the file was drawn with another seed, or has shares that no draw with those asked for would give."""
    if seeds != [str(split.seed)]:
        logger.warning(
            "%s = %s was drawn with the seed %s and decides nothing: the split is drawn with the seed %d",
            *(PARAMETER, split.frozen, ", ".join(seeds), split.seed),
        )
        return
    asked = {name: getattr(split, name) for name in SPLITS}
    found = {name: float((splits == name).mean()) for name in SPLITS}
    usual = {name: 0.02 + 3 * (share * (1 - share) / len(splits)) ** 0.5 for name, share in asked.items()}
    if any(abs(found[name] - asked[name]) > usual[name] for name in SPLITS):
        logger.warning(
            "%s gives %s, and not ingestion.split's %.0f %%, %.0f %% and %.0f %%: the file decides",
            PARAMETER,
            ", ".join(f"{100 * found[name]:.0f} % {name}" for name in SPLITS),
            *(100 * share for share in asked.values()),
        )


def labels_by_split(rows: pd.DataFrame, frozen: Mapping[str, str]) -> dict[str, list[str]]:
    """The labels that a frozen split puts whole into one split.

    Args:
        rows: of candidates.
        frozen: split by cluster.

    Returns:
        Sorted labels by split; those of which it names nothing, or parts in several splits, are in none.
    """
    of_row = pd.Series(None, index=rows.index, dtype="str")
    for column, kind in (("family", "family:"), ("label", "label:"), ("group", "group:"), ("sample_id", "sample:")):
        if column in rows:
            of_row = of_row.fillna((kind + rows[column].astype("str")).map(frozen))
    by_label = of_row.groupby(rows["label"])
    splits = by_label.first()[by_label.nunique() == 1]
    return {split: sorted(splits.index[splits == split]) for split in SPLITS}


def frozen_splits(clusters: pd.Series, official: pd.Series, frozen: Mapping[str, str]) -> pd.Series:
    """The split that is given to each row.

    Args:
        clusters: (n,) name of each row's cluster.
        official: (n,) split that its source gives it, null for none.
        frozen: split by cluster.

    Returns:
        (n,) splits, null for a cluster that ``frozen`` does not name.

    Raises:
        SamplesError: a cluster is in another official split.
    """
    given = clusters.map(frozen)
    there = clusters[given.notna()].nunique()
    contradicted = clusters[official.notna() & given.notna() & (official != given)].unique()
    if len(contradicted):
        raise SamplesError(
            f"{PARAMETER}: {how_many(len(contradicted), 'cluster has', 'clusters have')} another official split in the "
            f"source: {first_few(contradicted)}. Take these lines out, or leave the source's own splits out"
        )
    if not there:
        logger.warning(
            "%s is the split of other data and decides nothing: none of its %d clusters (%s) occurs in these (%s)",
            *(PARAMETER, len(frozen), first_few(frozen, 3), first_few(clusters.unique(), 3)),
        )
    elif there < len(frozen):
        gone = set(frozen) - set(clusters)
        logger.warning("%s: %d of its %d clusters do not occur: %s", PARAMETER, len(gone), len(frozen), first_few(gone))
    logger.info(
        "%s gives %s; %s drawn",
        *(PARAMETER, how_many(there, "cluster its split", "clusters their split")),
        how_many(clusters[given.isna() & official.isna()].nunique(), "other is", "others are"),
    )
    return given.astype("str")
