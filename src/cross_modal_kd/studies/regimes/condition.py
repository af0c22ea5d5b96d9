"""One condition of a study: what its arms are trained on (imports torch: reached from nodes only)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cross_modal_kd.config import ArmsConfig, StudentConfig, TrainingConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.training import ArmData


@dataclass(frozen=True)
class Condition:
    """name, value: of the condition, in words and on the study's axis.

    varied: what makes it another training than the unchanged task's; empty, the training is shared between studies.
    labels: (N,) of ``data``'s training samples where some are held back; labelled_share: of each batch. alone: what
    arms without constraints are trained on, where that is something else. bound_through: projections in training, where
    they are not those of measuring. weight: of the arms' constraints, times their own. arms: those that are trained,
    with their values under this condition; None: the study's, as configured. baseline: in place of that of all studies.
    seeds: how many, the first of the study's; None: all. facts: columns of the table.
    """

    name: str
    value: float
    varied: Mapping[str, Any]
    data: ArmData
    student: StudentConfig
    training: TrainingConfig
    projections: Mapping[str, ModelBundle]
    teacher: EmbeddingTable
    labels: np.ndarray | None = None
    labelled_share: float | None = None
    alone: "Condition | None" = None
    bound_through: Mapping[str, ModelBundle] | None = None
    weight: float = 1.0
    arms: ArmsConfig | None = None
    baseline: str | None = None
    seeds: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, name: str, value: float, **changes: Any) -> "Condition":
        """The task without any change but those that are given.

        Args:
            world: gives the fields that are not changed.
            name: in words; it labels rows and ticks.
            value: on the study's axis.
            **changes: further fields of a condition, by their names.

        Returns:
            The condition.
        """
        unchanged: dict[str, Any] = {
            "varied": {},
            "data": world.data,
            "student": world.configuration.student,
            "training": world.configuration.training,
            "projections": world.projections,
            "teacher": world.teacher_embeddings,
        }
        return cls(name, value, **(unchanged | changes))
