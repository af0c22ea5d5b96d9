"""From raw measures with a unit to ranks in [0, 1], which can be averaged."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cross_modal_kd.quality.modality import QualityError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EmpiricalCDF:
    """The distribution function of reference values, by mid-rank:

        F(x) = (#{v < x} + #{v = x} / 2) / N        in [0, 1]

    so that equal values share one rank and F averages 1/2 over the reference itself, whatever its ties.
    """

    sorted_values: Values

    @classmethod
    def fit(cls, values: ArrayLike) -> "EmpiricalCDF":
        """Of (N,) finite values, N at least 1. Raises QualityError otherwise."""
        found = np.sort(np.asarray(values, dtype=np.float64))
        if found.ndim != 1 or not len(found):
            raise QualityError(f"ranks need reference values (N,), N at least 1, found shape {found.shape}")
        if not np.isfinite(found).all():
            raise QualityError(
                f"ranks need finite reference values, found {int((~np.isfinite(found)).sum())} that are not"
            )
        return cls(found)

    def __call__(self, values: ArrayLike) -> Values:
        """F of each value, the same shape."""
        x = np.asarray(values, dtype=np.float64)
        below = np.searchsorted(self.sorted_values, x, side="left")
        up_to = np.searchsorted(self.sorted_values, x, side="right")
        return (below + up_to) / (2 * len(self.sorted_values))


@dataclass(frozen=True)
class QualityScore:
    """One quality in [0, 1] from several measures: the rank of the mean of their ranks.

    Ranks are taken in the empirical distribution of the reference samples (the training split), for each measure and
    once more for their mean, which would otherwise crowd around 1/2. Our reading; the source's formula was not
    available.
    """

    of_measure: dict[str, EmpiricalCDF]
    of_mean: EmpiricalCDF

    @classmethod
    def fit(cls, measures: Mapping[str, ArrayLike]) -> "QualityScore":
        """Of the reference samples' measures, (N,) each. Raises QualityError for no measure or unrankable values."""
        if not measures:
            raise QualityError("a score needs at least one measure, found none")
        of_measure = {name: EmpiricalCDF.fit(values) for name, values in measures.items()}
        return cls(of_measure, EmpiricalCDF.fit(_mean_rank(of_measure, measures)))

    def __call__(self, measures: Mapping[str, ArrayLike]) -> Values:
        """Quality (n,) of samples from their measures, (n,) each."""
        return self.of_mean(_mean_rank(self.of_measure, measures))


def _mean_rank(of_measure: Mapping[str, EmpiricalCDF], measures: Mapping[str, ArrayLike]) -> Values:
    mean = np.mean(np.stack([rank(measures[name]) for name, rank in of_measure.items()]), axis=0)
    return np.asarray(np.round(mean, 12))  # sums of equal ranks in another order are equal too
