"""Byte-identical files: one file under two labels, or in two splits."""

import logging
from typing import Literal

import pandas as pd

from cross_modal_kd.samples.schema import REJECTED_DTYPES, conform
from cross_modal_kd.samples.selection import SPLITS
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)


def reject_conflicting(samples: pd.DataFrame, what: Literal["reject", "keep"]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set apart the files that lie, byte for byte, under two labels: nobody knows which of them is right.

    Files that a source has bound into one ``family`` are not meant: it says itself that they are near-identical. Texts
    are not meant either: two things may have one description. A copy without a label is in conflict with none.

    Args:
        samples: rows with ``sha256``.
        what: ``reject`` every such file; or ``keep`` all of them, with a warning.

    Returns:
        The samples that are kept, and (source, path, reason) of the rejected. Either way they are counted in the log.
    """
    found = _repeated(samples)
    found = found.assign(bound=found["family"].fillna(found["sample_id"]) if "family" in found else found["sample_id"])
    by_file = found.groupby("file")
    several = (by_file["label"].nunique() > 1) & (by_file["bound"].nunique() > 1)
    conflicting = found["file"].isin(several.index[several])
    if not conflicting.any():
        return samples, conform(pd.DataFrame([]), REJECTED_DTYPES)
    rows = found[conflicting]
    first = rows.iloc[0]
    logger.warning(
        "%s byte-identical to one under another label (%s; the first: %s of %s): %s",
        *(how_many(len(rows), "file is", "files are"), how_many(rows["file"].nunique(), "content")),
        *(first["path"], first["source"]),
        "all of them are rejected" if what == "reject" else "they are kept (ingestion.conflicting_copies)",
    )
    if what == "keep":
        return samples, conform(pd.DataFrame([]), REJECTED_DTYPES)
    labels = rows.groupby("file")["label"].agg(lambda of_file: sorted(set(of_file.dropna())))
    names = rows["file"].map(labels.map(lambda names: f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"))
    reasons = "the same file, byte for byte, lies under several labels: " + names
    return samples.drop(index=rows.index), conform(rows[["source", "path"]].assign(reason=reasons), REJECTED_DTYPES)


def bound_by_copies(clusters: pd.Series, samples: pd.DataFrame) -> pd.Series:
    """The clusters, joined where they hold copies of one file under one label, so that these get into one split.

    Args:
        clusters: (n,) name of each row's cluster.
        samples: the n rows.

    Returns:
        (n,) names: of the clusters that copies join, the first in sorted order.
    """
    found = _repeated(samples)
    return joined(clusters, found["file"] + " " + found["label"].astype("str"))


def bound_by_everything(clusters: pd.Series, samples: pd.DataFrame) -> pd.Series:
    """The clusters, joined where they hold copies of one file, under whatever labels, or share a group.

    Args:
        clusters: (n,) name of each row's cluster.
        samples: the n rows.

    Returns:
        (n,) names, as of ``bound_by_copies``.
    """
    return joined(joined(clusters, _repeated(samples)["file"]), samples["group"].dropna())


def joined(clusters: pd.Series, keys: pd.Series) -> pd.Series:
    """The clusters, joined where rows of them have the same key.

    Args:
        clusters: (n,) name of each row's cluster.
        keys: of some of the rows, on their index.

    Returns:
        (n,) names: of the clusters that are joined, the first in sorted order.
    """
    first: dict[str, str] = {}
    pairs = pd.DataFrame({"key": keys, "cluster": clusters[keys.index]}).drop_duplicates()
    pairs = pairs[pairs["key"].duplicated(keep=False)]
    for names in pairs["cluster"].groupby(pairs["key"]).unique():
        roots = sorted({_root(first, name) for name in names})
        first.update(dict.fromkeys(roots[1:], roots[0]))
    return clusters.map({name: _root(first, name) for name in clusters.unique()}) if first else clusters


def reject_parted(samples: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of copies under one label that splits given from outside have parted, keep those of one split.

    Args:
        samples: rows with ``sha256`` and ``split``.

    Returns:
        The samples without the copies that lie in training while others lie in dev or test, or in dev while others lie
        in test; and (source, path, reason) of these, counted in the log.
    """
    found = _repeated(samples)
    place = found["split"].map(SPLITS.index)
    kept = place.groupby([found["file"], found["label"]]).transform("max")
    parted = found[place < kept]
    if parted.empty:
        return samples, conform(pd.DataFrame([]), REJECTED_DTYPES)
    copies = how_many(len(parted), "copy of a file of a later split is", "copies of a file of a later split are")
    logger.warning("%s rejected, as training must not see it", copies)
    reasons = kept[parted.index].map(lambda number: f"the same file, byte for byte, lies in the {SPLITS[number]} split")
    return samples.drop(index=parted.index), conform(parted[["source", "path"]].assign(reason=reasons), REJECTED_DTYPES)


def _repeated(samples: pd.DataFrame) -> pd.DataFrame:
    """The rows of files that occur more than once in one modality, with a column ``file`` that names each."""
    files = samples[samples["path"].notna() & samples["sha256"].notna()]
    files = files.assign(file=files["modality"].astype("str") + " " + files["sha256"].astype("str"))
    return files[files["file"].duplicated(keep=False)]


def _root(first: dict[str, str], name: str) -> str:
    while name in first:
        name = first[name]
    return name
