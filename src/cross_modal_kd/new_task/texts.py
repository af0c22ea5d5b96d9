"""Texts that lie in a folder in another form than captions.csv, and captions.csv made of them."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from cross_modal_kd.new_task.formats import TEXT_COLUMNS, unread_table
from cross_modal_kd.new_task.survey import LAYOUT, Survey
from cross_modal_kd.samples import SamplesError, no_beginning, shown
from cross_modal_kd.sources import Known, read_table
from cross_modal_kd.storage import how_many, text_in, write_whole

CAPTIONS = "captions.csv"
PATH_COLUMNS = ("file_name", "path", "file", "filename", "image")


@dataclass(frozen=True)
class Texts:
    """texts: path and text of each; a path may have several. what: where they come from, in words."""

    texts: list[tuple[str, str]]
    what: str


def found_texts(survey: Survey, source: str) -> Texts | None:
    """Texts of the files of a source that captions.csv does not hold.

    Looked for in this order: metadata.csv and metadata.jsonl (as Hugging Face has them), a .txt beside each file, one
    .txt for a label (``<label>.txt`` beside its folder, or the only one within); a part of them is enough.

    Args:
        survey: of the folder.
        source: one of its sources.

    Returns:
        The first that are there, None where there are none.

    Raises:
        SamplesError: a table is wrong, or a text is not UTF-8.
    """
    root = survey.sources[source]
    rows = survey.rows[survey.rows["source"] == source]
    mine = rows[rows["path"].notna() & rows["label"].notna()]
    for what, finder in _FORMS.items():
        found = [(path, words) for path, text in finder(root, mine) if (words := " ".join(text.split()))]
        if found:
            return Texts(found, what)
    return None


def of_labels(survey: Survey, source: str) -> Texts:
    """The label of each file as its text: a teacher that knows the words, and nothing of the single file.

    Args:
        survey: of the folder.
        source: one of its sources.

    Returns:
        ``golden_retriever/1.jpg`` -> ``golden retriever``.

    Raises:
        SamplesError: there is one label, whose name would be the text of every file.
    """
    rows = survey.rows[survey.rows["source"] == source]
    mine = rows[rows["path"].notna() & rows["label"].notna()]
    if mine["label"].nunique() < 2:
        raise SamplesError(
            f"{survey.sources[source]}: --write-captions finds no texts, and the name of one label tells nothing of "
            f"its files. Put them into a folder for each label, or write {CAPTIONS} (path,text)"
            f"{unread_table(survey.folder)}"
        )
    return Texts(list(zip(mine["path"], in_blanks(mine["label"]), strict=True)), "the names of the labels")


def in_blanks(names: pd.Series) -> pd.Series:
    """Names as they are read: with blanks in place of ``_``, ``-`` and dots.

    Args:
        names: n of labels, null for none.

    Returns:
        (n,) on their index.
    """
    return names.str.replace(r"[_\-.\s]+", " ", regex=True).str.strip()


def write_captions(survey: Survey) -> Iterator[str]:
    """Write captions.csv beside the label folders of every source that has none; of a table that is there, nothing.

    Args:
        survey: of the folder.

    Yields:
        A sentence for each table that was written.

    Raises:
        SamplesError: as ``found_texts`` does; or the layout reads no captions.csv.
    """
    if survey.layout not in (LAYOUT, "image_folder"):
        raise SamplesError(
            f"{survey.folder}: --write-captions writes {CAPTIONS} beside label folders, and the layout of this folder, "
            f"{survey.layout}, reads none; leave it out"
        )
    for source, root in survey.sources.items():
        file = root / CAPTIONS
        if file.exists():
            continue
        found = found_texts(survey, source) or of_labels(survey, source)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([("path", "text"), *found.texts])
        write_whole(file, table.getvalue())
        yield f"{file}: {how_many(len(found.texts), 'text')}, from {found.what}"


def _metadata(file: Path, files: pd.DataFrame) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        return
    table = read_table(file, [])
    text, path = (next((name for name in names if name in table), None) for names in (TEXT_COLUMNS, PATH_COLUMNS))
    if text is None or path is None:
        raise SamplesError(
            f"{file}: expected a column of {', '.join(PATH_COLUMNS)} and one of {', '.join(TEXT_COLUMNS)}, found "
            f"{list(table)}; rename the columns, or write {CAPTIONS} (path,text)"
        )
    for column in (text, path):
        if len(lists := table.index[~table[column].map(lambda value: isinstance(value, str))]):
            raise SamplesError(f"{file}, line {lists[0]}: expected one {column}, found {table.at[lists[0], column]!r}")
    found = table[path].map(Known(files["path"]).found)
    used = found.isin(set(files["path"]))
    if not used.any():
        raise SamplesError(
            f"{file}: none of its {how_many(len(table), 'line')} names a file in a label folder of {file.parent} (the "
            f"first: {shown(table[path].iloc[0])!r}); write the paths as they are below it, <label>/<file>"
        )
    yield from zip(found[used], table.loc[used, text], strict=True)


def _beside(root: Path, files: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for path in files["path"]:
        file = (root / path).with_suffix(".txt")
        if file.is_file():
            yield path, _text(file)


def _per_label(root: Path, files: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for folder, paths in files.groupby(files["path"].map(lambda path: PurePosixPath(path).parts[0]))["path"]:
        within = sorted((root / str(folder)).glob("*.txt"))
        candidates = [root / f"{folder}.txt", *(within if len(within) == 1 else [])]
        file = next((each for each in candidates if each.is_file()), None)
        if file is not None:
            text = _text(file)
            yield from ((path, text) for path in paths)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            found = no_beginning(stream.read(512))
        if found:
            raise SamplesError(f"{file}: expected a text, and {found}, or take it away")
        return text_in(file)
    except (UnicodeDecodeError, OSError) as error:
        raise SamplesError(f"{file}: expected a text in UTF-8 ({error}); save it so, or take it away") from error


_FORMS: dict[str, Callable[[Path, pd.DataFrame], Iterator[tuple[str, str]]]] = {
    "metadata.csv": lambda root, files: _metadata(root / "metadata.csv", files),
    "metadata.jsonl": lambda root, files: _metadata(root / "metadata.jsonl", files),
    "a .txt beside each file": _beside,
    "a .txt for each label": _per_label,
}
