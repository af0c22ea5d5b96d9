"""Files that deal VoxCeleb or leave some of it out: the identification split, lists of speakers."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few
from cross_modal_kd.sources.published import check_counts
from cross_modal_kd.sources.voxceleb_speakers import Tree, VoxCelebOptions, columns_of, utterance_keys
from cross_modal_kd.storage import how_many, text_in

logger = logging.getLogger(__name__)

IDENTIFICATION = "VoxCeleb1 identification"
LINE = (
    r"^(?P<number>[123])\s+(?:[^\s]*/)?(?P<who>[^/\s]+)/"
    r"(?P<video>[A-Za-z0-9_-]{11})(?:/|_)(?P<utterance>[0-9]{1,7})\.\w+$"
)
SPEAKER = r"^(?P<who>[^\s,]+)[\s,]+(?P<split>[A-Za-z]+)$"
LEFT_OUT = (
    r"^(?:[^\s]*/)?(?P<who>[^/\s]+)/(?P<video>[A-Za-z0-9_-]{11})(?:(?:/|_)(?P<utterance>[0-9]{1,7})(?:\.\w+)*|/?)$"
)
NUMBERS = {"1": "train", "2": "dev", "3": "test"}
WORDS = {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test"}
EXPECTED = (
    "lines of '1 id10001/1zcIwhmdeo4/00001.wav' (1 train, 2 dev, 3 test), as iden_split.txt has them, or of a speaker "
    "and train, dev (val) or test"
)


LEFT = "a speaker (id10001, A.J._Buckley), a video (id10001/1zcIwhmdeo4) or an utterance on each line"


class Dealt(NamedTuple):
    """What a file of a split makes of the rows.

    rows: those of a split, with it. passed_over: why others are of none, by path. counts: rows of ``Listing``. lacking:
    what the file names and no row is of, utterances or speakers.
    """

    rows: pd.DataFrame
    passed_over: Mapping[str, str]
    counts: list[dict[str, object]]
    lacking: list[str]


def deal(name: str, rows: pd.DataFrame, tree: Tree, options: VoxCelebOptions) -> Dealt:
    """The split that a file says of each row, in place of that of the parts; without what a list leaves out.

    ``iden_split.txt`` deals utterances: a row that is known by its video is of the split that has the whole video, and
    one that is known by its speaker alone is of none. A list of speakers deals all that is known of a speaker.

    Args:
        name: of the source.
        rows: path, label, group and domain (null where a path does not say it), split.
        tree: below whose root the file lies, if its path is relative; of the speakers' names.
        options: ``split`` and ``without``, paths of the files; None leaves the rows as they are.

    Returns:
        The rows, what is passed over, and the counts of the list beside the published ones.

    Raises:
        SamplesError: the file cannot be read, a line is neither of both, a speaker or an utterance has two splits, or
            a copy of ``iden_split.txt`` deals otherwise than the published one.
    """
    out: dict[str, str] = {}
    if options.without is not None:
        rows, out = _without(name, rows, tree, tree.root / options.without)
    if options.split is None:
        return Dealt(rows, out, [], [])
    file = tree.root / options.split
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
    out |= dict.fromkeys(lost, reason)
    return Dealt(rows.assign(split=split)[split.notna()], out, counts, lacking.tolist())


def _without(name: str, rows: pd.DataFrame, tree: Tree, file: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows that a list does not leave out, and why the others are, by path. Raises SamplesError."""
    lines = _lines(file, LEFT, "without")
    first = lines.str.split(n=1).str[0].astype("str").str.replace("\\", "/", regex=False)
    found = columns_of(first, LEFT_OUT, ("who", "video", "utterance")).replace("", None)
    alone = found["who"].isna() & ~first.str.contains("/", regex=False)
    _require(file, lines, found["who"].isna() & ~alone, LEFT)
    label = tree.speakers.ids_of(found["who"].fillna(first))
    strangers = lines[label.isna()]
    if len(strangers) == len(lines):
        raise SamplesError(
            f"{file}: none of its {len(lines)} lines is of a speaker who is known here ({first_few(lines, 1)}); "
            f"expected {LEFT}, and for names vox1_meta.csv below {tree.root}"
        )
    if len(strangers):
        of_them = how_many(len(strangers), "line is", "lines are")
        logger.warning("%s: %s of a speaker who is not known here: %s", file, of_them, first_few(strangers, 3))
    of_speaker, of_video = found["video"].isna(), found["utterance"].isna()
    videos = (label + "/" + found["video"])[of_video].dropna()
    utterances = utterance_keys(label, found["video"], found["utterance"].fillna(""))[~of_video].dropna()
    gone = rows["label"].isin(label[of_speaker]) | (rows["label"] + "/" + rows["domain"]).isin(videos)
    gone |= rows["group"].isin(utterances)
    logger.info("%s: %s left out, as %s says", name, how_many(gone.sum(), "file is", "files are"), file)
    reason = f"{file.name} (the source's option without) leaves it out"
    return rows[~gone], dict.fromkeys(rows.loc[gone, "path"], reason)


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


def _lines(file: Path, expected: str = EXPECTED, option: str = "split") -> pd.Series:
    """Those that are not blank, by their number."""
    if file.suffix.lower() in (".pkl", ".pickle"):
        raise SamplesError(
            f"{file}: a pickle can run any code as it is loaded, so none is; where you trust it, write its names down "
            f"as {expected}, and give that file (the source's option {option})"
        )
    try:
        found = text_in(file).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        beside = first_few(sorted(each.name for each in file.parent.glob("*.txt"))) if file.parent.is_dir() else ""
        raise SamplesError(
            f"{file}: not a readable text in UTF-8 ({error}), expected {expected}; correct the source's option {option}"
            f"{f' (beside it: {beside})' if beside else ''}"
        ) from error
    lines = pd.Series(found, index=range(1, len(found) + 1), dtype="str").str.strip()
    lines = lines[lines != ""]
    if lines.empty:
        raise SamplesError(f"{file}: the list is empty, expected {expected}")
    return lines
