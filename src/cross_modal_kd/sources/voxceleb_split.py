"""Splits of VoxCeleb that are files: the identification split of VoxCeleb1, and lists of speakers."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few
from cross_modal_kd.sources.published import check_counts
from cross_modal_kd.sources.voxceleb_speakers import Tree, columns_of, utterance_keys

IDENTIFICATION = "VoxCeleb1 identification"
LINE = (
    r"^(?P<number>[123])\s+(?:[^\s]*/)?(?P<who>[^/\s]+)/"
    r"(?P<video>[A-Za-z0-9_-]{11})(?:/|_)(?P<utterance>[0-9]{1,7})\.\w+$"
)
SPEAKER = r"^(?P<who>[^\s,]+)[\s,]+(?P<split>[A-Za-z]+)$"
NUMBERS = {"1": "train", "2": "dev", "3": "test"}
WORDS = {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test"}
EXPECTED = (
    "lines of '1 id10001/1zcIwhmdeo4/00001.wav' (1 train, 2 dev, 3 test), as iden_split.txt has them, or of a speaker "
    "and train, dev (val) or test"
)


class Dealt(NamedTuple):
    """What a file of a split makes of the rows.

    rows: those of a split, with it. passed_over: why others are of none, by path. counts: rows of ``Listing``. lacking:
    what the file names and no row is of, utterances or speakers.
    """

    rows: pd.DataFrame
    passed_over: Mapping[str, str]
    counts: list[dict[str, object]]
    lacking: list[str]


def deal(name: str, rows: pd.DataFrame, tree: Tree, given: str | None) -> Dealt:
    """The split that a file says of each row, in place of that of the parts.

    ``iden_split.txt`` deals utterances: a row that is known by its video is of the split that has the whole video, and
    one that is known by its speaker alone is of none. A list of speakers deals all that is known of a speaker.

    Args:
        name: of the source.
        rows: path, label, group and domain (null where a path does not say it), split.
        tree: below whose root the file lies, if its path is relative; of the speakers' names.
        given: its path; None leaves the rows as they are.

    Returns:
        The rows, what is passed over, and the counts of the list beside the published ones.

    Raises:
        SamplesError: the file cannot be read, a line is neither of both, a speaker or an utterance has two splits, or
            a copy of ``iden_split.txt`` deals otherwise than the published one.
    """
    if given is None:
        return Dealt(rows, {}, [], [])
    file = tree.root / given
    lines = _lines(file)
    counts: list[dict[str, object]] = []
    if lines.iloc[0].partition(" ")[0].strip() in NUMBERS:
        dealt = _utterances(file, lines, tree)
        sizes = dealt.value_counts()
        found = {split: int(sizes.get(split, 0)) for split in NUMBERS.values()}
        counts = check_counts(name, IDENTIFICATION, found, list(NUMBERS.values()))
        split = rows["group"].map(dealt).fillna((rows["label"] + "/" + rows["domain"]).map(_of_videos(dealt)))
        lacking = dealt.index[~dealt.index.isin(rows["group"])]
    else:
        dealt = _speakers(file, lines, tree)
        split = rows["label"].map(dealt)
        lacking = dealt.index[~dealt.index.isin(rows["label"])]
    split = split.astype("str")
    lost = rows.loc[split.isna(), "path"]
    reason = f"{file.name} (the source's option split) has it in no split"
    return Dealt(rows.assign(split=split)[split.notna()], dict.fromkeys(lost, reason), counts, lacking.tolist())


def _utterances(file: Path, lines: pd.Series, tree: Tree) -> pd.Series:
    """The split of each utterance, by its key."""
    found = columns_of(lines, LINE, ("number", "who", "video", "utterance"))
    _require(file, lines, found["who"].isna(), EXPECTED)
    label = tree.speakers.ids_of(found["who"])
    _require(file, lines, label.isna(), "a speaker's id, or a name that vox1_meta.csv has")
    keys = utterance_keys(label, found["video"], found["utterance"])
    _require(file, lines, keys.duplicated(), "each utterance once")
    return pd.Series(found["number"].map(NUMBERS).to_numpy(), index=keys.to_numpy(), dtype="str")


def _of_videos(dealt: pd.Series) -> pd.Series:
    """The split of each video all of whose utterances are of one."""
    pairs = pd.DataFrame({"video": dealt.index.str.rpartition("/").get_level_values(0), "split": dealt.to_numpy()})
    pairs = pairs.drop_duplicates()
    return pairs[~pairs["video"].duplicated(keep=False)].set_index("video")["split"]


def _speakers(file: Path, lines: pd.Series, tree: Tree) -> pd.Series:
    """The split of each speaker, by the id."""
    found = columns_of(lines, SPEAKER, ("who", "split"))
    _require(file, lines, found["who"].isna(), EXPECTED)
    split = found["split"].str.lower().map(WORDS)
    if split.isna().iloc[0]:  # the line of a table's columns
        lines, found, split = lines.iloc[1:], found.iloc[1:], split.iloc[1:]
    _require(file, lines, split.isna(), EXPECTED)
    label = tree.speakers.ids_of(found["who"])
    _require(file, lines, label.isna(), "a speaker's id, or a name that vox1_meta.csv or vox2_meta.csv has")
    _require(file, lines, label.duplicated(), "each speaker once")
    return pd.Series(split.to_numpy(), index=label.to_numpy(), dtype="str")


def _require(file: Path, lines: pd.Series, wrong: pd.Series, expected: str) -> None:
    """Raises SamplesError where a line is wrong; it is named."""
    if wrong.any():
        line = lines[wrong]
        raise SamplesError(
            f"{file}, line {line.index[0]}: expected {expected}, found {line.iloc[0]!r:.120}"
            f"{f' (and {len(line) - 1} lines more)' if len(line) > 1 else ''}; correct the list, or fetch it anew"
        )


def _lines(file: Path) -> pd.Series:
    """Those that are not blank, by their number."""
    if file.suffix.lower() in (".pkl", ".pickle"):
        raise SamplesError(
            f"{file}: a pickle can run any code as it is loaded, so none is; where you trust it, write its names down "
            "as lines of a speaker and train, val or test, and give that file (the source's option split)"
        )
    try:
        found = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        beside = first_few(sorted(each.name for each in file.parent.glob("*.txt"))) if file.parent.is_dir() else ""
        raise SamplesError(
            f"{file}: not a readable text in UTF-8 ({error}), expected {EXPECTED}; correct the source's option split"
            f"{f' (beside it: {beside})' if beside else ''}"
        ) from error
    lines = pd.Series(found, index=range(1, len(found) + 1), dtype="str").str.strip()
    lines = lines[lines != ""]
    if lines.empty:
        raise SamplesError(f"{file}: the list is empty, expected {EXPECTED}")
    return lines
