"""An arm: which constraints bind the student to the teacher, how softly, and whether quality weighs the samples."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cross_modal_kd.config.quality import WeightConfig
from cross_modal_kd.config.strict import Strict, without_null

ConstraintKind = Literal[
    "cosine",
    "l2",
    "relational",
    "contrastive",
    "contrastive_bank",
    "classifier_kl",
    "classifier_ce",
    "hinton_kd",
    "rkd",
]
Answer = Literal["own", "teacher", "both"]


class ConstraintConfig(Strict):
    """One term of the objective.

    kind: a key of ``cross_modal_kd.losses.CONSTRAINTS``.
    weight: its lambda. margin: 0 is the hard form; above 0 the soft form max(0, value - margin).
    temperature: tau, of the terms that compare distributions.
    reducer: ``mean`` over all samples, or ``active_mean`` over those outside the margin.
    warmup: share of the training over which the weight grows from 0.
    """

    kind: ConstraintKind
    weight: float = Field(1.0, ge=0)
    margin: float = Field(0.0, ge=0)
    temperature: float = Field(1.0, gt=0)
    reducer: Literal["mean", "active_mean"] = "mean"
    warmup: float = Field(0.0, ge=0, le=1)


class ArmConfig(Strict):
    """One arm of the comparison.

    constraints: by a name of your choice; one that is null is left out.
    projection: ``mlp`` (the trainable head) or ``pca`` (no head).
    quality: weights from quality; null leaves every weight at 1.
    joint: go on training the head and its prototypes under their own classification loss.
    answer: of a classification task, by which classifier the student answers: its ``own`` head, the ``teacher``'s
    prototypes that it was bound to, or ``both`` (the mean of their log-probabilities).
    """

    title: str = ""
    constraints: Annotated[dict[str, ConstraintConfig], BeforeValidator(without_null)] = Field(default_factory=dict)
    projection: Literal["mlp", "pca"] = "mlp"
    quality: WeightConfig | None = None
    joint: bool = False
    joint_lr_scale: float = Field(0.1, gt=0)
    answer: Answer = "own"

    @model_validator(mode="after")
    def _can_answer(self) -> "ArmConfig":
        if self.answer != "own" and not self.constraints:
            raise ValueError(
                f"answer {self.answer!r} is by the teacher's classifier: an arm without constraints has none"
            )
        return self

    @field_validator("constraints")
    @classmethod
    def _some_weight(cls, value: dict[str, ConstraintConfig]) -> dict[str, ConstraintConfig]:
        for name, constraint in value.items():
            if constraint.weight == 0:
                raise ValueError(f"constraints.{name}.weight is 0: remove the constraint instead")
        return value


class DistillationConfig(Strict):
    """Which two arms ``distill`` trains: the student alone, and the one to set against it."""

    baseline: str = "none"
    arm: str = "soft_both_quality"
