"""The speakers of VoxCeleb1 and VoxCeleb2, as ``vox1_meta.csv`` and ``vox2_meta.csv`` have them."""

import logging
import re
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cross_modal_kd.config import EachOnce, Strict
from cross_modal_kd.samples import (
    CONDITION,
    REJECTED_DTYPES,
    Roots,
    SamplesError,
    first_few,
    in_one_form,
    one_form,
    read_csv,
)
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import as_rejected
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

ARCHIVE = r"(?i)(?:\.(?:zip|tar|tgz|tar\.gz)|_part[a-z]{2})$"
UNPACK = "an archive, or a part of one: join the parts (cat vox1_dev_wav_parta* > vox1_dev_wav.zip), and unpack it"
VOX1_META, VOX2_META = "vox1_meta.csv", "vox2_meta.csv"
VOX1_COLUMNS = ["VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality", "Set"]
VOX2_COLUMNS = ["VoxCeleb2 ID", "VGGFace2 ID", "Gender", "Set"]
FIRST_OF_VOX1, LAST_OF_VOX1 = 10001, 11251
FIRST_TEST_OF_VOX1, LAST_TEST_OF_VOX1 = 10270, 10309

Part = Literal["vox1_dev", "vox1_test", "vox2_dev", "vox2_test"]
PUBLISHED: dict[str, tuple[int, int]] = {
    "vox1_dev": (1211, 148_642),
    "vox1_test": (40, 4_874),
    "vox2_dev": (5994, 1_092_009),
    "vox2_test": (118, 36_237),
}
"""Speakers and utterances of each part."""

ID = r"^id[0-9]{5}$"
FOLDER = r"^(?:.*/)?(?:[^/]*_)?(?P<part>dev|train|test)(?:_[^/]*)?/(?:[^/]+/)*id[0-9]{5}/"
TRACK_TEXT = r"(?:^|/)txt/id[0-9]{5}/[A-Za-z0-9_-]{11}/[0-9]{5}\.txt$"
LIST = (
    r"(?:^|/)(?:veri_test2?|list_test_(?:all|hard)2?|iden_split|voxceleb1_test(?:_v2)?|train_list|duplicates|SITW_overlap|voxceleb1_sitw_overlap)"
    r"\.txt$"
)
BY_FOLDER = "by folder"
NO_PART = "its speaker is in neither of the two tables"


class VoxCelebOptions(Strict):
    """What both layouts of VoxCeleb take.

    train: parts whose speakers are dealt to training and dev, by ``ingestion.split``. test: parts that are the test.
    Files of a part in neither are passed over, with that reason. Lists E and H of VoxCeleb1 are of all its speakers:
    for these ``train: [vox2_dev]`` and ``test: [vox1_dev, vox1_test]``.
    vox1_meta, vox2_meta: the tables of the speakers, relative to the source's root or absolute. null takes the one of
    that name below the root that lies highest, if there is any.
    split: a file that says the split of each utterance (``iden_split.txt``, VoxCeleb1's identification split) or of
    each speaker (``id10001 train``), relative to the source's root or absolute; what it does not name is passed over.
    null takes the test parts for the test and leaves the others to ``ingestion.split``.
    without: a list of what is left out, one a line: a speaker by id or VGGFace1 name (``voxceleb1_sitw_overlap.txt`` of
    OpenSLR's SLR49), a video (``id10001/1zcIwhmdeo4``) or an utterance; where it lies, as ``split``.
    """

    train: Annotated[list[Part], EachOnce] = Field(["vox1_dev", "vox2_dev"], min_length=1)
    test: Annotated[list[Part], EachOnce] = ["vox1_test", "vox2_test"]
    vox1_meta: str | None = Field(None, min_length=1)
    vox2_meta: str | None = Field(None, min_length=1)
    split: str | None = Field(None, min_length=1)
    without: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _disjoint(self) -> "VoxCelebOptions":
        if both := sorted(set(self.train) & set(self.test)):
            raise ValueError(
                f"{both} in train and in test: speakers are in one of them alone. VoxCeleb1's lists E and H are of the "
                "speakers of vox1_dev too, so a model that is to be tested on them is trained on vox2_dev"
            )
        return self

    def splits(self, part: pd.Series) -> pd.Series:
        """The official split of each file.

        Args:
            part: (n,) of the files.

        Returns:
            (n,) ``test``, or null for what ``ingestion.split`` deals to training and dev.
        """
        return pd.Series("test", index=part.index, dtype="str").where(part.isin(self.test))

    def unused(self, part: pd.Series) -> pd.Series:
        """Why files are not used.

        Args:
            part: (n,) of the files, null for those of no part.

        Returns:
            (n,) reasons, null for what is used.
        """
        out = "of " + part + ", which is neither in train nor in test of the source's options"
        return out.where(~part.isin([*self.train, *self.test])).mask(part.isna(), NO_PART)


