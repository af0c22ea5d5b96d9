"""The students of one fold, with everything that leads to them (imports torch: reached from nodes only)."""

import logging
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from cross_modal_kd.config import (
    ArmConfig,
    InputConfig,
    KnownLabels,
    ProjectionConfig,
    QualityConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TeacherConfig,
    TrainingConfig,
    WeightConfig,
)
from cross_modal_kd.models import ModelBundle, load_bundle, own_projection, save_bundle
from cross_modal_kd.quality import Scoring, average_views, sample_weights, score_samples
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.storage import NotReadableError
from cross_modal_kd.training.keys import key_columns, run_key
from cross_modal_kd.training.labelled import hold_labels_back
from cross_modal_kd.training.named import class_words
from cross_modal_kd.training.projection import fit_projection
from cross_modal_kd.training.student import read_arm_data, train_arm_once
from cross_modal_kd.training.teacher import embed_teacher, pretrained_teacher, train_teacher

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Method:
    """All that decides what is learnt from a samples table: the blocks of parameters by their names.

    labelled: by which labels.
    """

    task: TaskConfig
    sources: SourcesConfig
    inputs: InputConfig
    quality: QualityConfig
    teacher: TeacherConfig
    projection: ProjectionConfig
    student: StudentConfig
    training: TrainingConfig
    labelled: KnownLabels = KnownLabels()


@dataclass(frozen=True)
class PreparedFold:
    """What the students of one fold are trained from.

    samples: the table, with the fold's splits. scores: their qualities, ranked on the fold's training split.
    teacher_model: frozen. teacher_embeddings: raw, of every sample of the teacher's modality. projections: of the
    teacher, by kind.
    """

    samples: pd.DataFrame
    scores: pd.DataFrame
    teacher_model: ModelBundle
    teacher_embeddings: EmbeddingTable
    projections: Mapping[str, ModelBundle]


@dataclass(frozen=True)
class TrainedFold:
    """What was learnt in one fold.

    samples: the table, with the fold's splits. teacher_embeddings: raw, of every sample of the teacher's modality.
    projection: the distilled arm's, by which its students are matched with the teacher. students: by role.
    """

    samples: pd.DataFrame
    teacher_embeddings: EmbeddingTable
    projection: ModelBundle
    students: Mapping[str, ModelBundle]


def train_folds(
    tables: Sequence[pd.DataFrame],
    quality_measures: pd.DataFrame,
    method: Method,
    arms: Mapping[str, tuple[str, ArmConfig]],
    store: Path,
    embedding_cache: Path,
) -> list[TrainedFold]:
    """The students of every fold but the first; what an earlier run has left of the same training is taken.

    In each fold qualities are ranked, a teacher is trained (where it is), its projections are fitted and the students
    are trained, all on the fold's own training split. Raw measures of quality are those of the whole set; what they are
    fitted on (the vocabulary of texts) is the training split of the first fold.

    Args:
        tables: the samples of each fold, with its splits.
        quality_measures: sample_id, modality and one column a measure, of all samples.
        method: what is learnt, and how.
        arms: name and configuration of each role's arm, ``student_alone`` and ``distilled``.
        store: folder of these trainings; those that this call does not need are removed from it.
        embedding_cache: of the task: what a pretrained teacher says of the samples is the same in every fold.

    Returns:
        A trained fold for each table, in their order.
    """
    found, needed = [], set()
    for number, samples in enumerate(tables, start=2):
        terms = {role: arm.model_dump(exclude={"title"}) for role, (_, arm) in arms.items()}
        blocks = {name: getattr(method, name) for name in ("quality", "teacher", "projection", "student", "training")}
        decides = {
            "task": method.task,
            "inputs": method.inputs.model_dump(exclude={"cache_mb"}),
            "arms": terms,
            **blocks,
            **({} if method.labelled == KnownLabels() else {"labelled": method.labelled}),
        }
        key = run_key("student", samples=key_columns(samples, ["sample_id", "split"]), **decides)
        logger.info("fold %d of %d, each with students of its own", number, len(tables) + 1)
        folder = store / f"fold-{number}-{key}"
        folder.mkdir(parents=True, exist_ok=True)
        needed.add(folder)
        kinds = {arm.projection for _, arm in arms.values()}
        prepared = prepare_fold(samples, quality_measures, method, kinds, folder, embedding_cache)
        found.append(_train_fold(number, prepared, method, arms, folder))
    for left in set(store.iterdir()) - needed:
        shutil.rmtree(left, ignore_errors=True)
    return found


