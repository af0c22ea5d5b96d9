"""One kind of known damage, with levels from mild to severe."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Degradation:
    """Damage that can be dosed. All randomness comes from ``rng``: the same seed gives the same sample.

    Attributes:
        apply: (sample, level, rng, **context) -> sample of the same kind.
        levels: in order from mild to severe, in ``unit``.
        unit: what a level counts, for tables and plots.
        needs: names of the context that ``apply`` takes beyond the sample (speech: ``sample_rate`` in Hz; babble:
            ``others``, clips of other speakers at that rate).
        allowed: the lowest and the highest level that there is.
    """

    apply: Callable[..., Any]
    levels: tuple[float, ...]
    unit: str
    needs: tuple[str, ...] = ()
    allowed: tuple[float, float] = (-math.inf, math.inf)

    def __call__(self, sample: Any, level: float, rng: np.random.Generator, **context: Any) -> Any:
        """Apply it, passing on only what it needs of ``context``.

        Args:
            sample: as its modality decodes it.
            level: in ``unit``, one of ``levels`` or another.
            rng: the source of what is random about it.
            context: what is known beside the sample, by name; more than it needs may be given.

        Returns:
            The damaged sample, of the same kind.

        Raises:
            ValueError: naming what it needs and ``context`` lacks.
        """
        missing = [name for name in self.needs if name not in context]
        if missing:
            raise ValueError(f"this degradation needs {missing} beside the sample, found {sorted(context)}")
        return self.apply(sample, level, rng, **{name: context[name] for name in self.needs})
