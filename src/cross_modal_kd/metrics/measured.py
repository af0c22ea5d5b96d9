"""Figures with their resamples."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Measured:
    """value: on all the data. resampled: (R,), in every resample of the clusters."""

    value: float
    resampled: np.ndarray


@dataclass(frozen=True)
class Figures:
    """By name: measured figures; chance, what they are without information; undefined, why a figure is not there."""

    measured: dict[str, Measured] = field(default_factory=dict)
    chance: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)

    def __or__(self, other: "Figures") -> "Figures":
        return Figures(self.measured | other.measured, self.chance | other.chance, self.undefined | other.undefined)

    def renamed(self, suffix: str) -> "Figures":
        """The same figures, each name with a suffix."""
        return Figures(
            {f"{name}{suffix}": found for name, found in self.measured.items()},
            {f"{name}{suffix}": value for name, value in self.chance.items()},
            {f"{name}{suffix}": reason for name, reason in self.undefined.items()},
        )

    def only(self, name: str) -> "Figures":
        """The one figure of that name."""
        return Figures(
            {key: found for key, found in self.measured.items() if key == name},
            {key: value for key, value in self.chance.items() if key == name},
            {key: reason for key, reason in self.undefined.items() if key == name},
        )
