"""Does the error fall as the samples of lowest quality are left out?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cross_modal_kd.quality import QualityError

MOST = 0.9

Values = NDArray[np.float64]
ErrorOf = Callable[[NDArray[np.bool_]], float]


@dataclass(frozen=True)
class DiscardCurve:
    """error (K,) once the share (K,) of lowest quality is left out; NaN where what is left has no error.

    random, random_low, random_high (K,): mean and 5th to 95th percentile of the error when quality is shuffled over
    the samples.
    """

    share: Values
    error: Values
    random: Values
    random_low: Values
    random_high: Values

    @property
    def area(self) -> float:
        """Mean error over the curve, over that of the random curve: below 1, quality tells which samples go wrong."""
        there = np.isfinite(self.error) & np.isfinite(self.random)
        under_random = float(np.trapezoid(self.random[there], self.share[there]))
        return float(np.trapezoid(self.error[there], self.share[there])) / under_random if under_random > 0 else 1.0


class Discard:
    """Error-versus-discard curves of any number of qualities over the same samples.

    A trial is as good as the worse of its two samples. Equal qualities are left out in random order. Everything random
    is drawn from the seed. Every curve asks for the error ``steps`` times; so does each shuffle, when the object is
    made.

    Args:
        n: samples, 2 or more.
        error_of: the error of those that are kept, given as a mask: of the n samples (``lambda kept:
            wrong[kept].mean()``), or of the m trials where ``units`` is given; NaN where it is not defined.
        units: row numbers (m,), (m,) of the two samples of each trial, in [0, n); None where samples are left out.
        steps: points of a curve, evenly from nothing to nine tenths left out.
        shuffles: curves of random order that the band is made of.
        seed: of everything random.

    Raises:
        QualityError: fewer than two samples, or ``units`` that are not two (m,).
    """

    def __init__(
        self,
        n: int,
        error_of: ErrorOf,
        units: tuple[ArrayLike, ArrayLike] | None = None,
        steps: int = 10,
        shuffles: int = 20,
        seed: int = 0,
    ) -> None:
        if n < 2:
            raise QualityError(f"error versus discard needs at least two samples, found {n}")
        self._n, self._error_of = n, error_of
        left, right = (np.arange(n), np.arange(n)) if units is None else units
        self._left, self._right = np.asarray(left), np.asarray(right)
        if self._left.shape != self._right.shape or self._left.ndim != 1:
            raise QualityError(f"units must be two (m,) row numbers, found {self._left.shape} and {self._right.shape}")
        rng = np.random.default_rng(seed)
        self._share = np.linspace(0, MOST, steps)
        self._jitter = rng.permutation(len(self._left))
        shuffled = np.array([self._errors(rng.permutation(n).astype(float)) for _ in range(shuffles)])
        there = np.isfinite(shuffled).all(axis=0)
        self._random = np.full((3, steps), np.nan)
        self._random[0, there] = shuffled[:, there].mean(axis=0)
        self._random[1:, there] = np.quantile(shuffled[:, there], [0.05, 0.95], axis=0)

    def _errors(self, quality: Values) -> Values:
        order = np.lexsort((self._jitter, np.minimum(quality[self._left], quality[self._right])))
        errors = np.empty(len(self._share))
        for k, share in enumerate(self._share):
            kept = np.ones(len(order), dtype=bool)
            kept[order[: round(share * len(order))]] = False
            errors[k] = self._error_of(kept)
        return errors

    def curve(self, quality: ArrayLike) -> DiscardCurve:
        """The curve of a quality.

        Args:
            quality: (n,), finite, higher is better; only its order counts.

        Returns:
            (steps,) shares and errors, beside those of random order.

        Raises:
            QualityError: it is not (n,) and finite.
        """
        values = np.asarray(quality, dtype=np.float64)
        if values.shape != (self._n,) or not np.isfinite(values).all():
            raise QualityError(f"quality must be ({self._n},) and finite, found shape {values.shape}")
        return DiscardCurve(self._share, self._errors(values), *self._random)