def prepare_fold(
    samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    method: Method,
    kinds: Collection[str],
    folder: Path,
    embedding_cache: Path,
) -> PreparedFold:
    """Qualities are ranked, a teacher is trained (where it is), and its projections are fitted, in one fold.

    Args:
        samples: the table, with the fold's splits.
        quality_measures: sample_id, modality and one column a measure, of all these samples at least.
        method: what is learnt, and how.
        kinds: of the projections, some of ``mlp`` and ``pca``.
        folder: of the fold and of this method, in which teacher and projections are kept: met again, they are taken.
        embedding_cache: of the task: what a pretrained teacher says of the samples is the same in every fold.

    Returns:
        What students are trained from.
    """
    task, sources, inputs, teacher = method.task, method.sources, method.inputs, method.teacher
    measures = quality_measures[quality_measures["sample_id"].isin(samples["sample_id"])].reset_index(drop=True)
    scores = score_samples(samples, measures, Scoring.of(method.quality))
    if teacher.pretrained:
        teacher_model, cache = pretrained_teacher(teacher, inputs), embedding_cache
    else:
        teacher_model = train_teacher(samples, task, sources, inputs, teacher, folder)
        cache = folder / "embedding_cache"
    embeddings = embed_teacher(
        samples, task, sources, inputs, teacher_model, cache, method.training.compute.accelerator
    )
    if teacher.views == "averaged":
        embeddings = average_views(embeddings, samples, scores)
    fitted = partial(_projection, samples, embeddings, teacher_model, method, folder)
    projections = {kind: fitted(kind) for kind in sorted(kinds)}
    return PreparedFold(samples, scores, teacher_model, embeddings, projections)


def _projection(
    samples: pd.DataFrame,
    embeddings: EmbeddingTable,
    teacher_model: ModelBundle,
    method: Method,
    folder: Path,
    kind: str,
) -> ModelBundle:
    """Fitted once a fold, so that a run that goes on later, or elsewhere, meets the same."""
    config = method.projection.model_copy(update={"kind": kind})
    told = hold_labels_back(samples, method.task, method.labelled)
    words = class_words(samples, told, method.task, teacher_model, method.projection.words)
    decides = {
        "task": method.task.model_dump(include={"kind", "teacher", "student", "pairing"}),
        "samples": key_columns(told, ["sample_id", "split", "label"]),
        "embeddings": embeddings,
        **({} if words is None else {"words": words}),
    }
    kept = folder / f"{kind}-{run_key('projection', **decides, configuration=config)}"
    if kept.is_dir():
        try:
            return load_bundle(kept, ["projection"])
        except NotReadableError:
            raise
        except (ValueError, OSError) as error:
            logger.warning("%s is fitted again: what was kept of it is damaged (%s)", kept.name, error)
    save_bundle(kept, fit_projection(told, method.task, embeddings, config, words)[0])
    return load_bundle(kept, ["projection"])


def _train_fold(
    number: int, fold: PreparedFold, method: Method, arms: Mapping[str, tuple[str, ArmConfig]], folder: Path
) -> TrainedFold:
    """``folder``: of the fold's trainings."""
    distilled = arms["distilled"][1]
    weights = sample_weights(fold.samples, fold.scores, method.task, distilled.quality or WeightConfig())
    data = read_arm_data(
        fold.samples,
        *(method.task, method.sources, method.inputs, fold.teacher_embeddings, weights, method.labelled),
    )
    students = {
        role: train_arm_once(
            data, method.student, method.training, (name, arm), fold.projections[arm.projection],
            role=f"{role}_fold_{number}", checkpoints=folder,
        )[0]
        for role, (name, arm) in arms.items()
    }  # fmt: skip
    projection = own_projection(students["distilled"]) or fold.projections[distilled.projection]
    return TrainedFold(fold.samples, fold.teacher_embeddings, projection, students)
