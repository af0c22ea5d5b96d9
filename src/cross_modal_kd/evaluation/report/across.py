"""Queries across the modalities, as the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.evaluation.report.exhibits import Exhibit
from cross_modal_kd.evaluation.report.shelf import Shelf
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.plotting import typeset


@dataclass(frozen=True)
class Hit:
    """exhibit: what was found. right: whether it belongs to the query. score: the cosine."""

    exhibit: Exhibit
    right: bool
    score: str


@dataclass(frozen=True)
class Query:
    """right: whether the nearest is. ranks: by arm, the place of the first right one."""

    exhibit: Exhibit
    right: bool
    ranks: Mapping[str, int]
    nearest: list[Hit]


@dataclass(frozen=True)
class Direction:
    """From one modality to the other. first, chance: shares of the queries whose nearest is right, in percent."""

    title: str
    queries_of: int
    among: int
    first: Mapping[str, str]
    chance: str
    queries: list[Query]


def shown_retrieval(found: Mapping[str, Any], task: TaskConfig, shelf: Shelf) -> list[Direction]:
    """Both directions with what was looked for and found; none where nothing could be looked up.

    Args:
        found: of ``figures.retrieval``.
        task: its modalities.
        shelf: gives the samples.

    Returns:
        What the page shows.
    """
    return [_direction(each, task, shelf) for each in found.get("directions", [])]


def _direction(found: Mapping[str, Any], task: TaskConfig, shelf: Shelf) -> Direction:
    one, other = (modality_of(getattr(task, found[end])).plural for end in ("from", "to"))
    queries = [
        Query(
            shelf.show(each["sample"]),
            each["nearest"][0][1],
            each["rank"],
            [Hit(shelf.show(sample), right, typeset(f"{score:.2f}")) for sample, right, score in each["nearest"]],
        )
        for each in found["queries"]
    ]
    return Direction(
        title=f"From {one} to {other}",
        queries_of=found["queries_of"],
        among=found["among"],
        first={arm: _percent(share) for arm, share in found["first"].items()},
        chance=_percent(found["chance"]),
        queries=queries,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"