class Tree(NamedTuple):
    """What lies below the root of a source.

    root: its folder. path: (n,) of the files but the tables of speakers, relative to it. speakers: of these tables.
    passed_over: source, path and reason of what is no file.
    """

    root: Path
    path: pd.Series
    speakers: "Speakers"
    passed_over: pd.DataFrame

    @classmethod
    def of(cls, name: str, roots: Roots, options: VoxCelebOptions) -> "Tree":
        """Walk the root.

        Args:
            name: of the source.
            roots: the folders of the sources.
            options: where the tables are, if that is said.

        Returns:
            The files and the speakers. Memory: O(n).

        Raises:
            SamplesError: a table is wrong.
        """
        root = roots.root(name)
        files = list_files(root)
        path = pd.Series(files.paths, dtype="str")
        speakers = Speakers(name, root, path, options)
        passed_over = pd.DataFrame(as_rejected(name, files.passed_over), columns=list(REJECTED_DTYPES), dtype="str")
        return cls(root, path[~path.isin(speakers.files)].reset_index(drop=True), speakers, passed_over)

    def rejected(self, name: str, reason: pd.Series, beside: tuple[str, ...], layout: str) -> pd.DataFrame:
        """All that is not used, but for what is counted in the log alone.

        That is what another layout reads below the same root, lists that lie beside the sounds, and the text of each
        face track (where it lies in the film), of which VoxCeleb2 has a million: the tracks are cut out already.

        Args:
            name: of the source.
            reason: (n,) of each file, null where it is used.
            beside: endings of what the other layout reads.
            layout: its name.

        Returns:
            source, path, reason.
        """
        left = reason.notna() & self.path.str.lower().str.endswith(beside)
        if left.any():
            logger.info(
                "%s: %s left to the layout %s (%s)",
                *(name, how_many(left.sum(), "file is", "files are"), layout, ", ".join(beside)),
            )
        texts, lists = (reason.notna() & self.path.str.contains(pattern) for pattern in (TRACK_TEXT, LIST))
        if texts.any():
            logger.info("%s: %s of face tracks (txt/<id>/<video>/), not read", name, how_many(texts.sum(), "text"))
        if lists.any():
            logger.info(
                "%s: lists that are no samples: %s (score_trials.trials and the options split and without name one)",
                *(name, first_few(self.path[lists])),
            )
        reason = reason.mask(left | texts | lists)
        reason = reason.mask(reason.notna() & self.archives, UNPACK)
        others = pd.DataFrame({"source": name, "path": self.path[reason.notna()], "reason": reason.dropna()})
        return pd.concat([self.passed_over, others], ignore_index=True)

    @property
    def archives(self) -> pd.Series:
        """(n,) which files are archives, or parts of one."""
        return self.path.str.contains(ARCHIVE)

    def warn_of_missing(self, name: str, part: pd.Series, options: VoxCelebOptions) -> None:
        """Say where nothing of training, or of the test, is there.

        Args:
            name: of the source.
            part: of what is used.
            options: ``train`` and ``test``.
        """
        for split in ("train", "test"):
            asked = getattr(options, split)
            if asked and not part.isin(asked).any():
                packed = self.path[self.archives]
                there = f", but {first_few(packed)}: {UNPACK}" if len(packed) else ""
                logger.warning("%s: nothing of %s (%s) is below %s%s", name, ", ".join(asked), split, self.root, there)

    def nothing(self, name: str, what: str, trees: str, reason: pd.Series) -> SamplesError:
        """The error of a root in which nothing is of use.

        Args:
            name: of the source.
            what: is not there: ``utterance``, ``face``.
            trees: that are read, in words.
            reason: (n,) of each file.

        Returns:
            What was expected, and what is there.
        """
        reason = reason.mask(self.archives, UNPACK)
        first = reason.iloc[0].removesuffix(f": expected {trees}") if len(reason) else ""
        passed = f". {len(reason):,} files are passed over, the first: {self.path.iloc[0]}: {first}" if first else ""
        top = first_few(self.path.str.split("/", n=1).str[0].unique()) if len(self.path) else "no file"
        return SamplesError(
            f"sources.{name}.root: no {what} of VoxCeleb under {self.root}: expected {trees}; found at its top {top}. "
            f"Correct the root{passed}"
        )


