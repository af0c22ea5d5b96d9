"""Which arms are compared, over how many seeds."""

from typing import Literal

from pydantic import Field

from cross_modal_kd.config.strict import Strict


class ComparisonConfig(Strict):
    """The grid ``arms`` x ``heads`` x ``seeds``.

    baseline: the arm that every other is set against. heads: the projections every arm with a constraint is trained with
    (``mlp``: the trainable head, ``pca``: none); ``own`` keeps what the arm itself names. hard_of: for a soft arm, the
    hard arm it is set against too. seeds: of the student's start and of the order of its batches.
    bootstrap, level: of the intervals.
    """

    arms: list[str] = Field(min_length=1)
    baseline: str = "none"
    heads: list[Literal["own", "mlp", "pca"]] = Field(default_factory=lambda: ["own"], min_length=1)
    hard_of: dict[str, str] = Field(default_factory=dict)
    seeds: list[int] = Field(default_factory=lambda: [0, 1, 2], min_length=1)
    bootstrap: int = Field(1000, ge=1)
    level: float = Field(0.95, gt=0, lt=1)
