"""What all studies start from: the task as it stands."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.quality import QualityConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable

if TYPE_CHECKING:
    from cross_modal_kd.training.student import ArmData


@dataclass(frozen=True)
class World:
    """The catalog's data and the parameters that studies read. The inputs are read once, by whichever asks first."""

    samples: pd.DataFrame
    task: TaskConfig
    sources: SourcesConfig
    inputs: InputConfig
    quality: QualityConfig
    projection: ProjectionConfig
    student: StudentConfig
    training: TrainingConfig
    arms: ArmsConfig
    evaluation: EvaluationConfig
    quality_measures: pd.DataFrame
    teacher_model: ModelBundle
    teacher_embeddings: EmbeddingTable
    projection_mlp: ModelBundle
    projection_pca: ModelBundle
    sample_weights: pd.DataFrame

    @property
    def projections(self) -> dict[str, ModelBundle]:
        return {"mlp": self.projection_mlp, "pca": self.projection_pca}

    @cached_property
    def data(self) -> "ArmData":
        return self.data_of(self.samples)

    def data_of(self, samples: pd.DataFrame) -> "ArmData":
        """Inputs, pairs and quality of a part of the samples table."""
        from cross_modal_kd.training.student import read_arm_data

        return read_arm_data(
            samples, self.task, self.sources, self.inputs, self.teacher_embeddings, self.sample_weights
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the data; what a study changes about it goes into the setting of its jobs."""
        from cross_modal_kd.training.run_key import data_fingerprint

        return data_fingerprint(
            self.samples, self.task, self.inputs, self.teacher_embeddings, self.projections, self.sample_weights
        )

    @cached_property
    def trials(self) -> pd.DataFrame:
        """The verification trials of all studies; none for classification."""
        from cross_modal_kd.evaluation.protocol import make_trials

        return make_trials(self.samples, self.task, self.evaluation)
