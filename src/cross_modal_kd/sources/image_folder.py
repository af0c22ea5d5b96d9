"""torchvision's ImageFolder: ``<root>/<class>/.../<image>``, or ``<root>/<train|val|test>/<class>/.../<image>``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, in_one_form
from cross_modal_kd.sources.beside import Beside
from cross_modal_kd.sources.files import Files, list_files
from cross_modal_kd.sources.folder import FolderOptions, rows_of
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.split_names import SPLIT_OF


class ImageFolderOptions(Strict):
    """This layout takes none."""


def read_image_folder(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Images by their class; folders of splits become official splits. ``captions.csv`` may lie in the root.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: none are taken.

    Returns:
        The rows, and the rejected: other files, and class folders without an image.

    Raises:
        SamplesError: there is no image of a class, or captions.csv is wrong.
        ValueError: an option is given.
    """
    ImageFolderOptions.model_validate(options)
    root = roots.root(name)
    rows, passed_over = by_class(name, list_files(root))
    others = rows["modality"] != "image"
    reasons = pd.DataFrame(
        {"source": name, "path": rows.loc[others, "path"], "reason": "no image: ImageFolder has none"}
    )
    rows = rows[~others].reset_index(drop=True)
    if rows.empty:
        raise SamplesError(
            f"sources.{name}.root: expected <class>/<image>, or <train|val|test>/<class>/<image>, under {root}, found "
            "no image of a class; correct the root"
        )
    captions, unused = Beside(root, rows, [*passed_over["path"], *reasons["path"]]).captions(name, rows)
    if len(captions):
        captions["split"] = captions["group"].map(rows.set_index("group")["split"])
    frame = pd.concat([rows, captions], ignore_index=True).assign(source=name)
    return listing(frame, pd.concat([passed_over, reasons, _without(name, root, rows), unused]))


def by_class(name: str, found: Files) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows by their class: the first folder, or the second below folders of splits.

    Args:
        name: of the source.
        found: of ``list_files``.

    Returns:
        As ``folder.rows_of``, with the official split, null where there is none.
    """
    tops = pd.Series(found.paths, dtype="str")
    tops = tops[tops.str.contains("/", regex=False)].str.split("/", n=1).str[0].drop_duplicates()
    if not are_splits(tops):
        rows, others = rows_of(name, found, FolderOptions())
        return rows.assign(split=None), others
    parts, passed_over = [], []
    for top in tops:
        prefix = f"{top}/"
        below = [path.removeprefix(prefix) for path in found.paths if path.startswith(prefix)]
        rows, others = rows_of(name, Files(below, {}), FolderOptions())
        path = prefix + rows["path"]
        parts.append(
            rows.assign(path=path, sample_id=f"{name}/" + path, group=in_one_form(path), split=SPLIT_OF[top.lower()])
        )
        passed_over.append(others.assign(path=prefix + others["path"]))
    rest = [path for path in found.paths if "/" not in path]
    passed_over.append(rows_of(name, Files(rest, found.passed_over), FolderOptions())[1])
    return pd.concat(parts, ignore_index=True), pd.concat(passed_over, ignore_index=True)


def are_splits(folders: Iterable[str]) -> bool:
    """Whether folders are splits: all are named so, and one is that of training.

    Args:
        folders: names of those in the root.

    Returns:
        Whether they are.

    >>> [are_splits(names) for names in (["train", "val"], ["test", "cat"], ["train"])]
    [True, False, True]
    """
    splits = {SPLIT_OF.get(folder.lower()) for folder in folders}
    return None not in splits and "train" in splits


def _without(name: str, root: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Class folders that hold no image."""
    tops = [each for each in root.iterdir() if each.is_dir() and not each.name.startswith(".")]
    split = bool(rows["split"].notna().any())
    folders = [inner for top in tops for inner in top.iterdir() if inner.is_dir()] if split else tops
    depth = 2 if split else 1
    used = set(rows["path"].str.split("/", n=depth).str[:depth].str.join("/"))
    paths = sorted(each.relative_to(root).as_posix() for each in folders)
    empty = [path for path in paths if path not in used and not path.rsplit("/", 1)[-1].startswith(".")]
    return pd.DataFrame({"source": name, "path": empty, "reason": "a class folder without an image"}, dtype="str")
