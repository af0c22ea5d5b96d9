"""Embeddings on a plane, by principal components."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.evaluation.figures.counterparts import Counterparts
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.plotting import ARMS
from cross_modal_kd.samples import EmbeddingTable

LABELS, PER_LABEL = 8, 10
MARGIN = 1.1
PLACES = 4


@dataclass(frozen=True)
class Plane:
    """The two directions in which vectors vary most, about their mean.

    mean: (d,). axes: (2, d). explained: shares of the variance.
    """

    mean: np.ndarray
    axes: np.ndarray
    explained: tuple[float, float]

    def at(self, values: np.ndarray) -> np.ndarray:
        """Where vectors lie on the plane.

        Args:
            values: (n, d).

        Returns:
            (n, 2).
        """
        return np.asarray((values - self.mean) @ self.axes.T)


def principal_plane(values: np.ndarray) -> Plane:
    """The plane of the first two principal components; the same for the same values.

    Args:
        values: (n, d), n and d of 2 or more.

    Returns:
        The plane; of each axis the largest entry is positive.
    """
    values = values.astype(np.float64)
    mean = values.mean(axis=0)
    _, strengths, axes = np.linalg.svd(values - mean, full_matrices=False)
    axes = axes[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    total = float((strengths**2).sum())
    first, second = ((float(part**2) / total if total > 0 else 0.0) for part in strengths[:2])
    return Plane(mean, axes * np.where(largest < 0, -1.0, 1.0), (first, second))


def planes(protocol: Protocol, embeddings: Mapping[str, EmbeddingTable], counterparts: Counterparts) -> dict[str, Any]:
    """A few test labels on a plane: both students among the projected teacher's items, and each by itself.

    The teacher's plane is that of its own items, into which the students have no say; each student's own is that of the
    samples shown. Labels are drawn with ``evaluation.seed``, without regard to how they do.

    Args:
        protocol: the test samples and the teacher's items.
        embeddings: by arm, of the test samples at least.
        counterparts: what belongs to what.

    Returns:
        ``labels``: names of at most eight; ``samples`` and ``items``: ``sample_id`` and number of the label of each,
        the student's and the teacher's; ``panels``: space (``teacher`` or ``own``), arm, ``explained`` shares, and the
        places of ``samples`` and ``items`` in the unit square. ``missing`` says why there is none.
    """
    drawn = _drawn(protocol)
    labels = list(dict.fromkeys(drawn["label"]))
    number = {label: place for place, label in enumerate(labels)}
    if len(drawn) < 3 or len(labels) < 2:
        return {"missing": "fewer than three test samples of two labels"}
    items = counterparts.of_labels(drawn, number)
    values = {arm: unit_rows(embeddings[arm].at(drawn["sample_id"])).astype(np.float64) for arm in ARMS}
    panels = [] if len(items.places) < 3 else _among_items(counterparts.gallery.items[items.places], values)
    panels += [_own(arm, values[arm]) for arm in ARMS]
    return {
        "labels": [str(label) for label in labels],
        "samples": [[sample, number[label]] for sample, label in zip(drawn["sample_id"], drawn["label"], strict=True)],
        "items": [[sample, label] for sample, label in zip(items.shown, items.labels, strict=True)],
        "panels": panels,
    }


def _drawn(protocol: Protocol) -> pd.DataFrame:
    """Test samples of a few labels, those with several samples before the others; a few of each."""
    rows = protocol.test.rows
    rows = rows.iloc[np.random.default_rng(protocol.evaluation.seed).permutation(len(rows))]
    several = rows["label"].duplicated(keep=False)
    labels = list(dict.fromkeys([*rows.loc[several, "label"], *rows["label"]]))[:LABELS]
    few = rows[rows["label"].isin(labels)].groupby("label").head(PER_LABEL)
    return few.sort_values(["label", "sample_id"])


def _among_items(items: np.ndarray, values: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Both students on the plane of the teacher's items, at one scale."""
    plane = principal_plane(items)
    places = {arm: plane.at(unit_rows(each[:, : items.shape[1]])) for arm, each in values.items()}
    own = plane.at(items)
    scale = _Scale.of(np.concatenate([own, *places.values()]))
    return [
        {"space": "teacher", "arm": arm, "explained": list(plane.explained)}
        | {"samples": scale.places(places[arm]), "items": scale.places(own)}
        for arm in ARMS
    ]


def _own(arm: str, values: np.ndarray) -> dict[str, Any]:
    plane = principal_plane(values)
    places = plane.at(values)
    scale = _Scale.of(places)
    explained = list(plane.explained)
    return {"space": "own", "arm": arm, "explained": explained, "samples": scale.places(places), "items": []}


@dataclass(frozen=True)
class _Scale:
    """Into the unit square, both axes alike."""

    middle: np.ndarray
    half: float

    @classmethod
    def of(cls, places: np.ndarray) -> "_Scale":
        low, high = places.min(axis=0), places.max(axis=0)
        return cls((low + high) / 2, MARGIN * max(float((high - low).max()) / 2, 1e-9))

    def places(self, places: np.ndarray) -> list[list[float]]:
        return np.round(0.5 + (places - self.middle) / (2 * self.half), PLACES).tolist()
