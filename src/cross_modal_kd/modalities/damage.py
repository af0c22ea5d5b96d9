"""Known damage to chosen samples: the ``Corrupt`` of every study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.degradation import Degradation
from cross_modal_kd.modalities.modality import Decoded
from cross_modal_kd.modalities.registry import modality_of
from cross_modal_kd.samples import Roots, as_records, read_before


class Dose(NamedTuple):
    """What is done to one sample: a degradation at a level, its randomness from the generator."""

    degradation: Degradation
    level: float
    generator: np.random.Generator


@dataclass(frozen=True)
class Others:
    """Samples of other labels that a degradation may mix in (babble).

    Attributes:
        labels: by sample_id, the label of each sample that is damaged.
        pool: (label, decoded sample) of those that may be mixed in.
    """

    labels: Mapping[str, str]
    pool: Sequence[tuple[str, Decoded]]

    @classmethod
    def read(
        cls, rows: pd.DataFrame, damaged: pd.DataFrame, roots: Roots, inputs: InputConfig | None = None
    ) -> "Others":
        """The samples ``rows`` of the samples table, for those ``damaged``.

        Args:
            rows: rows of the samples table, all of which are decoded and kept in memory.
            damaged: rows of the samples table, whose ``sample_id`` and ``label`` are kept.
            roots: where the files lie.
            inputs: see ``Modality.decode``.

        Returns:
            The others, one of the pool for each row, in the order of ``rows``.
        """
        with read_before():
            pool = [(row["label"], modality_of(row["modality"]).read(row, roots, inputs)) for row in as_records(rows)]
        return cls(dict(zip(damaged["sample_id"], damaged["label"], strict=True)), pool)

    def beside(self, sample_id: str, about: Mapping[str, Any]) -> list[Any]:
        """Those of another label than the sample's, so that nobody is mixed with themselves, and of the same rate.

        Args:
            sample_id: of the sample that is damaged, one of ``labels``.
            about: what its modality tells beside it (speech: ``sample_rate`` in Hz), which theirs must equal.

        Returns:
            The decoded samples alone, in the pool's order; empty where there are none.
        """
        own = self.labels[sample_id]
        return [each.value for label, each in self.pool if label != own and each.about == about]


@dataclass(frozen=True)
class Damage:
    """(sample_id, sample) -> sample, damaged as ``dose`` says, or unchanged where that is None.

    Attributes:
        dose: decides by the sample_id alone, with a new generator each time.
        others: where a degradation needs them.
    """

    dose: Callable[[str], Dose | None]
    others: Others | None = None

    def __call__(self, sample_id: str, sample: Any, **about: Any) -> Any:
        """The damaged sample, of the same kind.

        Args:
            sample_id: of the sample.
            sample: as its modality decodes it.
            about: what the modality tells beside it.

        Returns:
            A damaged sample of the same kind, or ``sample`` itself where there is no dose for it.

        Raises:
            ValueError: the degradation needs what is not given.
        """
        dose = self.dose(sample_id)
        if dose is None:
            return sample
        context = about if self.others is None else {**about, "others": self.others.beside(sample_id, about)}
        return dose.degradation(sample, dose.level, dose.generator, **context)
