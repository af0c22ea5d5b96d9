"""From the conditions of a study to its trained arms and its table (imports torch: reached from nodes only)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cross_modal_kd.models import ModelBundle
from cross_modal_kd.studies.grid import Job, Outcome, train_grid
from cross_modal_kd.studies.measure import Embeddings, measure, of_kind
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.weight import weighed
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.studies.table import Contrasts, by_arm, comparison_table
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import train_arm

if TYPE_CHECKING:
    from cross_modal_kd.studies.regimes.studies import Study

FIRST = ("study", "condition", "value")


@dataclass(frozen=True)
class Trained:
    """A condition, and every arm and seed under it.

    Attributes:
        condition: that the arms with constraints are trained under.
        outcomes: a seed's arms beside one another, seeds in their order.
    """

    condition: Condition
    outcomes: list[Outcome]


def study_table(study: "Study", world: World, regimes: RegimesConfig, store: Path) -> pd.DataFrame:
    """A row an arm, condition and test; what is in the store already is not trained again.

    Args:
        study: says what is varied and which tests there are.
        world: of the task.
        regimes: seeds, baseline, intervals, and the block of the study.
        store: folder of all regimes' trainings; it grows by one folder an arm, condition and seed.

    Returns:
        study, condition, value, then the columns of ``comparison_table`` (errors are shares, not percent) and the facts
        of the conditions. Rows are in the order of tests, then conditions, then arms.
    """
    world, block = study.world(world), getattr(regimes, study.name)
    trained = train_all(world, study.conditions(world, block, store), block.arms, regimes.seeds, store)
    tables = [
        rows_of(study.name, world, regimes, each, name, embeddings)
        for name, embeddings in study.tests(world, block).items()
        for each in trained
    ]
    return pd.concat(tables, ignore_index=True)


def train_all(
    world: World, conditions: Iterable[Condition], arms: list[str], seeds: list[int], store: Path
) -> list[Trained]:
    """Every arm and seed under every condition; what is in the store already is taken from there.

    Seeds outermost, so that an interrupted study holds whole rounds. Arms without constraints are trained under the
    condition's ``alone``, where it has one.

    Args:
        world: gives the arms and what outcomes are embedded on.
        conditions: all are held at once, with their inputs.
        arms: names of arms of the world.
        seeds: of the student's start and of the order of its batches.
        store: folder of the trainings.

    Returns:
        One for each condition, in their order.
    """
    conditions = list(conditions)
    planned = [_plan(world, condition, name, seed) for seed in seeds for condition in conditions for name in arms]
    jobs = [job for job, _ in planned]
    under = {job.key(world.fingerprint): condition for job, condition in planned}
    outcomes = train_grid(jobs, store, world, partial(_train, under, world.fingerprint))
    rounds = [outcomes[start : start + len(arms)] for start in range(0, len(outcomes), len(arms))]
    return [
        Trained(condition, [outcome for each in rounds[number :: len(conditions)] for outcome in each])
        for number, condition in enumerate(conditions)
    ]


def _plan(world: World, condition: Condition, name: str, seed: int) -> tuple[Job, Condition]:
    """The training of an arm, and the condition that it is trained under."""
    arm = weighed(world.arms.get(name), condition.weight)
    chosen = condition if arm.constraints else condition.alone or condition
    budget = chosen.training.model_copy(update={"seed": seed})
    return Job(name, arm, chosen.student, budget, chosen.varied), chosen


def _train(under: Mapping[str, Condition], data: str, job: Job, checkpoint: Path) -> tuple[ModelBundle, pd.DataFrame]:
    """Train under the condition of the job, by its run key with that data."""
    condition = under[job.key(data)]
    return train_arm(
        replace(condition.data, known=condition.labels, labelled_share=condition.labelled_share),
        job.student,
        job.training,
        job.config,
        of_kind(condition.bound_through or condition.projections, job.config.projection),
        name=job.arm,
        checkpoint=checkpoint,
    )


def rows_of(
    study: str, world: World, regimes: RegimesConfig, trained: Trained, test: str, embeddings: Embeddings | None
) -> pd.DataFrame:
    """A row an arm under one condition. ``difference_to_other`` is to the arm that ``regimes.against`` names.

    Args:
        study: its name, a column of the table.
        world: of the study.
        regimes: baseline, contrasts, resamples and level of the intervals.
        trained: a condition with its outcomes.
        test: its name, in place of the condition's; empty keeps that.
        embeddings: of an outcome, in place of those of the clean test split.

    Returns:
        The columns of ``study_table``.
    """
    condition, resampling = trained.condition, {"bootstrap": regimes.bootstrap, "level": regimes.level}
    teacher, projections = condition.teacher, condition.projections
    said = f"measuring {condition.name}"
    metrics = measure(world, trained.outcomes, resampling, teacher, projections, embeddings, said)
    contrasts = Contrasts(regimes.baseline, regimes.against, regimes.level)
    table = comparison_table(by_arm(trained.outcomes, metrics), kind_of(world.task), contrasts, world.arms)
    table = table.rename(columns=_to_other)
    table = table.assign(study=study, condition=test or condition.name, value=condition.value, **condition.facts)
    return table[[*FIRST, *(column for column in table if column not in FIRST)]]


def _to_other(column: str) -> str:
    """The name of a column that the comparison calls after the hard counterpart: here it may be any arm."""
    return "other_arm" if column == "hard_arm" else column.replace("_to_hard", "_to_other")
