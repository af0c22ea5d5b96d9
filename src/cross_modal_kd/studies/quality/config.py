"""How the quality measures are put to the test."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from cross_modal_kd.config import EachOnce, ModalityName, Reference, Strict


class QualityStudyConfig(Strict):
    """Known damage to dev samples, and what the measures make of it.

    samples: drawn (seeded) per modality from the dev split, at most: what a score is made of is chosen by them.
    degradations: per modality the names of those to inject
    (keys of that modality's DEGRADATIONS); a modality that is not named gets all of its own.
    bootstrap: resamples of the samples; level: of the intervals. gallery: best and worst samples shown per measure.
    discard_steps: points of the error-versus-discard curve, from nothing to nine tenths left out;
    discard_shuffles: curves of random order beside it.
    max_trials: verification trials that the curve is computed from, at most.
    seed: of every draw.
    """

    samples: int = Field(100, ge=2)
    degradations: dict[ModalityName, Annotated[list[str], EachOnce]] = Field(default_factory=dict)
    seed: int = Field(0, ge=0)
    bootstrap: int = Field(200, ge=2)
    level: float = Field(0.95, gt=0, lt=1)
    gallery: int = Field(6, ge=1)
    discard_steps: int = Field(10, ge=2)
    discard_shuffles: int = Field(20, ge=2)
    max_trials: int = Field(100_000, ge=100)

    def references(self) -> Iterator[Reference]:
        """The degradations that are injected."""
        for modality, names in self.degradations.items():
            where = f"quality_study.degradations.{modality}"
            yield from (Reference(where, name, "degradation", modality) for name in names)
