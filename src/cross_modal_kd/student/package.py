"""A packaged student: all that it needs to work alone, in one folder. Nothing is pickled, nothing of it is executed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

import cross_modal_kd.modalities  # noqa: F401 (registers the modalities that a record may name)
from cross_modal_kd.config import first_errors
from cross_modal_kd.models import ModelBundle, load_bundle, save_bundle, weights_of
from cross_modal_kd.samples import SamplesError
from cross_modal_kd.storage import NotReadableError, how_many, read_json, replaced, verify, with_article
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.quality import QualityReference, load_quality, save_quality
from cross_modal_kd.student.record import FORMAT, StudentRecord, Threshold
from cross_modal_kd.student.space import Space, load_space, save_space
from cross_modal_kd.student.teacher_side import TeacherSide

RECORD, MODEL, PROJECTION, TEACHER, EXAMPLES = "student.json", "model", "projection", "teacher", "examples"
FACTS, CARD = "provenance", "README.md"
HEADER = ("| threshold | score | FAR | FRR | FAR on test | FRR on test |", "|---|---|---|---|---|---|")
FRONT = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
TEACHER_SPACE, TRAINING_SPACE = "teacher_space", "training_space"
AGAIN = (
    "`kedro run --pipeline=deployment`, with the --env of its task, packages a student that is trained; one that came "
    "from elsewhere is fetched again"
)


@dataclass(frozen=True)
class PackagedStudent:
    """The content of the folder.

    Attributes:
        record: what is no tensor and no table.
        model: the student, a bundle of ``student_bundle``.
        teacher: its projection, the projected training items, and the encoder that reads its modality.
        training: the student's own embeddings of training samples, for nearest neighbours.
        quality: the training ranks of the quality measures.
        examples: by file name, the content of sample files.
        facts: command, commit, versions and MLflow run that packaged it; no part of what it answers.
        card: the model card, Markdown under YAML; empty where none was written. It may be edited.
        folder: where it was read from; None of one that was just made.
    """

    record: StudentRecord
    model: ModelBundle
    teacher: TeacherSide
    training: Space
    quality: QualityReference
    examples: dict[str, bytes]
    facts: dict[str, str] = field(default_factory=dict, compare=False)
    card: str = field(default="", compare=False)
    folder: Path | None = None

    def describe(self) -> str:
        """What it is, in Markdown: what MLflow's page of a version shows; the card, where there is one."""
        if self.card:
            return FRONT.sub("", self.card)
        record = self.record
        task, operating = record.task, record.operating
        dev = operating.dev
        value = "not defined" if dev.value is None else f"{100 * dev.value:.1f} %"
        lines = [
            f"**{task.title or task.name}** ({record.role}, arm {record.provenance.get('arm', '-')}): "
            f"{with_article(task.student)} student, taught by {task.teacher}"
            f"{', chimeric pairs' if task.chimeric else ''}.",
            f"{dev.name}: {value}; {how_many(len(record.classes), 'class', 'classes')}.",
            *([task.note] if task.note else []),
        ]
        if operating.thresholds:
            rest = f"{operating.targets} target and {operating.impostors} impostor trials, {operating.labels} labels"
            rows = [_row(threshold) for threshold in operating.thresholds]
            lines += [f"Thresholds, found on dev ({rest}):", "\n".join([*HEADER, *rows])]
        return "\n\n".join(lines)


def _row(threshold: Threshold) -> str:
    if threshold.value is None:
        return f"| {threshold.name} | none: {threshold.reason} | | | | |"
    rates = (threshold.far, threshold.frr, threshold.test_far, threshold.test_frr)
    shown = " | ".join("-" if rate is None else f"{100 * rate:.2f} %" for rate in rates)
    return f"| {threshold.name} | {threshold.value:.4f} | {shown} |"


