"""Metrics with their resamples, by name."""

from dataclasses import dataclass, field, replace

import numpy as np

from cross_modal_kd.metrics.evidence import Evidence


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        value: on all the data.
        resampled: (R,), in every resample of the clusters.
        evidence: the clusters and resamples that it was taken over; None: all of its subset.
    """

    value: float
    resampled: np.ndarray
    evidence: Evidence | None = None


@dataclass(frozen=True)
class MetricSet:
    """Metrics with their resamples, by name; ``a | b`` has those of both, and b's where both have one.

    Attributes:
        metrics: those that are defined.
        chance: the value that a metric has without information, where there is one.
        undefined: why a metric is not there.
        weights: ``models.weights_of`` what was measured; empty where several were.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    chance: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    weights: str = ""

    def __or__(self, other: "MetricSet") -> "MetricSet":
        return MetricSet(self.metrics | other.metrics, self.chance | other.chance, self.undefined | other.undefined)

    def renamed(self, suffix: str) -> "MetricSet":
        """The same metrics, each name with a suffix.

        Args:
            suffix: put at the end of the names of metrics, chances and reasons alike, such as ``_train``.

        Returns:
            A new set; the values are the same objects.
        """
        return MetricSet(
            {f"{name}{suffix}": found for name, found in self.metrics.items()},
            {f"{name}{suffix}": value for name, value in self.chance.items()},
            {f"{name}{suffix}": reason for name, reason in self.undefined.items()},
        )

    def resting_on(self, evidence: Evidence) -> "MetricSet":
        """The same metrics, with this evidence where a metric names none.

        Args:
            evidence: of the subset that they were measured on.

        Returns:
            A new set.
        """
        filled = {
            name: metric if metric.evidence is not None else replace(metric, evidence=evidence)
            for name, metric in self.metrics.items()
        }
        return MetricSet(filled, self.chance, self.undefined)
