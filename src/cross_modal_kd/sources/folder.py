"""Any folder ``<root>/<label>/<file>`` of images, sounds or files of another registered modality.

Optional beside the label folders: ``captions.csv`` and ``splits.csv``.
"""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import SPLITS, Roots, SamplesError, first_few
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.tables import read_csv

CAPTIONS, SPLITS_FILE = "captions.csv", "splits.csv"


class FolderOptions(Strict):
    """group: what binds modalities to one instance. Captions have the group of their file.

    It is the ``file`` itself, its ``stem`` (``a/1.wav`` and ``a/1.png``), or the ``parent`` folder below the label (a
    video).
    """

    group: Literal["file", "stem", "parent"] = "file"


def read_folder(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Rows of every file of a modality (by its ending) and of every caption. The label is the first folder.

    captions.csv: path, text; several texts of one file may be given. splits.csv: split beside label or path (an
    official split, kept). Files of another kind go to the rejected; hidden ones are passed over.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``FolderOptions``.

    Returns:
        The candidate rows, and the files that are rejected.

    Raises:
        SamplesError: no file is of a registered modality, or captions.csv or splits.csv do not fit the files.
        ValueError: an unknown or wrong option.
    """
    chosen = FolderOptions.model_validate(options)
    root = roots.root(name)
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for file in sorted(found for found in root.rglob("*") if found.is_file()):
        path = file.relative_to(root)
        if path.name.startswith(".") or path.as_posix() in (CAPTIONS, SPLITS_FILE):
            continue
        modality = modality_of_ending(path.suffix)
        reason = f"{path.suffix or 'no'} ending: a file of no registered modality" if modality is None else None
        reason = "no label: the file lies beside the label folders" if len(path.parts) < 2 else reason
        if modality is None or reason:
            rejected.append({"source": name, "path": path.as_posix(), "reason": str(reason)})
            continue
        rows.append(
            {"sample_id": f"{name}/{path.as_posix()}", "modality": modality.name, "label": path.parts[0]}
            | {"group": _group(path, chosen.group), "path": path.as_posix()}
        )
    if not rows:
        raise SamplesError(f"sources.{name}.root: no <label>/<file> of a registered modality under {root}; add some")
    if (root / CAPTIONS).is_file():
        rows += _captions(name, root, {row["path"]: row for row in rows})
    frame = pd.DataFrame(rows).assign(source=name)
    if (root / SPLITS_FILE).is_file():
        frame["split"] = _official(name, root, frame)
    return listing(frame, rejected)


def _group(path: Path, kind: str) -> str:
    return {"file": path, "stem": path.with_suffix(""), "parent": path.parent}[kind].as_posix()


def _captions(name: str, root: Path, by_path: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    table = read_csv(root / CAPTIONS, ["path", "text"])
    unknown = set(table["path"]) - set(by_path)
    if unknown:
        raise SamplesError(
            f"{root / CAPTIONS}: {len(unknown)} captions of files that are missing: {first_few(unknown)}; restore "
            "the files or take the lines out"
        )
    numbers = table.groupby("path").cumcount()
    return [
        {"sample_id": f"{name}/text/{path}/{number}", "modality": "text", "text": text}
        | {key: by_path[path][key] for key in ("label", "group")}
        for path, text, number in zip(table["path"], table["text"], numbers, strict=True)
    ]


def _official(name: str, root: Path, frame: pd.DataFrame) -> pd.Series:
    table = read_csv(root / SPLITS_FILE, ["split"])
    key = "path" if "path" in table else "label"
    if key not in table:
        raise SamplesError(
            f"{root / SPLITS_FILE}: expected a column path or label, found {list(table.columns)}; add one of the two"
        )
    wrong = set(table["split"]) - set(SPLITS)
    if wrong:
        raise SamplesError(f"{root / SPLITS_FILE}: split must be one of {list(SPLITS)}, found {first_few(wrong)}")
    repeated = table.loc[table[key].duplicated(), key]
    if len(repeated):
        raise SamplesError(f"{root / SPLITS_FILE}: each {key} may be given once; repeated: {first_few(repeated)}")
    unknown = set(table[key]) - set(frame[key].dropna())
    if unknown:
        raise SamplesError(f"{root / SPLITS_FILE}: no such {key} in the source {name}: {first_few(unknown)}")
    split_of = table.set_index(key)["split"]
    if key == "label":
        return frame["label"].map(split_of)
    by_group = frame.dropna(subset=["path"]).set_index("group")["path"].map(split_of).groupby(level=0).first()
    return frame["path"].map(split_of).fillna(frame["group"].map(by_group))
