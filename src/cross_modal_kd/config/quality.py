"""Which quality measures are taken, and how they become weights."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cross_modal_kd.config.registered import ModalityName
from cross_modal_kd.config.strict import EachOnce, Reference, Strict


class QualityConfig(Strict):
    """Raw quality of each input.

    Attributes:
        measures: per modality, the names of the measures to take (keys of that modality's MEASURES).
        score: per modality, the measures whose ranks make the one score q in [0, 1]; a subset of ``measures``.
        combine: by the ``mean`` of the ranks or by the ``worst`` of them.
        by_domain: rank a sample among those of its own domain (an artist, a recording channel), where the training
            split holds enough of them, and not among all.
    """

    measures: dict[ModalityName, Annotated[list[str], EachOnce]]
    score: dict[ModalityName, Annotated[list[str], EachOnce]]
    combine: Literal["mean", "worst"] = "mean"
    by_domain: bool = False

    def references(self) -> Iterator[Reference]:
        """The measures that are taken."""
        for modality, names in self.measures.items():
            yield from (Reference(f"quality.measures.{modality}", name, "measure", modality) for name in names)

    @model_validator(mode="after")
    def _score_is_measured(self) -> "QualityConfig":
        for modality, names in self.score.items():
            missing = sorted(set(names) - set(self.measures.get(modality, [])))
            if missing:
                raise ValueError(
                    f"quality.score.{modality} uses {missing}, which quality.measures.{modality} does not take; "
                    f"it takes {self.measures.get(modality, [])}"
                )
            if not names:
                raise ValueError(f"quality.score.{modality} is empty: name at least one measure")
        return self


class WeightConfig(Strict):
    """w_i = clip(q_i^gamma / mean, w_min, w_max), renormalised to mean 1 (our reading).

    Attributes:
        loss: which losses are weighed: the ``task``'s (by the student's quality), the ``distillation``'s (by the
            pair's) or ``both``. Those that are not weighed count every sample alike.
        gamma: 0 is off; a larger one leans harder on the good samples.
        w_min: smallest weight, before the renormalisation.
        w_max: largest weight, before the renormalisation.
    """

    loss: Literal["both", "task", "distillation"] = "both"
    gamma: float = Field(1.0, ge=0)
    w_min: float = Field(0.2, ge=0, le=1)
    w_max: float = Field(3.0, ge=1)

    @model_validator(mode="after")
    def _leave_room(self) -> "WeightConfig":
        if self.w_min == self.w_max:
            raise ValueError(
                "quality.w_min and quality.w_max are both 1, which leaves every weight at 1; take quality out"
            )
        return self
