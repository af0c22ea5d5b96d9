"""From what the pipelines have made to a packaged student."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import DeploymentConfig, SourcesConfig, TaskConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle, library_of, project, saved_encoder, weights_of
from cross_modal_kd.samples import EmbeddingTable, Roots, as_records, item_keys, split_rows
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.operating import Operating
from cross_modal_kd.student.package import PackagedStudent
from cross_modal_kd.student.quality import QualityReference
from cross_modal_kd.student.record import StudentRecord
from cross_modal_kd.student.space import Space
from cross_modal_kd.student.teacher_side import TeacherSide
from cross_modal_kd.tracking import current_run, fingerprint, git_facts, this_run, version_facts
from cross_modal_kd.training import require_embeddings_of


@dataclass(frozen=True)
class Equipment:
    """What the students of a run share.

    Attributes:
        task: what they were trained for.
        teacher: what they take along of it.
        quality: the training ranks.
        examples: by file name, the content of dev samples' files.
        samples: fingerprint of the samples table.
    """

    task: TaskConfig
    teacher: TeacherSide
    quality: QualityReference
    examples: dict[str, bytes]
    samples: str


def make_teacher_side(
    samples: pd.DataFrame,
    task: TaskConfig,
    teacher_model: ModelBundle,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    deployment: DeploymentConfig,
) -> TeacherSide:
    """What a student takes along of its teacher.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality, and what pairs samples.
        teacher_model: its encoder.
        teacher_embeddings: raw, of every training sample of that modality.
        projection: into the student's space.
        deployment: how many items are stored, and the seed.

    Returns:
        The teacher, its projection, and its projected training items.
    """
    rows = split_rows(samples, task.teacher, "train")
    values = project(projection, teacher_embeddings.at(rows["sample_id"]))
    space = Space.of(rows, item_keys(rows, task), values, deployment.teacher_items, deployment.seed)
    encoder = saved_encoder(teacher_model)
    weights = library_of(encoder.library).weights
    return TeacherSide(task.teacher, teacher_model, projection, space, "" if weights is None else weights(encoder))


def training_space(
    samples: pd.DataFrame,
    task: TaskConfig,
    student: ModelBundle,
    embeddings: EmbeddingTable,
    deployment: DeploymentConfig,
) -> Space:
    """The student's embeddings of training samples.

    Args:
        samples: the table, with its splits.
        task: names the student's modality, and what pairs samples.
        student: whose space it is.
        embeddings: the student's, of some of its training samples at least.
        deployment: how many are stored, and the seed.

    Returns:
        Those that were embedded; there may be none.

    Raises:
        SamplesError: the embeddings are not the student's.
    """
    require_embeddings_of(samples, student, embeddings)
    rows = split_rows(samples, task.student, "train")
    rows = rows[rows["sample_id"].isin(embeddings.sample_ids)]
    values = embeddings.at(rows["sample_id"])
    return Space.of(rows, item_keys(rows, task), values, deployment.training_items, deployment.seed)


def example_files(
    samples: pd.DataFrame, task: TaskConfig, sources: SourcesConfig, deployment: DeploymentConfig
) -> dict[str, bytes]:
    """Files of dev samples of the student, by which the package can be tried.

    Args:
        samples: the table, with its splits.
        task: names the student's modality.
        sources: where the files lie.
        deployment: how many, and the seed.

    Returns:
        Their content by a file name of their own.
    """
    rows = split_rows(samples, task.student, "dev")
    count = min(deployment.examples, len(rows))
    places = np.sort(np.random.default_rng(deployment.seed).choice(len(rows), count, replace=False))
    roots, found = Roots(sources), {}
    words = modality_of(task.student).words
    for number, row in enumerate(as_records(rows.iloc[places])):
        if words:
            found[f"{number}.txt"] = row["text"].encode()
            continue
        ending = PurePosixPath(row["path"]).suffix.lower() if "#" not in row["path"] else ""
        found[f"{number}{ending}"] = roots.bytes(row["source"], row["path"])
    return found


def equip(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    teacher: TeacherSide,
    quality: QualityReference,
    deployment: DeploymentConfig,
) -> Equipment:
    """What every student of a run takes along.

    Args:
        samples: the table, with its splits.
        task: names the student's modality.
        sources: where the files lie.
        teacher: of ``make_teacher_side``.
        quality: of ``fit_quality``.
        deployment: how many example files, and the seed.

    Returns:
        Teacher, quality, example files, and which samples it all is of.
    """
    examples = example_files(samples, task, sources, deployment)
    return Equipment(task, teacher, quality, examples, fingerprint(samples))


def require_operating_of(student: ModelBundle, found_with: str, role: str) -> str:
    """Make sure that thresholds and calibrations are a student's own.

    Args:
        student: a bundle of ``student_bundle``.
        found_with: ``weights`` of the student that they were found with, ``Operating.student``.
        role: of the student, for the error.

    Returns:
        ``weights`` of the student.

    Raises:
        StudentError: they were found with another one.
    """
    weights = weights_of(student)
    if found_with != weights:
        raise StudentError(
            f"the thresholds of {role} were found with another student than the one that is there now, which was "
            "trained since: `kedro run --pipelines=evaluation` finds them again"
        )
    return weights


def make_package(
    student: ModelBundle, operating: Operating, equipment: Equipment, training: Space, about: Mapping[str, Any]
) -> PackagedStudent:
    """A student with all that it needs.

    Args:
        student: the network with its classifier.
        operating: of ``find_operating``.
        equipment: of ``equip``.
        training: of ``training_space``.
        about: plain values that say where it comes from; its ``role`` among them.

    Returns:
        What ``save_package`` writes.

    Raises:
        StudentError: thresholds and calibrations were found with another student.
    """
    weights = require_operating_of(student, operating.student, str(about["role"]))
    run = current_run()
    facts = {
        "command": this_run().command,
        **git_facts(this_run().project),
        **version_facts(),
        **({} if run is None else {"mlflow.run": run.run_id}),
    }
    record = StudentRecord(
        task=equipment.task,
        role=str(about["role"]),
        classes=list(student.config["classes"]),
        operating=operating,
        quality=equipment.quality.record,
        teacher_weights=equipment.teacher.weights,
        weights=weights,
        provenance={**about, "samples": equipment.samples},
    )
    return PackagedStudent(record, student, equipment.teacher, training, equipment.quality, equipment.examples, facts)
