"""Which arms a study trains, over how many seeds: what comparison and robustness both read."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from cross_modal_kd.config.strict import Strict, without_null


class ArmGrid(Strict):
    """The grid ``arms`` x ``heads`` x ``seeds``.

    baseline: the arm that every other is set against. heads: the projections that arms with a constraint are trained
    with (``mlp``: the trainable one, ``pca``: the fixed one); ``own`` keeps what the arm itself names. seeds: of the
    student's start and of the order of its batches; head_seeds: how many of them, from the first, an arm is trained
    with under a projection that is not its own (null: all); arm_seeds: how many an arm is trained with at all, where
    not with all.
    """

    arms: list[str] = Field(min_length=1)
    baseline: str = "none"
    heads: list[Literal["own", "mlp", "pca"]] = Field(["own"], min_length=1)
    seeds: list[NonNegativeInt] = Field([0, 1, 2], min_length=1)
    head_seeds: int | None = Field(None, ge=1)
    arm_seeds: Annotated[dict[str, PositiveInt], BeforeValidator(without_null)] = Field(default_factory=dict)