class Speakers:
    """The parts, names and genders of speakers, by id.

    Args:
        name: of the source, for errors.
        root: its folder.
        paths: of the files below it, among which the tables are looked for.
        options: where the tables are, if that is said.

    Raises:
        SamplesError: a table that is named is missing, or one is wrong.
    """

    def __init__(self, name: str, root: Path, paths: pd.Series, options: VoxCelebOptions) -> None:
        self._name, self._root = name, root
        self.tables: dict[str, pd.DataFrame] = {}
        self.files: list[str] = []
        for table, columns in ((VOX1_META, VOX1_COLUMNS), (VOX2_META, VOX2_COLUMNS)):
            given = getattr(options, table.removesuffix(".csv"))
            found = paths[(paths == table) | paths.str.endswith(f"/{table}")]
            if given is None and len(found):
                given = min(found, key=lambda path: path.count("/"))
            self.files += found.tolist()
            if given is not None:
                self.tables[table] = _read(root / given, columns)

    def ids_of(self, names: pd.Series) -> pd.Series:
        """The VoxCeleb id that a folder's name stands for.

        Args:
            names: (n,) ids, VGGFace1 names (with or without a dot at their end) or VGGFace2 ids (``n000012``).

        Returns:
            (n,) ids; null where the name is none, or the table that would know it is not there.
        """
        codes, distinct = pd.factorize(in_one_form(names))
        seen = pd.Series(distinct.tolist(), dtype="str")
        known = seen.where(seen.str.match(ID))
        known = known.fillna(seen.str.rstrip(".").map(self._names)).fillna(seen.map(self._stills))
        values = np.array([*known, None], dtype=object)  # the last of them for a name that is null
        return pd.Series(values[codes], index=names.index, dtype="str")

    @property
    def _names(self) -> dict[str, str]:
        table = self.tables.get(VOX1_META)
        return {} if table is None else _turned(table["VGGFace1 ID"].map(one_form).str.rstrip("."))

    @cached_property
    def _shared(self) -> set[str]:
        """Names that a table gives to several speakers."""
        columns = {VOX1_META: "VGGFace1 ID", VOX2_META: "VGGFace2 ID"}
        names = [table[columns[name]].map(one_form).str.rstrip(".") for name, table in self.tables.items()]
        return {name for each in names for name in each[each.duplicated()]}

    @property
    def _stills(self) -> dict[str, str]:
        table = self.tables.get(VOX2_META)
        return {} if table is None else _turned(table["VGGFace2 ID"])

    def unknown(self, names: pd.Series) -> pd.Series:
        """Why folders are no speaker's.

        Args:
            names: (n,) for which ``ids_of`` has no id.

        Returns:
            (n,) reasons.
        """
        shared = in_one_form(names).str.rstrip(".").isin(self._shared)
        lacking = " and ".join(table for table in (VOX1_META, VOX2_META) if table not in self.tables)
        what = f"; without {lacking}, which is to lie below the root" if lacking else ""
        reason = "no speaker of VoxCeleb: '" + names + f"' is neither an id nor a name that a table has{what}"
        codes, distinct = pd.factorize(names)
        meant = pd.Series(distinct.tolist(), dtype="str").map(self._meant)
        written = pd.Series(meant.to_numpy()[codes] if len(codes) else [], index=names.index, dtype="str")
        reason = reason.mask(written.notna(), reason + "; there is '" + written.fillna("") + "': rename the folder")
        return reason.mask(shared, names + " is the name of several speakers of a table: correct its lines")

    def _meant(self, name: str) -> str | None:
        """An id or name that a folder would be with other capitals, or with _ where it has blanks."""
        plain = "_".join(name.split()).lower()
        return plain if re.match(ID, plain) else self._by_letters.get(plain.rstrip("."))

    @cached_property
    def _by_letters(self) -> dict[str, str]:
        return {name.lower(): name for name in self._names}

    def parts_of(self, ids: pd.Series, paths: pd.Series) -> pd.Series:
        """The part that each file belongs to: by its speaker's Set, or for want of a table by number or folder.

        Args:
            ids: (n,) of the speakers.
            paths: (n,) of the files.

        Returns:
            (n,) parts, null of a speaker whom the table of the set does not have.

        Raises:
            SamplesError: VoxCeleb2 has no table, and no folder says of a file whether it is of dev or test.
        """
        codes, seen = pd.factorize(ids)
        found = np.array([self._part(speaker) for speaker in seen], dtype=object)
        part = pd.Series(found[codes] if len(codes) else [], index=ids.index, dtype="str")
        open_ = part == BY_FOLDER
        if open_.any():
            folder = columns_of(paths[open_], FOLDER, ["part"])["part"].replace("train", "dev")
            if folder.isna().any():
                raise SamplesError(
                    f"sources.{self._name}: whether {paths[folder.index[folder.isna()][0]]} is of the dev or the test "
                    f"set of VoxCeleb2 is not known: expected {VOX2_META} below {self._root}, or a folder dev or test "
                    f"above the speakers; put the table there, or name it in sources.{self._name}.options.vox2_meta"
                )
            part = part.mask(open_, "vox2_" + folder)
        return part

    def _part(self, speaker: str) -> str | None:
        """The part of a speaker, ``BY_FOLDER`` where the table is lacking that would know."""
        first = FIRST_OF_VOX1 <= int(speaker[2:]) <= LAST_OF_VOX1
        prefix, table = ("vox1_", VOX1_META) if first else ("vox2_", VOX2_META)
        if table in self.tables:
            known = self._sets[table].get(speaker)
            return None if known is None else prefix + known
        if first:
            return prefix + ("test" if FIRST_TEST_OF_VOX1 <= int(speaker[2:]) <= LAST_TEST_OF_VOX1 else "dev")
        return BY_FOLDER

    @cached_property
    def _sets(self) -> dict[str, dict[str, str]]:
        return {name: dict(zip(table.index, table["Set"], strict=True)) for name, table in self.tables.items()}

    def conditions_of(self, ids: pd.Series, video: pd.Series) -> dict[str, pd.Series]:
        """What is known of each file beside its speaker: gender, nationality (of VoxCeleb1 alone) and session.

        Args:
            ids: (n,) of the speakers.
            video: (n,) that the files are of, null where that is not known.

        Returns:
            Columns of the samples table, each (n,); null where no table says it.
        """
        known = {"gender": "Gender", "nationality": "Nationality"}
        found = {f"{CONDITION}{name}": ids.map(self._said(column)).astype("str") for name, column in known.items()}
        return found | {f"{CONDITION}session": video}

    def _said(self, column: str) -> dict[str, str]:
        """What the tables have in a column, by id."""
        return {
            speaker: said
            for table in self.tables.values()
            if column in table
            for speaker, said in zip(table.index, table[column], strict=True)
            if said
        }

    def counted(self, part: pd.Series, ids: pd.Series, wanted: Collection[str]) -> list[dict[str, Any]]:
        """Say in the log how much of each part is there, of how much was published; a warning where that differs.

        Args:
            part: (n,) of each utterance.
            ids: (n,) its speaker.
            wanted: parts that are to be there.

        Returns:
            Rows of ``Listing.counts``: speakers and utterances of each such part.
        """
        rows = []
        for name in (each for each in PUBLISHED if each in wanted):
            speakers, utterances = PUBLISHED[name]
            found = ids[part == name]
            there = (found.nunique(), len(found))
            rows += [
                {"source": self._name, "part": name, "what": what, "found": count, "published": published}
                for what, count, published in zip(("speakers", "utterances"), there, PUBLISHED[name], strict=True)
            ]
            if found.empty:
                continue
            say = logger.info if there == (speakers, utterances) else logger.warning
            say(
                "%s: %s has %s of the %s speakers published and %s of the %s utterances%s",
                *(self._name, name, f"{there[0]:,}", f"{speakers:,}", f"{there[1]:,}", f"{utterances:,}"),
                self._genders(found),
            )
        return rows

    def _genders(self, ids: pd.Series) -> str:
        """How many of the speakers are of each gender, and of how many nations, as far as the tables say."""
        known = pd.concat([*self.tables.values(), pd.DataFrame(columns=["Gender", "Nationality"])])
        known = known[known.index.isin(ids.unique())]
        if known.empty:
            return ""
        words = [f"{count:,} {gender or '?'}" for gender, count in known["Gender"].value_counts().sort_index().items()]
        number = known.loc[known["Nationality"] != "", "Nationality"].nunique()
        nations = how_many(number, "nationality", "nationalities")
        french = ", French speakers among Norway's" if "Norway" in set(known["Nationality"]) else ""
        return f" ({', '.join(words)}{f'; {nations}{french}' if number else ''})"


