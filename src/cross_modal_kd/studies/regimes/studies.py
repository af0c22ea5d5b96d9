"""The table of the studies: what each varies, and how it is drawn (imports torch: reached from nodes only)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cross_modal_kd.studies.measure import Embeddings
from cross_modal_kd.studies.regimes import crossfit, labels, length, noise, teachers, weight, width
from cross_modal_kd.studies.regimes.claim_plot import claim_plot
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.plots import Look, study_plot
from cross_modal_kd.studies.regimes.world import World


def same_world(world: World) -> World:
    """The world unchanged.

    Args:
        world: of the pipeline.

    Returns:
        The same object.
    """
    return world


def clean_test(_world: World, _block: Any) -> Mapping[str, Embeddings | None]:
    """The one test that most studies have: the clean test split, under the condition's own name.

    Args:
        _world: plays no part.
        _block: plays no part.

    Returns:
        One test, as ``Study.tests`` has them.
    """
    return {"": None}


def unchanged(world: World, _block: Any, _store: Path) -> Iterable[Condition]:
    """One condition: the task itself.

    Args:
        world: of the task.
        _block: plays no part.
        _store: plays no part.

    Yields:
        The condition; its value is 0.
    """
    yield Condition.of(world, "unchanged", 0.0)


@dataclass(frozen=True)
class Study:
    """One study, by the name of its block in the parameters.

    conditions: (world, the study's block, store) -> what it varies. tests: (world, block) -> {name: embeddings that
    are measured}, "" for the condition's name; None are the embeddings that an outcome has kept. world: what the
    arms are trained in. draw: the plot of its table. heading: its fields are the block's keys. axis: its label;
    axis_without_values: where ``x`` has missing values. x, ticks, in_percent: as ``Look`` has them. weak_teacher:
    mark where the teacher is as weak as the student alone. note: said where pairs are made by label.
    """

    name: str
    conditions: Callable[[World, Any, Path], Iterable[Condition]]
    heading: str
    axis: str
    x: str | None = None
    ticks: str | None = None
    in_percent: bool = False
    axis_without_values: str = ""
    weak_teacher: bool = False
    note: str = ""
    draw: Callable[[pd.DataFrame, Look], Figure] = study_plot
    tests: Callable[[World, Any], Mapping[str, Embeddings | None]] = clean_test
    world: Callable[[World], World] = same_world

    def look(self, world: World, regimes: RegimesConfig, table: pd.DataFrame) -> Look:
        """How the study's table is drawn.

        Args:
            world: whether its pairs are made by label decides about the note; its arms have the titles.
            regimes: the study's block fills the heading in; ``baseline`` is the arm that marks a weak teacher.
            table: of ``study_tables``; where its column ``x`` has missing values, conditions are set side by side.

        Returns:
            What ``study_plot`` takes.
        """
        known = self.x is None or bool(table[self.x].notna().all())
        block = getattr(regimes, self.name)
        beside = world.arms.get(block.without_labels) if self.name == "labels" and (table["value"] == 0).any() else None
        return Look(
            heading=self.heading.format_map(dict(block)),
            axis=self.axis if known else self.axis_without_values,
            x=self.x if known else None,
            ticks=self.ticks,
            in_percent=self.in_percent,
            note=self.note if "label" in world.task.levels else "",
            as_weak=regimes.baseline if self.weak_teacher else None,
            bound=(beside.title or block.without_labels) if beside is not None and beside.constraints else "",
        )


STUDIES = {
    study.name: study
    for study in (
        Study(
            "labels",
            labels.conditions,
            heading="Few labels, all pairs",
            axis="labelled share of the training split",
            x="value",
            ticks="{:.0%}",
            note="Pairs are made by label: a pair tells the class of both.",
        ),
        Study(
            "teacher",
            teachers.conditions,
            heading="Weaker teachers",
            axis="the projected teacher's own test error, %",
            x="teacher_error_test",
            in_percent=True,
            axis_without_values="teacher",
            weak_teacher=True,
        ),
        Study(
            "noise",
            noise.conditions,
            heading="{share:.0%} of the training inputs damaged",
            axis="test inputs",
            tests=noise.tests,
        ),
        Study(
            "width",
            width.conditions,
            heading="Width of the student",
            axis="width of the encoder",
            x="value",
            ticks="x {:.3g}",
        ),
        Study("length", length.conditions, heading="Length of the training", axis="epochs", x="epochs", ticks="{:.0f}"),
        Study(
            "weight",
            weight.conditions,
            heading="Weight of the constraints",
            axis="weight, times the arm's own",
            x="value",
            ticks="x {:g}",
            draw=claim_plot,
        ),
        Study(
            "crossfit",
            crossfit.conditions,
            heading="Cross-fitting",
            axis="what the teacher says of a training sample",
            world=crossfit.through_fitted_projection,
        ),
        Study("variants", unchanged, heading="Variants of the soft constraint", axis="the unchanged task"),
    )
}
