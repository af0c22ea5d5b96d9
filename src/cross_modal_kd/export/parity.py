"""An exported program against PyTorch, on real samples of every length."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cross_modal_kd.export.errors import ExportError
from cross_modal_kd.export.network import Answering

Run = Callable[[np.ndarray], Mapping[str, np.ndarray]]
Probes = Mapping[str, Sequence[Tensor]]

BATCH = 8
COMPARED = ("embedding", "probability")


def hold_against(reference: Answering, run: Run, probes: Probes, tolerance: float, what: str) -> dict[str, Any]:
    """How far a program is from PyTorch, alone and in batches of one shape; further than ``tolerance`` is an error.

    Inputs that are too short for the network itself, in PyTorch, are counted and left out.

    Args:
        reference: the student in PyTorch, as it was trained.
        run: the exported program, (B, ...) -> outputs by name.
        probes: by sample, inputs of several shapes, the first as evaluation reads it.
        tolerance: of unit embeddings and probabilities, an absolute difference.
        what: the program, for the error.

    Returns:
        ``tolerance``, ``samples``, ``max_abs_difference``, ``min_cosine``, ``too_short``, and ``shapes``: for each
        shape its ``inputs``, ``max_abs_difference`` and ``min_cosine``.

    Raises:
        ExportError: a difference is too large, or not a number; the message names the sample and its shape.
    """
    alone = [(name, each[None]) for name, inputs in probes.items() for each in inputs]
    together = _stacked(alone)
    found: dict[tuple[int, ...], list[tuple[float, float]]] = {}
    too_short = 0
    for name, batch in (*alone, *together):
        try:
            with torch.no_grad():
                wanted = dict(zip(reference.outputs, (each.numpy() for each in reference(batch)), strict=True))
        except RuntimeError as error:
            if batch.shape[1:] == probes[name.split(" and ")[0]][0].shape:
                raise ExportError(f"{name}: the student itself cannot take it ({error})") from error
            too_short += 1
            continue
        difference, cosine = _difference(wanted, _outputs(run, batch, name, what))
        if not difference <= tolerance:  # also where it is not a number
            raise ExportError(
                f"{what} differs from PyTorch by {difference:.2g} on {name} of shape {tuple(batch.shape)}, more than "
                f"export.tolerance = {tolerance:.2g}; raise it if that is precise enough, and report the network if not"
            )
        found.setdefault(tuple(batch.shape), []).append((difference, cosine))
    shapes = {
        "x".join(map(str, shape)): {
            "inputs": len(pairs),
            "max_abs_difference": max(difference for difference, _ in pairs),
            "min_cosine": min(cosine for _, cosine in pairs),
        }
        for shape, pairs in sorted(found.items())
    }
    return {
        "tolerance": tolerance,
        "samples": len(probes),
        "max_abs_difference": max(each["max_abs_difference"] for each in shapes.values()),
        "min_cosine": min(each["min_cosine"] for each in shapes.values()),
        "too_short": too_short,
        "shapes": shapes,
    }


def _stacked(alone: list[tuple[str, Tensor]]) -> list[tuple[str, Tensor]]:
    """One batch of each shape that several inputs share."""
    shared: dict[tuple[int, ...], list[tuple[str, Tensor]]] = {}
    for name, each in alone:
        shared.setdefault(tuple(each.shape), []).append((name, each))
    return [
        (f"{some[0][0]} and {len(some[:BATCH]) - 1} others", torch.cat([each for _, each in some[:BATCH]]))
        for some in shared.values()
        if len(some) > 1
    ]


def _outputs(run: Run, batch: Tensor, name: str, what: str) -> Mapping[str, np.ndarray]:
    try:
        return run(batch.numpy())
    except Exception as error:  # onnxruntime's errors are of many kinds, and mean the same here
        raise ExportError(f"{what} fails on {name} of shape {tuple(batch.shape)}: {str(error)[:300]}") from error


def _difference(wanted: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The largest absolute difference, NaN where any is, and the smallest cosine between embeddings."""
    largest = float(np.max([np.abs(wanted[name] - found[name]).max() for name in COMPARED if name in wanted]))
    one, other = wanted["embedding"].astype(np.float64), found["embedding"].astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return largest, float(((one * other).sum(axis=1) / np.maximum(lengths, 1e-12)).min())
