"""What every study starts from: the task's data and configuration, gathered once."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from cross_modal_kd.compute import Engine, engine_of
from cross_modal_kd.config import (
    ArmsConfig,
    ComputeConfig,
    EvaluationConfig,
    InputConfig,
    KnownLabels,
    ProjectionConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable, split_rows

if TYPE_CHECKING:
    from cross_modal_kd.training import ArmData


@dataclass(frozen=True)
class Configuration:
    """The parameter blocks of the method that studies read.

    Attributes:
        task: its kind, its two modalities and their pairing.
        sources: where raw files lie.
        inputs: the transform of each modality.
        projection: shape of the teacher's projection, and how it is fitted.
        student: the student's network.
        training: length, steps and seed of a student's training.
        arms: every arm by name.
        evaluation: resamples, trials, galleries and samples that students are measured on.
    """

    task: TaskConfig
    sources: SourcesConfig
    inputs: InputConfig
    projection: ProjectionConfig
    student: StudentConfig
    training: TrainingConfig
    arms: ArmsConfig
    evaluation: EvaluationConfig


@dataclass(frozen=True)
class Context:
    """The data of the catalog and the configuration of the method; what is costly is made once, when first asked for.

    Attributes:
        configuration: the method's parameter blocks.
        samples: the samples table.
        teacher_embeddings: of every sample of the teacher's modality.
        projection_mlp: the trainable projection.
        projection_pca: the fixed projection.
        sample_weights: by sample_id, with the quality of both sides of each training pair.
        teacher_model: the frozen teacher.
        compute: who trains.
    """

    configuration: Configuration
    samples: pd.DataFrame
    teacher_embeddings: EmbeddingTable
    projection_mlp: ModelBundle
    projection_pca: ModelBundle
    sample_weights: pd.DataFrame
    teacher_model: ModelBundle
    compute: ComputeConfig = field(default=ComputeConfig(), kw_only=True)

    @property
    def task(self) -> TaskConfig:
        """The block ``task``."""
        return self.configuration.task

    @property
    def engine(self) -> Engine:
        """Who trains: this process, or the tasks of a cluster."""
        return engine_of(self.compute)

    @property
    def arms(self) -> ArmsConfig:
        """The block ``arms``."""
        return self.configuration.arms

    @property
    def projections(self) -> dict[str, ModelBundle]:
        """The teacher's projections by the kind that an arm names: ``mlp`` and ``pca``."""
        return {"mlp": self.projection_mlp, "pca": self.projection_pca}

    @cached_property
    def projection_without_labels(self) -> ModelBundle:
        """The fixed projection where no label is known: that of a classification has the words of its classes.

        Raises:
            ConfigError: as ``class_words`` has it.
        """
        from cross_modal_kd.training import class_words, hold_labels_back, named_by

        told = hold_labels_back(self.samples, self.task, KnownLabels(share=0))
        words = class_words(self.samples, told, self.task, self.teacher_model)
        return self.projection_pca if words is None else named_by(self.projection_pca, words)

    def words_beside(self, told: pd.DataFrame) -> EmbeddingTable | None:
        """The words of the classes, where ``projection.words`` asks for them beside the labels of a training.

        Args:
            told: the samples table as the training is told it.

        Returns:
            What ``class_words`` gives.
        """
        from cross_modal_kd.training import class_words

        return class_words(self.samples, told, self.task, self.teacher_model, self.configuration.projection.words)

    @cached_property
    def data(self) -> "ArmData":
        """What a student is trained on: all of the samples table."""
        return self.data_of(self.samples)

    def data_of(self, samples: pd.DataFrame) -> "ArmData":
        """Inputs, pairs and quality of a part of the samples table.

        Args:
            samples: rows of the samples table, of both modalities; the test split may be left out.

        Returns:
            What ``train_arm`` trains on.
        """
        from cross_modal_kd.training import read_arm_data

        about = self.configuration
        return read_arm_data(
            samples, about.task, about.sources, about.inputs, self.teacher_embeddings, self.sample_weights
        )

    @cached_property
    def fingerprint(self) -> str:
        """Run key of the data; what a study changes about it goes into the condition of its jobs."""
        return self.fingerprint_of(self.samples, self.projections)

    def fingerprint_of(self, samples: pd.DataFrame, projections: dict[str, ModelBundle]) -> str:
        """Run key of the data, with other samples and projections in place of the context's.

        Args:
            samples: rows of the samples table.
            projections: of the teacher, by kind.

        Returns:
            16 hexadecimal digits of SHA-256.
        """
        from cross_modal_kd.training import data_fingerprint

        inputs = self.configuration.inputs
        return data_fingerprint(samples, self.task, inputs, self.teacher_embeddings, projections, self.sample_weights)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """The verification trials that every student of every study is measured on; none for classification."""
        from cross_modal_kd.evaluation import make_trials

        return make_trials(self.samples, self.task, self.configuration.evaluation)

    def embed(self, student: ModelBundle) -> EmbeddingTable:
        """The student's embeddings of ``measured_samples``.

        Args:
            student: of the student's modality; it keeps the transform of its own inputs.

        Returns:
            (M, d) float32, not normalised, of a part of the training split, then of dev, then of test.
        """
        from cross_modal_kd.evaluation import embed_samples

        about = self.configuration
        return embed_samples(
            self.samples, about.task, about.sources, student, about.evaluation, about.training.compute.accelerator
        )

    @cached_property
    def measured_samples(self) -> list[str]:
        """The sample_ids that students are embedded at: a seeded part of the training split, all of dev and of test."""
        from cross_modal_kd.evaluation import train_subset

        seen = train_subset(
            split_rows(self.samples, self.task.student, "train"), self.task, self.configuration.evaluation
        )
        of_student = self.samples["modality"] == self.task.student
        unseen = self.samples[of_student & (self.samples["split"] != "train")]
        return [*seen["sample_id"], *unseen["sample_id"]]
