"""The nodes that gather the context of all studies, the same in each of their pipelines, and that of their folds."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline

from cross_modal_kd.config import (
    ArmsConfig,
    ComputeConfig,
    EvaluationConfig,
    IngestionConfig,
    InputConfig,
    ProjectionConfig,
    QualityConfig,
    SourcesConfig,
    Strict,
    StudentConfig,
    TaskConfig,
    TeacherConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.pipelines import stage
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.context import Configuration, Context

BLOCKS = ("task", "sources", "inputs", "projection", "student", "training", "arms", "evaluation")
DATA = ("samples", "teacher_embeddings", "projection_mlp", "projection_pca", "sample_weights", "teacher_model")
STUDIES = ("comparison", "tuning", "regimes", "robustness")


def gather_configuration(
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    projection: ProjectionConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    evaluation: EvaluationConfig,
) -> Configuration:
    """The parameter blocks of the method, checked.

    Args:
        task: its kind, its two modalities and their pairing.
        sources: where raw files lie.
        inputs: the transform of each modality.
        projection: shape of the teacher's projection, and how it is fitted.
        student: the student's network.
        training: length, steps and seed of a student's training.
        arms: every arm by name.
        evaluation: resamples, trials, galleries and samples that students are measured on.

    Returns:
        All of them as one.
    """
    return Configuration(task, sources, inputs, projection, student, training, arms, evaluation)


def gather_context(
    configuration: Configuration,
    samples: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
    teacher_model: ModelBundle,
    compute: ComputeConfig,
) -> Context:
    """The data and the configuration that every study starts from.

    Args:
        configuration: of ``gather_configuration``.
        samples: the samples table.
        teacher_embeddings: of every sample of the teacher's modality.
        projection_mlp: the trainable projection.
        projection_pca: the fixed projection.
        sample_weights: by sample_id, with the quality of both sides of each training pair.
        teacher_model: the frozen teacher.
        compute: who trains.

    Returns:
        The context; nothing is read or computed yet.
    """
    data = (samples, teacher_embeddings, projection_mlp, projection_pca, sample_weights, teacher_model)
    return Context(configuration, *data, compute=compute)


def prepare_folds(study: str, block: type[Strict]) -> Node:
    """The node that prepares the folds of a study: study_context -> <study>_folds.

    Args:
        study: its block of parameters, and the first part of the names of its datasets.
        block: of that block; ``over_folds`` counts.

    Returns:
        A node, which gives the context alone, or a context a fold, the one of the split as it is first.
    """

    def prepare_folds(
        context: Context,
        study: Any,
        ingestion: IngestionConfig,
        quality: QualityConfig,
        teacher: TeacherConfig,
        quality_measures: pd.DataFrame,
        store: Path,
        embedding_cache: Path,
    ) -> list[Context]:
        if not study.over_folds:
            return [context]
        from cross_modal_kd.studies.folds import other_folds

        others = other_folds(context, ingestion, quality, teacher, quality_measures, store, embedding_cache)
        return [context, *others]

    prepare_folds.__annotations__["study"] = block
    blocks = {name: f"params:{name}" for name in ("ingestion", "quality", "teacher")}
    data = {name: name for name in ("quality_measures", "embedding_cache")} | {"store": f"{study}_store"}
    given = {"context": "study_context", "study": f"params:{study}"} | blocks | data
    return Node(prepare_folds, given, f"{study}_folds", name="prepare_folds")


def create_pipeline(*tags: str) -> Pipeline:
    """params, data -> study_context. Needs what ``projection`` and ``quality`` leave in the catalog.

    Args:
        *tags: further tags that must reach these nodes, of parts of a study that are run alone.

    Returns:
        Two nodes, with the tags of all studies and these.
    """
    blocks = {name: f"params:{name}" for name in BLOCKS}
    data = {"configuration": "study_configuration"} | {name: name for name in DATA} | {"compute": "params:compute"}
    gathered = stage(
        "gathering",
        [
            Node(gather_configuration, blocks, "study_configuration", name="gather_configuration"),
            Node(gather_context, data, "study_context", name="gather_context"),
        ],
    )
    return Pipeline(gathered, tags=[*STUDIES, *tags])
