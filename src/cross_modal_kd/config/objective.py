"""An arm: which constraints bind the student to the teacher, how softly, and whether quality weighs the samples."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from cross_modal_kd.config.labelled import KnownLabels
from cross_modal_kd.config.quality import WeightConfig
from cross_modal_kd.config.strict import Grown, Reference, Strict, without_null
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.losses.kinds import CONSTRAINTS, REDUCERS, check_constraint, one_of

Answer = Literal["own", "teacher", "both"]


class ConstraintConfig(Strict):
    """One term of the objective.

    kind: a key of ``cross_modal_kd.losses.CONSTRAINTS``.
    weight: its lambda. margin: 0 is the hard form; above 0 the soft form max(0, value - margin).
    temperature: tau, of the kinds that compare distributions; the others take 1 alone, which is none.
    reducer: ``mean`` over all samples, or ``active_mean`` over those outside the margin.
    warmup: share of the training over which the weight grows from 0.
    options: what the kind has beside these, checked here: ``distance`` of feature, ``symmetric`` of contrastive,
    ``target`` and ``unlabelled`` of classifier, ``distance_weight`` and ``angle_weight`` of rkd. One that is null is
    left out and stays at the kind's default.

    A dump has ``options`` only where there are some: without any the keys of trainings stay what they were.
    """

    kind: Annotated[str, AfterValidator(lambda name: one_of(CONSTRAINTS, name, "kind"))]
    weight: float = Field(1.0, ge=0)
    margin: float = Field(0.0, ge=0)
    temperature: float = Field(1.0, gt=0)
    reducer: Annotated[str, AfterValidator(lambda name: one_of(REDUCERS, name, "reducer"))] = "mean"
    warmup: float = Field(0.0, ge=0, le=1)
    options: Annotated[dict[str, Any], BeforeValidator(without_null)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _takes_its_options(self) -> "ConstraintConfig":
        check_constraint(self.kind, self.temperature, self.options)
        return self

    @model_serializer(mode="wrap")
    def _without_empty_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if name != "options" or value}


class SelfSupervisedConfig(Strict):
    """What a student learns from its own samples, without a label and without a teacher (SimCLR).

    Attributes:
        weight: of the term, beside the task's loss.
        temperature: tau of its softmax over cosines, without unit.
    """

    weight: float = Field(1.0, gt=0)
    temperature: float = Field(0.1, gt=0)


class ArmConfig(Grown):
    """One arm of the comparison.

    Attributes:
        title: in plots and reports.
        constraints: by a name of your choice; one that is null is left out. Without any the student learns alone.
        projection: ``mlp`` (trainable) or ``pca`` (fixed).
        quality: weights from quality; null leaves every weight at 1.
        joint: go on training the projection and its prototypes under their own classification loss.
        joint_lr_scale: learning rate of that training, over the student's.
        answer: of a classification task, by which classifier the student answers: its ``own``, the ``teacher``'s
            prototypes that it was bound to, or ``both`` (the mean of their log-probabilities).
        self_supervised: two views of each sample are drawn together (``losses.TwoViews``); null: none.
        labelled_in_batch: share of each batch that is labelled, at least, in place of the study's own, where labels are
            held back; null: the study's.
        lr: in place of ``training.lr``; null: that.
        weight_decay: in place of ``training.weight_decay``; null: that.
    """

    later: ClassVar[tuple[str, ...]] = ("self_supervised", "labelled_in_batch", "lr", "weight_decay")

    title: str = ""
    constraints: Annotated[dict[str, ConstraintConfig], BeforeValidator(without_null)] = Field(default_factory=dict)
    projection: Literal["mlp", "pca"] = "mlp"
    quality: WeightConfig | None = None
    joint: bool = False
    joint_lr_scale: float = Field(0.1, gt=0)
    answer: Answer = "own"
    self_supervised: SelfSupervisedConfig | None = None
    labelled_in_batch: float | None = Field(None, gt=0, lt=1)
    lr: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)

    @property
    def learns_from_unlabelled(self) -> bool:
        """Whether samples without a label teach the student anything."""
        return bool(self.constraints) or self.self_supervised is not None

    def asks_for_labels(self, named: bool = False) -> str:
        """Why the arm cannot be trained where no training sample has a label; empty where it can.

        The trainable projection is fitted on labels, and prototypes stand for classes.

        Args:
            named: whether the task is a classification whose prototypes are the words of its classes, so that they ask
                for no label, and whose student has to name one.

        Returns:
            The first reason there is.
        """
        if not self.learns_from_unlabelled:
            return "it learns from labels alone"
        if ignored := [name for name, term in self.constraints.items() if term.options.get("unlabelled") == "ignore"]:
            return f"constraints.{ignored[0]} passes over samples without a label (options.unlabelled: ignore)"
        kinds = {term.kind: CONSTRAINTS[term.kind] for term in self.constraints.values()}
        if not named and (asking := [name for name, kind in kinds.items() if kind.classes]):
            return f"{', '.join(asking)} asks the classifier of classes"
        if named and self.answer != "teacher" and not any(kind.own for kind in kinds.values()):
            return f"its answer is {self.answer!r}, and nothing but labels teaches its own classifier"
        if self.constraints and self.projection == "mlp":
            return "its projection is trained on labels (pca is not)"
        if self.constraints and self.joint:
            return "joint goes on training its projection on labels"
        return ""

    def trained_by(self, training: TrainingConfig) -> TrainingConfig:
        """The training under this arm.

        Args:
            training: of all arms.

        Returns:
            A copy with the arm's own ``lr`` and ``weight_decay``, where it has them.
        """
        own = {"lr": self.lr, "weight_decay": self.weight_decay}
        return training.model_copy(update={name: value for name, value in own.items() if value is not None})

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


class DistillationConfig(Grown):
    """Which two arms ``distill`` trains, and by which labels.

    Attributes:
        baseline: in the block ``arms``, the student alone.
        arm: in that block, the one to set against it.
        labelled: which labels are known, and how often a batch has one.
    """

    later: ClassVar[tuple[str, ...]] = ("labelled",)

    baseline: str = "none"
    arm: str = "soft_both_quality"
    labelled: KnownLabels = KnownLabels()

    def references(self) -> Iterator[Reference]:
        """Both arms."""
        yield Reference("distillation.baseline", self.baseline, "arm")
        yield Reference("distillation.arm", self.arm, "arm")

    def in_a_line(self) -> str:
        """The arm against the baseline, and the share of the labels where some are held back."""
        held = f", with {100 * self.labelled.share:g} % of the labels" if self.labelled.share < 1 else ""
        return f"{self.arm} against {self.baseline}{held}"

    @model_validator(mode="after")
    def _two_arms(self) -> "DistillationConfig":
        if self.baseline == self.arm:
            raise ValueError(f"distillation.baseline and distillation.arm are both {self.arm!r}: nothing is compared")
        return self
