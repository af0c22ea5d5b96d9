"""A packaged student as a folder that can be pushed to the Hugging Face Hub, and names nobody's machine."""

import getpass
import os
import re
import shutil
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cross_modal_kd.storage import parse_json
from cross_modal_kd.student.card_text import in_markdown, without_places
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.package import CARD, load_package, save_package
from cross_modal_kd.student.record import StudentRecord

EXPORTED = "exported"
LFS = ("*.onnx", "*.pt2", "*.safetensors", "*.parquet", "*.wav", "*.ogg", "*.flac", "*.png", "*.jpg", "*.jpeg")
KEPT = re.compile(r"command|git\.sha|git\.dirty|mlflow\.run|version\..+")
# absolute paths that begin in a home, a temporary or a system folder, on whichever system
PLACES = re.compile(rb"(?<![\w.:/])(?:/(?:home|Users|root|tmp|mnt|media|work|workspace|opt|srv|data|var|private"
                    rb"|builds?)/[\w.-]|[A-Za-z]:\\\\?Users\\)")  # fmt: skip
SECRETS = re.compile(rb"hf_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|glpat-[\w-]{20}|"
                     rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^\s/:@]+:[^\s/@]+@")  # fmt: skip
COMMON = {"", "root", "user", "localhost", "admin", "ubuntu", "runner", "app", "node", "docker", "test", "me"}


def write_hf_folder(packaged: Path, target: Path, exported: Path | None = None) -> list[str]:
    """Write the folder: the card, the packaged student, its exported programs if there are any, .gitattributes.

    Args:
        packaged: of the student, with its card.
        target: to be made; it must not hold anything, but may hold a clone's ``.git``.
        exported: of the programs; None, or a folder that is not there, for none.

    Returns:
        Names of its files.

    Raises:
        StudentError: the student has no card, the programs are of another student or do not say of which, ``target``
            holds something, or a file names a place, a person, a host or a secret; the message names it, and nothing
            is left.
    """
    student = load_package(packaged)
    if not student.card:
        raise StudentError(f"{packaged} has no {CARD}: `kedro run --pipeline=deployment` writes it")
    programs = exported if exported is not None and (exported / "export.json").is_file() else None
    if programs is not None:
        _require_of(student.record, programs)
    there = sorted(each.name for each in target.iterdir() if each.name != ".git") if target.is_dir() else []
    if there or (target.exists() and not target.is_dir()):
        raise StudentError(f"{target} holds {there[0] if there else 'a file'} already: name a new or an empty folder")
    scratch = target.with_name(f".{target.name}.{os.getpid()}.hf")
    try:
        facts = {name: without_places(value) if name == "command" else value
                 for name, value in student.facts.items() if KEPT.fullmatch(name)}  # fmt: skip
        card = student.card.replace('load("packaged")', 'load(".")').replace("--student=packaged", "--student=.")
        save_package(scratch, replace(student, facts=facts, card=card + (_of_programs(programs) if programs else "")))
        if programs:
            shutil.copytree(programs, scratch / EXPORTED)
        lines = [f"{pattern} filter=lfs diff=lfs merge=lfs -text" for pattern in LFS]
        (scratch / ".gitattributes").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if found := list(_named(scratch)):
            raise StudentError("not written, for it would be published: " + "; ".join(found[:5]))
        target.mkdir(parents=True, exist_ok=True)
        for each in sorted(scratch.iterdir()):
            each.replace(target / each.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    inside = (each.relative_to(target) for each in target.rglob("*") if each.is_file())
    return sorted(each.as_posix() for each in inside if each.parts[0] != ".git")


def _require_of(record: StudentRecord, exported: Path) -> None:
    """That programs are the packaged student's, with its thresholds: else one folder would give two answers."""
    content, operating = parse_json(exported / "export.json"), record.operating
    again = "`kedro run --pipeline=deployment` packages and exports the student that is there now"
    if not content.get("student"):
        raise StudentError(f"{exported} does not say of which student it is, an older version made it: {again}")
    if content["student"] != record.weights:
        raise StudentError(f"{exported} is of another student than the packaged one: {again}")
    thresholds = {each.name: each.value for each in operating.thresholds if each.value is not None}
    found = (thresholds, operating.temperature.value or 1.0)
    if (content["thresholds"], content["temperature"]) != found:
        raise StudentError(f"{exported} has other thresholds or another temperature than the packaged student: {again}")


def _of_programs(exported: Path) -> str:
    """The section of the card about them; numbers of export.json."""
    content = parse_json(exported / "export.json")
    rows = []
    for name, program in content["programs"].items():
        parity = program.get("parity") or program.get("difference") or {}
        apart = parity.get("max_abs_difference")
        shown = "" if apart is None else f"{apart:.2g}"
        rows.append(f"| {in_markdown(name)} | {program['bytes']} | {program['latency_ms']:.3g} | {shown} |")
    head = [
        *("", "## Without this package", ""),
        "The programs in `exported/` need onnxruntime, numpy and a reader of files alone: "
        "`python exported/run_student.py FILES`.",
        *("", "| program | bytes | ms a sample, one core | largest difference from PyTorch |", "|---|---|---|---|"),
    ]
    return "\n".join([*head, *rows]) + "\n"


def _named(folder: Path) -> Iterator[str]:
    """What in it names a place, a person, a host or a secret."""
    own = {socket.gethostname(), _user(), Path.home().as_posix(), Path.cwd().as_posix()} - COMMON - {"/"}
    names = [re.compile(rb"(?<![A-Za-z0-9])" + re.escape(each.encode()) + rb"(?![A-Za-z0-9])") for each in own
             if len(each) > 3]  # fmt: skip
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = file.relative_to(folder).as_posix()
        for content in _texts(file):
            for what, patterns in (("a path", [PLACES]), ("a secret", [SECRETS]), ("this machine or its user", names)):
                if match := next((hit for hit in (each.search(content) for each in patterns) if hit), None):
                    seen = "" if what == "a secret" else f" ({content[match.start() : match.end() + 40]!r})"
                    yield f"{name} names {what}{seen}"
                    break


def _texts(file: Path) -> Iterator[bytes]:
    """What can be read in a file: as it is, as a table's cells, as a program's parts."""
    if file.suffix == ".parquet":
        import pandas as pd

        yield "\n".join(map(str, pd.read_parquet(file).to_numpy().ravel())).encode()
    elif file.suffix == ".pt2":
        with zipfile.ZipFile(file) as parts:
            yield from (parts.read(each) for each in parts.namelist() if not each.endswith((".pt", "/")) and
                        "weights" not in each)  # fmt: skip
    elif file.suffix == ".safetensors":
        content = file.read_bytes()
        yield content[8 : 8 + int.from_bytes(content[:8], "little")]
    elif file.parent.name == "examples" and file.suffix != ".json":
        return  # a sample is published as it is, or not at all (deployment.examples)
    else:
        yield file.read_bytes()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
