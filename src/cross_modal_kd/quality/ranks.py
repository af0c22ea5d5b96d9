"""From raw measures with a unit to ranks in [0, 1], which can be averaged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cross_modal_kd.quality.errors import QualityError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EmpiricalCDF:
    """The distribution function of reference values, by mid-rank:

        F(x) = (#{v < x} + #{v = x} / 2) / N        in [0, 1]

    so that equal values share one rank and F averages 1/2 over the reference itself, whatever its ties.

    Attributes:
        sorted_values: (N,) the reference values, rising.
    """

    sorted_values: Values

    @classmethod
    def fit(cls, values: ArrayLike) -> "EmpiricalCDF":
        """The distribution function of some values.

        Args:
            values: (N,) finite reference values, N at least 1, in any order.

        Returns:
            F, a function of values of any shape.

        Raises:
            QualityError: they have another shape, are none, or are not finite.
        """
        found = np.sort(np.asarray(values, dtype=np.float64))
        if found.ndim != 1 or not len(found):
            raise QualityError(f"ranks need reference values (N,), N at least 1, found shape {found.shape}")
        if not np.isfinite(found).all():
            raise QualityError(
                f"ranks need finite reference values, found {int((~np.isfinite(found)).sum())} that are not"
            )
        return cls(found)

    def thinned(self, most: int) -> "EmpiricalCDF":
        """The distribution function of some of the values, evenly spread over the ranks.

        Args:
            most: values that are kept, at least 2; all where there are no more.

        Returns:
            A function that is off by no more than 1 / ``most``.
        """
        values = self.sorted_values
        if len(values) <= most:
            return self
        return EmpiricalCDF(values[np.linspace(0, len(values) - 1, most).round().astype(np.intp)])

    def __call__(self, values: ArrayLike) -> Values:
        """F of each value, the same shape."""
        x = np.asarray(values, dtype=np.float64)
        below = np.searchsorted(self.sorted_values, x, side="left")
        up_to = np.searchsorted(self.sorted_values, x, side="right")
        return (below + up_to) / (2 * len(self.sorted_values))


Combine = Literal["mean", "worst"]


@dataclass(frozen=True)
class QualityScore:
    """One quality in [0, 1] from several measures: the rank of the ``mean`` of their ranks, or of the ``worst``.

    Ranks are taken in the empirical distribution of the reference samples (the training split), for each measure and
    once more for what they combine to, which would otherwise not be spread over [0, 1]. The worst sees a damage that
    one measure alone notices; in the mean others outvote it (noise makes a picture seem sharp). Our reading; the
    source's formula was not available.

    Attributes:
        of_measure: by measure, the distribution of its reference values.
        of_all: the distribution of what the reference samples' ranks combine to.
        combine: how they do: ``mean`` or ``worst``.
    """

    of_measure: dict[str, EmpiricalCDF]
    of_all: EmpiricalCDF
    combine: Combine = "mean"

    @classmethod
    def fit(
        cls, measures: Mapping[str, ArrayLike], combine: Combine = "mean", most: int | None = None
    ) -> "QualityScore":
        """The score whose ranks are those of some reference samples.

        Args:
            measures: by measure, (N,) finite values of the N reference samples, higher is better.
            combine: ``mean`` or ``worst`` of a sample's ranks.
            most: values that each distribution keeps, at least 2; None keeps all. Qualities then move by less than
                1 / ``most`` on average; where measures tie, a sample whose rank is within that of a tie's can join the
                tie, which moves it by up to half the share of samples that tie.

        Returns:
            A function of the same measures of n samples to their quality (n,) in [0, 1].

        Raises:
            QualityError: there is no measure, or one whose values cannot be ranked.
        """
        if not measures:
            raise QualityError("a score needs at least one measure, found none")

        def kept(values: ArrayLike) -> EmpiricalCDF:
            fitted = EmpiricalCDF.fit(values)
            return fitted if most is None else fitted.thinned(most)

        of_measure = {name: kept(values) for name, values in measures.items()}
        # by what is kept of each: samples that tie combine to one number, which has to be that of a new sample too
        return cls(of_measure, kept(_combined(of_measure, measures, combine)), combine)

    def __call__(self, measures: Mapping[str, ArrayLike]) -> Values:
        """Quality (n,) of samples from their measures, (n,) each."""
        return self.of_all(_combined(self.of_measure, measures, self.combine))


@dataclass(frozen=True)
class DomainScore:
    """The score of each domain by itself: an artist, a recording channel, a camera.

    Domains differ in every measure without being better or worse (a flat drawing has less sharpness than a shaded one);
    ranked among its own, a sample is poor where it is damaged. A sample of no domain, or of one with too few reference
    samples, is ranked among all. Ours, beyond the source.

    Attributes:
        overall: the score among all reference samples.
        of_domain: by domain, the score among its own, where there are enough of them.
    """

    overall: QualityScore
    of_domain: dict[str, QualityScore]

    @classmethod
    def fit(
        cls, measures: Mapping[str, ArrayLike], domains: NDArray[np.object_], combine: Combine, least: int = 50
    ) -> "DomainScore":
        """The scores whose ranks are those of some reference samples.

        Args:
            measures: by measure, (N,) finite values of the N reference samples, higher is better.
            domains: (N,) their domains, None where a sample has none.
            combine: ``mean`` or ``worst`` of a sample's ranks.
            least: reference samples that a domain needs for a score of its own.

        Returns:
            A function of the measures and domains of n samples to their quality (n,) in [0, 1].

        Raises:
            QualityError: as ``QualityScore.fit`` has it.
        """
        of_domain = {}
        for domain, rows in sorted(_rows_of(domains), key=itemgetter(0)):
            if len(rows) >= least:
                own = {name: np.asarray(values)[rows] for name, values in measures.items()}
                of_domain[domain] = QualityScore.fit(own, combine)
        return cls(QualityScore.fit(measures, combine), of_domain)

    def __call__(self, measures: Mapping[str, ArrayLike], domains: NDArray[np.object_]) -> Values:
        """Quality (n,) of samples from their measures and domains, (n,) each."""
        quality = self.overall(measures)
        for domain, rows in _rows_of(domains):
            if domain in self.of_domain:
                own = {name: np.asarray(values)[rows] for name, values in measures.items()}
                quality[rows] = self.of_domain[domain](own)
        return quality


def _rows_of(domains: NDArray[np.object_]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Each domain with its rows, rising; rows of none are left out. O(N log N), however many domains there are."""
    numbers, names = pd.factorize(domains)
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(len(names) + 1))
    for name, start, end in zip(names, bounds[:-1], bounds[1:], strict=True):
        yield name, order[start:end]


def _combined(of_measure: Mapping[str, EmpiricalCDF], measures: Mapping[str, ArrayLike], combine: Combine) -> Values:
    ranks = np.stack([rank(measures[name]) for name, rank in of_measure.items()])
    if combine == "worst":
        return np.asarray(ranks.min(axis=0))
    return np.asarray(np.round(ranks.mean(axis=0), 12))  # sums of equal ranks in another order are equal too
