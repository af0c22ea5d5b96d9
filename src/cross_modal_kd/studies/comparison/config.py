"""Which arms are compared, over how many seeds."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from cross_modal_kd.config.strict import without_null
from cross_modal_kd.studies.config import ArmGrid


class ComparisonConfig(ArmGrid):
    """The grid of trainings, and what is reported of it.

    hard_of: for a soft arm, the hard arm it is set against too. Differences are over the seeds that both sides have.
    bootstrap, level: of the intervals.
    """

    hard_of: Annotated[dict[str, str], BeforeValidator(without_null)] = Field(default_factory=dict)
    bootstrap: int = Field(1000, ge=1)
    level: float = Field(0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _baseline_is_compared(self) -> "ComparisonConfig":
        if self.baseline not in self.arms:
            raise ValueError(
                f"comparison.baseline {self.baseline!r} is not among comparison.arms: {', '.join(self.arms)}"
            )
        if unknown := sorted(set(self.arm_seeds) - set(self.arms)):
            raise ValueError(f"comparison.arm_seeds names {unknown}, not among comparison.arms: {', '.join(self.arms)}")
        return self
