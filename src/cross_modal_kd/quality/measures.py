"""The measures of a modality, of many samples at once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cross_modal_kd.modalities import Modality, chosen


def measures_of(modality: Modality, names: Sequence[str] | None = None) -> dict[str, Callable[..., float]]:
    """The measures of a modality, or those of them that are named.

    Args:
        modality: whose measures they are.
        names: of the wanted ones; None for all.

    Returns:
        By name, a function of one input: (image), (wave, sample_rate) or (text, vocabulary) -> a number, higher is
        better.

    Raises:
        ModalityError: a measure that is not there, listing those that are.
    """
    return chosen(modality.measures, names, f"measure of {modality.name}", f"quality.measures.{modality.name}")


def measure(
    modality: Modality, names: Sequence[str], inputs: Sequence[tuple[Any, ...]]
) -> dict[str, NDArray[np.float64]]:
    """Each named measure of each input, (n,).

    Args:
        modality: whose measures they are.
        names: of the measures to take.
        inputs: n tuples of what the modality's measures take: (image,), (wave, sample_rate) or (text, vocabulary).

    Returns:
        By measure, (n,) values, higher is better. Where a modality has a faster way for many inputs at once, that is
        used.
    """
    functions, batched = measures_of(modality, names), modality.batched
    single = [function for name, function in functions.items() if name not in batched]
    rows = [[function(*seen) for function in single] for seen in map(modality.seen, inputs)] if single else []
    columns = iter(np.array(rows, dtype=float).reshape(len(rows), len(single)).T)
    return {name: batched[name](inputs) if name in batched else next(columns).copy() for name in functions}
