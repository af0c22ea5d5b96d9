"""How a reported file came about, as one line under its table."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cross_modal_kd.storage import parse_json

NOTES = "provenance.json"


def provenance_line(folder: Path, file: Path, seeds: Sequence[str], default_command: str, trained: str) -> str:
    """Command, seeds, budget, split, machine, date and commit of a file.

    Args:
        folder: with the notes, ``provenance.json``.
        file: in ``folder``.
        seeds: names of the parameters that count for it, seeds and others that say what was spent.
        default_command: given for a file of which nothing was noted, or that is no longer the one that was noted.
        trained: the seeds of its trainings, as text; empty where the file does not say.

    Returns:
        A line of Markdown, in italics; under it a quotation for each remark on the run.
    """
    noted = _noted(folder, file)
    if not noted:
        parts = [f"`{default_command}`", trained, "date, machine and commit were not noted"]
        return f"*{' · '.join(part for part in parts if part)}*"
    known = {**noted.get("seeds", {}), **noted.get("budget", {})}
    of_file = [f"{name} {_listed(known[name])}" for name in seeds if name in known]
    made = [machine(noted), str(noted["date"])[:10], _commit(noted)]
    parts = [f"`{noted['command']}`", trained, *of_file, _split(noted), *made]
    line = f"*{' · '.join(part for part in parts if part)}*"
    remarks = noted.get("remarks", [])
    quoted = [f"> {' '.join(str(remark).split())}" for remark in (remarks if isinstance(remarks, list) else [])]
    return "\n\n".join([line, *quoted])


def machine(noted: Mapping[str, Any]) -> str:
    """CPU, cores and GPU.

    Args:
        noted: notes of a file; ``device.cpu``, ``device.cores``, ``device.threads`` and ``device.gpus`` count, where
            they are there.

    Returns:
        Those that are known, with commas between; ``no GPU`` where none is noted.
    """
    gpus = noted.get("device.gpus", "none")
    gpu = "no GPU" if gpus == "none" else gpus
    counts = [_counted(noted, name) for name in ("cores", "threads")]
    return ", ".join(str(part) for part in (noted.get("device.cpu", ""), *counts, gpu) if part)


def _counted(noted: Mapping[str, Any], what: str) -> str:
    """``2 cores``, ``1 thread``; empty where it was not noted."""
    count = str(noted.get(f"device.{what}", ""))
    return f"{count} {what[:-1] if count == '1' else what}" if count else ""


def _split(noted: Mapping[str, Any]) -> str:
    """Which split was measured on; empty of files of which it was not noted."""
    if "split" not in noted:
        return ""
    seed = noted.get("seeds", {}).get("ingestion.split.seed", "?")
    return f"split drawn with seed {seed}" if noted["split"] == "drawn" else f"split `{noted['split']}`"


def _noted(folder: Path, file: Path) -> dict[str, Any]:
    notes = folder / NOTES
    try:
        known = parse_json(notes) if notes.is_file() else {}
    except ValueError:  # damaged: nothing is known of the file; the next run sets the notes aside
        known = {}
    found = known.get(file.relative_to(folder).as_posix()) if isinstance(known, dict) else None
    if not isinstance(found, dict) or found.get("sha256") != hashlib.sha256(file.read_bytes()).hexdigest():
        return {}
    whole = found.keys() >= {"command", "date"} and all(isinstance(found.get(n, {}), dict) for n in ("seeds", "budget"))
    return found if whole else {}


def _commit(noted: Mapping[str, Any]) -> str:
    if "git.sha" not in noted:
        return ""
    return f"commit {str(noted['git.sha'])[:10]}" + (" with changes" if noted.get("git.dirty") == "true" else "")


def _listed(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
