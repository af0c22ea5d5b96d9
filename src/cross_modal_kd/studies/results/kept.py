"""The tables and plots of a task beside its page, in the repository: what was found stays found in a fresh clone."""

import json
import logging
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cross_modal_kd.storage import parse_json
from cross_modal_kd.studies.results.images import DARK, dark_png, small_png
from cross_modal_kd.studies.results.provenance import NOTES
from cross_modal_kd.studies.results.sections import Section

logger = logging.getLogger(__name__)

HEADING = re.compile(r"^(?:## .+|\*\*.+\*\*)$", re.MULTILINE)


def keep(sections: Iterable[Section], folder: Path, kept: Path, most_bytes: int) -> None:
    """Lay what ``folder`` holds of each section over what was kept of it; what is not there anew stays as it is.

    Tables are copied as they are, with their notes of provenance; plots are made smaller, and laid in
    ``dark`` once more as they are shown by night. Plots of a table that
    was made anew and has no such plot any more are removed.

    Args:
        sections: read from ``folder``; one without files is passed over.
        folder: of what was reported, with its ``provenance.json`` where there is one.
        kept: folder that is written to, made where there is something to keep.
        most_bytes: of a plot.
    """
    notes = _notes(kept)
    for section in sections:
        if not section.files:
            continue
        for file in section.files:
            name = file.relative_to(folder)
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept / name)
            found = _notes(folder).get(name.as_posix())
            notes[name.as_posix()] = found or {}
        _keep_plots(section, folder, kept, most_bytes)
    noted = {name: found for name, found in notes.items() if found}
    if noted:
        (kept / NOTES).write_text(json.dumps(noted, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _keep_plots(section: Section, folder: Path, kept: Path, most_bytes: int) -> None:
    names = [plot.relative_to(folder) for plot in section.plots]
    if "*" not in section.kind.files:
        there = {old.relative_to(kept) for pattern in section.kind.plots for old in kept.glob(pattern)}
        for stale in there - set(names):
            (kept / stale).unlink()
            (kept / DARK / stale).unlink(missing_ok=True)
    for name, plot in zip(names, section.plots, strict=True):
        small = small_png(plot, most_bytes)
        for file, content in ((kept / name, small), (kept / DARK / name, dark_png(small))):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def refuse_loss(page: Path, new: str, folder: Path, kept: Path) -> None:
    """Refuse to write a page that would lose a section or a table of the one on disk.

    A table that says what it was measured on (``Both students on the test split``) is the same on something else.

    Args:
        page: file of the page; it need not be there.
        new: text that is to take its place.
        folder: of what was reported, for the error.
        kept: folder of what was kept, for the error.

    Raises:
        ValueError: a section or a table of the page on disk is not in ``new``; the section ``Not run`` may go.
    """
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    there = {_without_split(name) for name in HEADING.findall(new)}
    lost = [name for name in HEADING.findall(old) if _without_split(name) not in there and name != "## Not run"]
    if lost:
        raise ValueError(
            f"{page} holds {', '.join(repr(name.strip('#* ')) for name in lost)}, of which there are tables neither in "
            f"{folder} nor in {kept}: written anew, the page would lose that. Run what is named under these tables, or "
            "remove the page to begin afresh"
        )


def _without_split(heading: str) -> str:
    return re.sub(r"(?<=students) on the .+", "", heading)


def _notes(folder: Path) -> dict[str, Any]:
    file = folder / NOTES
    try:
        known = parse_json(file) if file.is_file() else {}
    except ValueError:
        known = None
    if isinstance(known, dict):
        return known
    logger.warning("%s is damaged: how its tables came about is not noted", file)
    return {}
