"""WeSpeaker's lists: ``raw.list`` (key, spk and wav, a JSON object a line) or ``shard.list`` (a tar a line)."""

from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, first_few, leads_outside, tar_members
from cross_modal_kd.sources.any_table import folder_of, read_table_lines
from cross_modal_kd.sources.below import below_root
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.storage import encoding_of, text_in

SPEAKER = "spk"


class WespeakerOptions(Strict):
    """list: below the root: ``raw.list`` or ``shard.list``; which of them it is its first line tells."""

    list: str = "raw.list"


def read_wespeaker(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows; label: the speaker; group: the key. What lies in a shard is read there.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``WespeakerOptions``.

    Returns:
        The rows; and the rejected: missing files and shards, keys without a sound or a speaker.

    Raises:
        SamplesError: the list is missing, empty or damaged, a key occurs twice, or nothing can be used.
        ValueError: an unknown or wrong option.
    """
    chosen = WespeakerOptions.model_validate(options)
    root = roots.root(name)
    file = root / chosen.list
    if leads_outside(chosen.list) or not file.is_file():
        raise SamplesError(
            f"{file}: expected WeSpeaker's raw.list or shard.list, found no such file below the root; correct "
            f"sources.{name}.options.list"
        )
    with file.open("rb") as stream:
        encoding = encoding_of(stream.read(4))
    with file.open(encoding=encoding, errors="replace") as lines:
        first = lines.readline()
    read = _raw if first.lstrip().startswith("{") else _shards
    rows, rejected = read(root, file, folder_of(chosen.list))
    if rows.empty:
        found = first_few(rejected["path"] + ": " + rejected["reason"], 2)
        raise SamplesError(f"{file}: none of its sounds can be used ({found or 'it is empty'}); see to the paths in it")
    repeated = rows.loc[rows["key"].duplicated(), "key"]
    if len(repeated):
        raise SamplesError(f"{file}: {len(repeated)} keys stand there more than once: {first_few(repeated)}")
    rows = rows.rename(columns={SPEAKER: "label", "key": "group"})
    rows = rows.assign(sample_id=f"{name}/" + rows["group"], modality="speech", source=name)
    return listing(rows, rejected.assign(source=name))


def _raw(root: Path, file: Path, folder: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = read_table_lines(file, ["key", SPEAKER, "wav"])
    paths, why = below_root(table["wav"], root, folder)
    why = why.mask(
        table["wav"].str.strip().str.endswith("|"), "a command, which is never run: write its sound to a file"
    )
    why = why.mask((table[SPEAKER].str.strip() == "") & why.isna(), "its speaker is empty")
    why += f" ({file.name}, line " + table.index.astype("str").to_series(index=table.index) + ")"
    rejected = pd.DataFrame({"path": paths, "reason": why})[why.notna()]
    return table[["key", SPEAKER]].assign(path=paths)[why.isna()], rejected


def _shards(root: Path, file: Path, folder: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    lines = pd.Series(text_in(file).splitlines(), dtype="str").str.strip()
    paths, why = below_root(lines[lines != ""], root, folder)
    parts = [_of_shard(root, path) for path in paths[why.isna()]]
    members = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["key", "path", SPEAKER], dtype="str")
    )
    lacks = pd.Series(None, index=members.index, dtype="str")
    lacks = lacks.mask(members["path"].isna(), "a key without a sound in its shard")
    lacks = lacks.mask(members[SPEAKER].fillna("") == "", "a key without a speaker in its shard")
    rejected = pd.DataFrame({"path": members["path"].fillna(members["key"]), "reason": lacks})[lacks.notna()]
    missing = pd.DataFrame({"path": paths, "reason": why})[why.notna()]
    return members[lacks.isna()], pd.concat([rejected, missing])


def _of_shard(root: Path, path: str) -> pd.DataFrame:
    """key, path of the sound and speaker, of members ``<key>.spk`` and ``<key>.<ending>``: parted at the last dot."""
    members = tar_members(root / path)
    names = pd.Series(list(members), dtype="str")
    parts = names.str.rpartition(".").set_axis(["key", "dot", "ending"], axis=1)
    is_speaker = parts["ending"] == SPEAKER
    if not is_speaker.any():
        raise SamplesError(
            f"{root / path}: expected a shard of WeSpeaker, with members <key>.{SPEAKER}, found none among "
            f"{len(names)} ({first_few(names, 3)}); a webdataset's, whose keys end at the first dot, is read by "
            "layout: webdataset"
        )
    speakers = names[is_speaker]
    with (root / path).open("rb") as tar:
        of_key = {}
        for member in speakers:
            offset, size = members[member]
            tar.seek(offset)
            of_key[member.rpartition(".")[0]] = tar.read(size).decode("utf-8", "replace").strip()
    sounds = parts[~is_speaker & (parts["dot"] == ".")]
    found = pd.Series(f"{path}#" + names[sounds.index]).set_axis(sounds["key"])
    found = found[~found.index.duplicated()]
    keys = pd.Index([*of_key, *found.index], dtype="str").unique()
    return pd.DataFrame(
        {"key": keys, "path": found.reindex(keys).to_numpy(), SPEAKER: [of_key.get(key) for key in keys]}, dtype="str"
    )
