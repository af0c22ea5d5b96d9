"""Which damage the students are tested under."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cross_modal_kd.config import EachOnce, ModalityName, Reference, Strict


class RobustnessConfig(Strict):
    """Kinds of damage x levels, on the test split.

    kinds: by modality of the student, kind (a key of that modality's DEGRADATIONS) -> levels from mild to severe; an
    empty list takes the kind's own levels, a kind that is null is left out.
    sides: of a verification trial, which are damaged: the ``test`` side alone (enrolled in quiet, used in noise) or
    ``both``. Classification has one side.
    samples: test samples of a label, at most (seeded); null takes all.
    babble_clips: sounds that babble is mixed from, of training speakers.
    from_comparison: every arm and seed of the comparison, in place of the two students of ``distill``.
    max_impostors, bootstrap, level: as in the block ``evaluation``, smaller because each condition pays for them.
    seed: of the damage and of every draw.
    """

    kinds: dict[ModalityName, dict[str, Annotated[list[float], EachOnce]]]
    sides: Literal["test", "both"] = "test"
    samples: int | None = Field(30, ge=2)
    babble_clips: int = Field(24, ge=1)
    from_comparison: bool = False
    max_impostors: int = Field(20_000, ge=100)
    bootstrap: int = Field(300, ge=2)
    level: float = Field(0.95, gt=0, lt=1)
    seed: int = Field(0, ge=0)

    def references(self) -> Iterator[Reference]:
        """The kinds of damage, with their levels."""
        for modality, kinds in self.kinds.items():
            for kind, levels in kinds.items():
                where = f"robustness.kinds.{modality}"
                yield Reference(where, kind, "degradation", modality, tuple(levels))

    @field_validator("kinds", mode="before")
    @classmethod
    def _leave_out_null(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            modality: {kind: levels for kind, levels in kinds.items() if levels is not None}
            if isinstance(kinds, dict)
            else kinds
            for modality, kinds in value.items()
        }
