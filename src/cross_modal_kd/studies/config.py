"""The block that comparison and robustness both read."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from cross_modal_kd.config import EachOnce, Reference, Strict, without_null


def one_fold_alone(study: str) -> str:
    """What is wrong where a study is to go over folds, and there is one.

    Args:
        study: name of its block.

    Returns:
        A sentence that says what to set.
    """
    return (
        f"{study}.over_folds is true and evaluation.folds 1: set evaluation.folds to 3 or more, or "
        f"{study}.over_folds to false"
    )


class ComparisonConfig(Strict):
    """The grid ``arms`` x ``projections`` x ``seeds``.

    Attributes:
        arms: names in the block ``arms``.
        baseline: the arm that every other is set against; one of ``arms``.
        projections: those that arms with a constraint are trained with (``mlp``: the trainable one, ``pca``: the fixed
            one); ``own`` keeps what the arm itself names.
        hard_of: for a soft arm, the hard arm it is set against too.
        seeds: of the student's start and of the order of its batches. Differences are over the seeds that both sides
            have.
        projection_seeds: how many of ``seeds``, from the first, an arm is trained with under a projection that is not
            its own; null: all.
        arm_seeds: by arm, how many of ``seeds`` it is trained with at all, where not with all.
        over_folds: whether every arm is trained and tested in each of ``evaluation.folds``, its scores pooled, so that
            every cluster is tested once; false takes the test split alone, which is the first fold.
        bootstrap: resamples, of the intervals.
        level: of the intervals.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    baseline: str = "none"
    projections: Annotated[list[Literal["own", "mlp", "pca"]], EachOnce] = Field(["own"], min_length=1)
    hard_of: Annotated[dict[str, str], BeforeValidator(without_null)] = Field(default_factory=dict)
    seeds: Annotated[list[NonNegativeInt], EachOnce] = Field([0, 1, 2], min_length=1)
    projection_seeds: int | None = Field(None, ge=1)
    arm_seeds: Annotated[dict[str, PositiveInt], BeforeValidator(without_null)] = Field(default_factory=dict)
    over_folds: bool = False
    bootstrap: int = Field(1000, ge=1)
    level: float = Field(0.95, gt=0, lt=1)

    def references(self) -> Iterator[Reference]:
        """The arms that are compared, and those that they are set against."""
        yield from (Reference("comparison.arms", name, "arm") for name in self.arms)
        for soft, hard in self.hard_of.items():
            yield Reference("comparison.hard_of", soft, "arm")
            yield Reference(f"comparison.hard_of.{soft}", hard, "arm")

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Folds that are asked for where there is one.

        Args:
            blocks: of which the block ``evaluation`` counts.

        Yields:
            A sentence.
        """
        if self.over_folds and blocks["evaluation"].folds == 1:
            yield one_fold_alone("comparison")

    def in_a_line(self) -> str:
        """The arms and the seeds."""
        seeds = ", ".join(map(str, self.seeds))
        return f"{', '.join(self.arms)}, each against {self.baseline}, seeds {seeds}"

    @model_validator(mode="after")
    def _baseline_is_compared(self) -> "ComparisonConfig":
        if self.baseline not in self.arms:
            raise ValueError(
                f"comparison.baseline {self.baseline!r} is not among comparison.arms: {', '.join(self.arms)}"
            )
        if unknown := sorted(set(self.arm_seeds) - set(self.arms)):
            raise ValueError(f"comparison.arm_seeds names {unknown}, not among comparison.arms: {', '.join(self.arms)}")
        return self
