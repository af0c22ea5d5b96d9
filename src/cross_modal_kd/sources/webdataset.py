"""A webdataset: ``*.tar`` files in which members of one name, but for what follows its first dot, are a sample."""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import TAR, Roots, SamplesError, first_few, shown
from cross_modal_kd.sources.any_table import Fields
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing
from cross_modal_kd.sources.split_names import SPLIT_OF, as_splits
from cross_modal_kd.sources.webdataset_shard import TEXTS, Sample, Shard
from cross_modal_kd.storage import how_many

PACKED_TARS = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")

logger = logging.getLogger(__name__)


class WebdatasetOptions(Strict):
    """columns: what fields of a sample's ``json`` are, as columns of ``table``; the label may be its ``cls`` too."""

    columns: Fields = Fields()


def read_webdataset(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """A sample of each image and sound, and of each text, in the tars below the root; nothing is unpacked.

    The key of a member is its name up to the first dot of its base name. Members of one key follow each other, are one
    instance (``group``), and share its label and what else its ``json`` says. Of an ending, what follows its last dot
    counts: one of a modality, a text's (``txt``, ``text``, ``caption``, ``transcript``), ``cls`` (the label, an integer
    or a word) or ``json``. A sample of which one such member cannot be used is rejected, all of it. Other members, and
    those without an ending, are counted among the rejected.

    Split: that of a field (``columns.split``), else that which the shard's name or a folder says (``train-000000.tar``,
    ``val/000000.tar``), unless all shards say the same one.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``WebdatasetOptions``.

    Returns:
        The rows; memory O(members). And the rejected.

    Raises:
        SamplesError: there is no tar, or one is damaged, compressed, WeSpeaker's or of nothing that is read; a key
            stands in one shard twice, a field that is asked for in no sample, or no sample can be used.
        ValueError: an unknown or wrong option.
    """
    chosen = WebdatasetOptions.model_validate(options)
    root = roots.root(name)
    there = list_files(root)
    if not (tars := _tars(there.paths)):
        raise SamplesError(_no_tar(name, root, there.paths))
    of_role = chosen.columns.of_role()
    rows, fields, first_of, again = [], set[str](), dict[str, str](), dict[str, str]()
    rejected = as_rejected(name, there.passed_over)
    rejected += as_rejected(name, {path: _why_no_tar(path) for path in there.paths if not path.endswith(TAR)})
    for path in tars:
        shard = Shard(root, path)
        samples = shard.samples(of_role)
        rows.append(_rows(name, path, samples))
        again |= {each.key: first for each in samples if (first := first_of.setdefault(each.key, path)) != path}
        fields |= shard.fields
        rejected += as_rejected(name, shard.rejected)
        rejected += [{"source": name, "path": path, "reason": f"{how_many(count, 'member')} {what}"}
                     for what, count in shard.others.items()]  # fmt: skip
    frame = pd.concat(rows, ignore_index=True).assign(source=name)
    if frame.empty:
        few = first_few((f"{each['path']}: {each['reason']}" for each in rejected), 2)
        raise SamplesError(f"{root}: no sample in {how_many(len(tars), 'tar')} can be used: {few}")
    _check_fields(name, chosen.columns, fields)
    if again:
        _tell_repeated(root, again)
    frame["split"] = _splits(name, frame, tars, of_role)
    return listing(frame.drop(columns="shard"), rejected)


def text_field(root: Path, paths: Iterable[str], names: Sequence[str]) -> str | None:
    """The field of words of a webdataset whose samples have no text of their own, as its first sample shows.

    Args:
        root: of the tars.
        paths: of files below it; the first tar is looked into.
        names: that a field of words may have, the likeliest first.

    Returns:
        One of the names; None where there is a text, or no such field.

    Raises:
        SamplesError: the tar is damaged, or its json is.
    """
    if not (tars := _tars(paths)):
        return None
    kinds, said = Shard(root, tars[0]).first_said()
    return None if kinds & set(TEXTS) else next((name for name in names if isinstance(said.get(name), str)), None)


def _tars(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.endswith(TAR)]


def _rows(name: str, path: str, samples: list[Sample]) -> pd.DataFrame:
    """Candidates of one tar, with the column ``shard``."""
    rows: list[dict[str, Any]] = []
    for sample in samples:
        said = {role: next(iter(values)) for role, values in sample.values.items()}
        shared = {"shard": path, "group": f"{path}#{sample.key}"} | said
        for member, modality in sample.files.items():
            address = f"{path}#{member}"
            rows.append(shared | {"sample_id": f"{name}/{address}", "modality": modality, "path": address})
        for member, words in sample.texts.items():
            rows.append(shared | {"sample_id": f"{name}/{path}#{member}", "modality": "text", "text": words})
    return pd.DataFrame(rows)


def _splits(name: str, rows: pd.DataFrame, tars: list[str], of_role: dict[str, str]) -> pd.Series:
    """(n,) that of the field, else of the shard; null for none."""
    of_tar = {path: _split_of(path) for path in tars}
    if len(said := set(of_tar.values())) == 1 and None not in said:
        logger.info(
            "sources.%s: by their names all tars are of %s, which parts nothing: the split is drawn", name, *said
        )
        of_tar = dict.fromkeys(tars)
    by_name = rows["shard"].map(of_tar).astype("str")
    if "split" not in rows:
        return by_name
    return as_splits(rows["split"].astype("str"), f"sources.{name}, field {of_role['split']!r}").fillna(by_name)


def _split_of(path: str) -> str | None:
    """By the first word of a tar's name that is one of a split, else by the first such folder."""
    parts = PurePosixPath(path).parts
    words = (*re.split(r"[-_.]", parts[-1]), *parts[:-1])
    return next((SPLIT_OF[word.lower()] for word in words if word.lower() in SPLIT_OF), None)


def _check_fields(name: str, columns: Fields, fields: set[str]) -> None:
    """SamplesError for a field that is asked for and that no sample has; a label that is not asked for may lack."""
    for role, column in columns.of_role().items():
        if column not in fields and (role != "label" or "label" in columns.model_fields_set):
            found = f"found {first_few(fields, 20)}" if fields else "and no sample has a json"
            raise SamplesError(
                f"sources.{name}.options.columns: expected a field {column!r} in the json of a sample, {found}; name "
                "one that is there, or null"
            )


def _tell_repeated(root: Path, again: dict[str, str]) -> None:
    key, first = next(iter(again.items()))
    logger.warning(
        "%s: %s in more than one tar, %r in %s and another: each is a sample of its own, as where every tar is "
        "numbered anew. The members of a sample must lie in one tar",
        *(root, how_many(len(again), "key stands", "keys stand"), shown(key), first),
    )


def _why_no_tar(path: str) -> str:
    if path.lower().endswith(PACKED_TARS):
        return "a compressed tar: its members cannot be read in place; unpack it to a .tar"
    return "no tar file: of a webdataset the tars alone are read"


def _no_tar(name: str, root: Path, paths: list[str]) -> str:
    packed = [path for path in paths if path.lower().endswith(PACKED_TARS)]
    why = (
        "; members of a compressed tar cannot be read in place: unpack each to a .tar (gunzip, unzstd)"
        if packed
        else ""
    )
    return (
        f"sources.{name}.root: expected the .tar files of a webdataset under {root}, found "
        f"{first_few(packed or paths, 3) or 'no file'}{why or '; correct the root'}"
    )