def _read(file: Path, columns: list[str]) -> pd.DataFrame:
    """The table by id, every cell without blanks around it."""
    read = read_csv(file, columns)
    table = read.apply(lambda column: column.str.strip())
    key, dealt = columns[0], columns[-1]
    for column, wrong, expected in (
        (key, ~table[key].str.match(ID), "id and five digits"),
        (key, table[key].duplicated(), "each speaker once"),
        (dealt, ~table[dealt].isin(["dev", "test"]), "dev or test"),
    ):
        if wrong.any():
            line = wrong.index[wrong][0]
            raise SamplesError(
                f"{file}, line {line}: {column} is {table.at[line, column]!r}, expected {expected}; fetch the table "
                "again, or correct the line"
            )
    return table.set_index(key)


def _turned(names: pd.Series) -> dict[str, str]:
    """The id of each name, but for names of several."""
    names = names[~names.duplicated(keep=False)]
    return dict(zip(names.tolist(), names.index.tolist(), strict=True))


def columns_of(path: pd.Series, pattern: str, names: Iterable[str]) -> pd.DataFrame:
    """The named groups of a pattern (of RE2) in each path: no Python object is made of a path.

    Args:
        path: (n,).
        pattern: with these groups.
        names: of the groups.

    Returns:
        n rows, a column each group; null where the path does not match.
    """
    import pyarrow.compute as pc

    found = pc.extract_regex(path.array.__arrow_array__(), pattern)
    return pd.DataFrame({name: pd.array(pc.struct_field(found, name), dtype="str") for name in names}, index=path.index)


def utterance_keys(ids: pd.Series, video: pd.Series, number: pd.Series) -> pd.Series:
    """``id10001/1zcIwhmdeo4/00001``: by which sounds, faces and lists name an utterance.

    Args:
        ids: (n,) of the speakers.
        video: (n,) YouTube's ids.
        number: (n,) digits, with or without zeros before them: 1, 00001 or 0000001.

    Returns:
        (n,) keys.
    """
    return ids + "/" + video + "/" + number.str.lstrip("0").str.zfill(5)
