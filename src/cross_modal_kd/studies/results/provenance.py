"""How a reported file came about, as one line under its table."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cross_modal_kd.storage import parse_json

NOTES = "provenance.json"


def provenance_line(folder: Path, file: Path, seeds: Sequence[str], default_command: str, trained: str) -> str:
    """Command, seeds, machine, date and commit of a file.

    Args:
        folder: with the notes, ``provenance.json``.
        file: in ``folder``.
        seeds: names of the parameters that count for it.
        default_command: given for a file of which nothing was noted, or that is no longer the one that was noted.
        trained: the seeds of its trainings, as text; empty where the file does not say.

    Returns:
        A line of Markdown, in italics; under it a quotation for each remark on the run.
    """
    noted = _noted(folder, file)
    if not noted:
        parts = [f"`{default_command}`", trained, "date, machine and commit were not noted"]
        return f"*{' · '.join(part for part in parts if part)}*"
    of_file = [f"{name} {_listed(noted['seeds'][name])}" for name in seeds if name in noted.get("seeds", {})]
    parts = [f"`{noted['command']}`", trained, *of_file, machine(noted), str(noted["date"])[:10], _commit(noted)]
    line = f"*{' · '.join(part for part in parts if part)}*"
    remarks = noted.get("remarks", [])
    quoted = [f"> {' '.join(str(remark).split())}" for remark in (remarks if isinstance(remarks, list) else [])]
    return "\n\n".join([line, *quoted])


def machine(noted: Mapping[str, Any]) -> str:
    """CPU, cores and GPU.

    Args:
        noted: notes of a file; ``device.cpu``, ``device.cores`` and ``device.gpus`` count, where they are there.

    Returns:
        Those that are known, with commas between; ``no GPU`` where none is noted.
    """
    gpus = noted.get("device.gpus", "none")
    gpu = "no GPU" if gpus == "none" else gpus
    parts = [noted.get("device.cpu", ""), f"{noted['device.cores']} cores" if "device.cores" in noted else "", gpu]
    return ", ".join(str(part) for part in parts if part)


def _noted(folder: Path, file: Path) -> dict[str, Any]:
    notes = folder / NOTES
    try:
        known = parse_json(notes) if notes.is_file() else {}
    except ValueError:  # damaged: nothing is known of the file; the next run sets the notes aside
        known = {}
    found = known.get(file.relative_to(folder).as_posix()) if isinstance(known, dict) else None
    if not isinstance(found, dict) or found.get("sha256") != hashlib.sha256(file.read_bytes()).hexdigest():
        return {}
    return found if found.keys() >= {"command", "date"} and isinstance(found.get("seeds", {}), dict) else {}


def _commit(noted: Mapping[str, Any]) -> str:
    if "git.sha" not in noted:
        return ""
    return f"commit {str(noted['git.sha'])[:10]}" + (" with changes" if noted.get("git.dirty") == "true" else "")


def _listed(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