def save_package(folder: Path, student: PackagedStudent) -> None:
    """Write a packaged student in the place of what ``folder`` holds; a failure leaves that as it is.

    Args:
        folder: of this student alone; made where it is missing.
        student: to be written.

    Raises:
        TypeError: it is no PackagedStudent.
    """
    if not isinstance(student, PackagedStudent):
        raise TypeError(f"{folder} takes a PackagedStudent, found {type(student).__name__}")
    with replaced(Path(folder)) as new:
        text = json.dumps(student.record.model_dump(mode="json"), indent=2, allow_nan=False)
        (new / RECORD).write_text(text + "\n", encoding="utf-8")
        bundles = {MODEL: student.model, PROJECTION: student.teacher.projection, TEACHER: student.teacher.model}
        for name, bundle in bundles.items():
            save_bundle(new / name, bundle)
        save_space(new, TEACHER_SPACE, student.teacher.space)
        save_space(new, TRAINING_SPACE, student.training)
        save_quality(new, student.quality)
        (new / FACTS).mkdir()  # not among the checksums: equal students have equal ones
        facts = json.dumps(student.facts, indent=2)
        (new / FACTS / "provenance.json").write_text(facts + "\n", encoding="utf-8")
        if student.examples:
            with replaced(new / EXAMPLES) as examples:
                for name, content in student.examples.items():
                    (examples / name).write_bytes(content)
    if student.card:  # not among the checksums either: it is there to be read, and edited
        (Path(folder) / CARD).write_text(student.card, encoding="utf-8")


def load_package(folder: Path) -> PackagedStudent:
    """What ``save_package`` wrote.

    Args:
        folder: of the packaged student.

    Returns:
        The student, its tensors on the CPU.

    Raises:
        FileNotFoundError: the folder or a file of it is missing.
        StudentError: a file is damaged, or they do not belong together; the message names it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder with a packaged student. {AGAIN}")
    with _naming(folder):
        record = _record(folder)
        model = load_bundle(folder / MODEL, ["student"])
        projection = load_bundle(folder / PROJECTION, ["projection"])
        teacher = load_bundle(folder / TEACHER, ["student", "pretrained"])
        verify(folder)
        bound, dim = int(projection.config["projection"]["dim"]), int(model.config["dim"])
        side = TeacherSide(
            *(record.task.teacher, teacher, projection),
            *(load_space(folder, TEACHER_SPACE, bound), record.teacher_weights),
        )
        training = load_space(folder, TRAINING_SPACE, dim)
        quality = load_quality(folder, record.quality)
        if record.weights != weights_of(model) or record.classes != model.config["classes"] or bound > dim:
            raise StudentError(f"{folder / RECORD} describes another model than {folder / MODEL}")
    examples, facts = _examples(folder / EXAMPLES), _facts(folder / FACTS)
    return PackagedStudent(record, model, side, training, quality, examples, facts, _card(folder), folder)


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Within it, whatever is wrong with the files is a StudentError; what is missing stays a FileNotFoundError.

    Both say what makes the folder again.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}. {AGAIN}") from error
    except NotReadableError:
        raise
    except (SamplesError, ValueError, OSError) as error:
        said = str(error) if str(folder) in str(error) else f"{folder}: {error}"
        raise StudentError(f"{said}. {AGAIN}") from error


def _record(folder: Path) -> StudentRecord:
    content = read_json(folder, RECORD, {"format", "task"})
    if content["format"] != FORMAT:
        raise StudentError(
            f"{folder / RECORD}: a packaged student of format {content['format']!r}, this version reads {FORMAT}; "
            "package it again, or install the version that wrote it"
        )
    try:
        return StudentRecord.model_validate(content)
    except ValidationError as error:
        raise StudentError(f"{folder / RECORD}: {first_errors(error)}") from error


def _facts(folder: Path) -> dict[str, str]:
    """None of a folder whose facts were taken out."""
    if not (folder / "provenance.json").is_file():
        return {}
    with _naming(folder):
        return {name: str(value) for name, value in read_json(folder, "provenance.json", set()).items()}


def _card(folder: Path) -> str:
    file = folder / CARD
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _examples(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    with _naming(folder):
        verify(folder)
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != "checksums.json"}
