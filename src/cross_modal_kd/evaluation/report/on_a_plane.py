"""Embeddings on a plane, as the page shows them."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cross_modal_kd.evaluation.report.exhibits import Exhibit
from cross_modal_kd.evaluation.report.shelf import Shelf
from cross_modal_kd.plotting import ARMS

NEAREST, ROUNDS = 0.065, 40  # of the numbers, in shares of the panel
GOLDEN_ANGLE = 2.4


@dataclass(frozen=True)
class Dot:
    """left, top: percent of the panel. label: its number. picture: number of its exhibit. item: of the teacher."""

    left: str
    top: str
    label: int
    picture: int
    item: bool


@dataclass(frozen=True)
class Panel:
    """One student on one plane. space: teacher or own. explained: shares of the variance, in percent."""

    title: str
    space: str
    explained: str
    dots: list[Dot]
    middles: list[tuple[str, str, int]]


@dataclass(frozen=True)
class Planes:
    """labels: names. exhibits: of the dots, each once. panels: in the order of the page. missing: why there is none."""

    labels: list[str]
    exhibits: list[Exhibit]
    panels: list[Panel]
    missing: str = ""


def shown_planes(found: Mapping[str, Any], shelf: Shelf, names: Mapping[str, str]) -> Planes:
    """The panels with what their dots are of.

    Args:
        found: of ``figures.planes``.
        shelf: gives the samples.
        names: of the labels.

    Returns:
        What the page shows.
    """
    if found.get("missing"):
        return Planes([], [], [], found["missing"])
    samples, items = found["samples"], found["items"]
    return Planes(
        labels=[names[label] for label in found["labels"]],
        exhibits=[shelf.show(sample) for sample, _ in [*samples, *items]],
        panels=[_panel(each, samples, items) for each in found["panels"]],
    )


def _panel(panel: Mapping[str, Any], samples: list[list[Any]], items: list[list[Any]]) -> Panel:
    """The dots of samples and of items; the latter are on the teacher's plane alone."""
    own = _dots(panel["samples"], samples, 0, item=False)
    theirs = _dots(panel["items"], items if panel["items"] else [], len(samples), item=True)
    explained = " + ".join(f"{100 * share:.0f}" for share in panel["explained"])
    name = ARMS[panel["arm"]][0]
    return Panel(f"{name[0].upper()}{name[1:]}", panel["space"], explained, [*own, *theirs], _middles(panel, samples))


def _dots(places: list[list[float]], of: list[list[Any]], first: int, item: bool) -> list[Dot]:
    """A dot a place; ``first`` is the number of the first one's exhibit."""
    return [
        Dot(*_percent(place), label, first + n, item)
        for n, (place, (_, label)) in enumerate(zip(places, of, strict=True))
    ]


def _middles(panel: Mapping[str, Any], samples: list[list[Any]]) -> list[tuple[str, str, int]]:
    """Where each label's number stands: at the median of its dots, moved where two would stand on each other."""
    of_label: dict[int, list[list[float]]] = {}
    for place, (_, label) in zip(panel["samples"], samples, strict=True):
        of_label.setdefault(label, []).append(place)
    middles = _apart(np.array([np.median(places, axis=0) for places in of_label.values()]))
    return [(*_percent(place), label) for place, label in zip(middles.tolist(), of_label, strict=True)]


def _apart(places: np.ndarray) -> np.ndarray:
    """(n, 2) places, those nearer to each other than ``NEAREST`` pushed apart, each as far as the other."""
    around = GOLDEN_ANGLE * np.arange(len(places))
    aside = 1e-5 * np.column_stack([np.cos(around), np.sin(around)])  # equal ones have a way to go
    for _ in range(ROUNDS):
        places = places + aside
        for one, other in itertools.combinations(range(len(places)), 2):
            way = places[one] - places[other]
            distance = float(np.hypot(*way))
            if distance < NEAREST:
                push = way / distance * (NEAREST - distance) / 2
                places[[one, other]] += [push, -push]
        places = places.clip(NEAREST / 2, 1 - NEAREST / 2)
    return places


def _percent(place: list[float]) -> tuple[str, str]:
    """From the left and from the top; upwards is the plane's second axis."""
    return f"{100 * place[0]:.1f}", f"{100 * (1 - place[1]):.1f}"
