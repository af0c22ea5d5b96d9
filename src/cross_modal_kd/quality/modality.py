"""What quality knows of a modality: its measures and its degradations, found by name."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cross_modal_kd.modalities.degradation import Degradation

MODALITIES = ("image", "speech", "text")


class QualityError(ValueError):
    """A measure, degradation or quality that cannot be used: the message says which, and what there is."""


def _module(modality: str, name: str) -> Any:
    if modality not in MODALITIES:
        raise QualityError(f"unknown modality {modality!r}; there are: {', '.join(MODALITIES)}")
    return import_module(f"cross_modal_kd.modalities.{modality}.{name}")


def _known(kind: str, modality: str, names: Sequence[str], there: dict[str, Any], parameter: str) -> None:
    unknown = sorted(set(names) - set(there))
    if unknown:
        raise QualityError(
            f"unknown {kind} {', '.join(map(repr, unknown))} of {modality}; there are: {', '.join(there)}; "
            f"correct {parameter}.{modality}"
        )


def measures_of(modality: str, names: Sequence[str] | None = None) -> dict[str, Callable[..., float]]:
    """The measures of a modality, or those of them that are named.

    Raises:
        QualityError: a modality or measure that is not there, listing those that are.
    """
    there: dict[str, Callable[..., float]] = _module(modality, "quality").MEASURES
    _known("measure", modality, names or [], there, "quality.measures")
    return {name: there[name] for name in (there if names is None else names)}


def degradations_of(modality: str, names: Sequence[str] | None = None) -> dict[str, Degradation]:
    """The degradations of a modality, or those of them that are named. Raises QualityError as ``measures_of`` does."""
    there: dict[str, Degradation] = _module(modality, "degrade").DEGRADATIONS
    _known("degradation", modality, names or [], there, "quality_study.degradations")
    return {name: there[name] for name in (there if names is None else names)}


def measure(modality: str, names: Sequence[str], inputs: Sequence[tuple[Any, ...]]) -> dict[str, NDArray[np.float64]]:
    """Each named measure of each input, (n,).

    inputs: what the modality's measures take: (image,), (wave, sample_rate) or (text, vocabulary).
    Where a modality has a faster way for many inputs at once (its ``BATCHED``), that is used.
    """
    batched = getattr(_module(modality, "quality"), "BATCHED", {})
    return {
        name: batched[name](inputs)
        if name in batched
        else np.array([function(*given) for given in inputs], dtype=float)
        for name, function in measures_of(modality, names).items()
    }
