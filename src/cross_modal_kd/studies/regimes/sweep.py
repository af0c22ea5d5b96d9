"""From the conditions of a study to its trained arms and its table (imports torch: reached from nodes only)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from cross_modal_kd.config import ArmsConfig
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.studies.folds import FoldTrainings, measure_over_folds, over_folds
from cross_modal_kd.studies.grid import Job, Outcome, train_grid
from cross_modal_kd.studies.measure import Embeddings, measure, of_kind
from cross_modal_kd.studies.regimes.components import Against, components_table
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.weight import weighed
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.studies.table import Contrasts, by_arm, comparison_table
from cross_modal_kd.studies.unseen import unseen_columns
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import train_arm

if TYPE_CHECKING:
    from cross_modal_kd.studies.regimes.studies import Study


@dataclass(frozen=True)
class Trained:
    """A condition, and every arm and seed under it.

    Attributes:
        condition: that the arms with constraints are trained under.
        outcomes: a seed's arms beside one another, seeds in their order.
    """

    condition: Condition
    outcomes: list[Outcome]


class Tables(NamedTuple):
    """What came of a study, or of one condition of it.

    table: a row an arm, condition and test. spread: a row an arm and contrast, with what the seeds and the clusters
    contribute to their uncertainty.
    """

    table: pd.DataFrame
    spread: pd.DataFrame


def study_tables(study: "Study", worlds: Sequence[World], regimes: RegimesConfig, store: Path) -> Tables:
    """A row an arm, condition and test; what is in the store already is not trained again.

    Args:
        study: says what is varied and which tests there are.
        worlds: of the task, one a fold: of several the scores are pooled, so that every cluster is tested once.
        regimes: seeds, baseline, intervals, and the block of the study.
        store: folder of all regimes' trainings; it grows by one folder an arm, condition and seed.

    Returns:
        Two tables of study, condition, value, and then the columns of ``comparison_table`` (errors are shares, not
        percent), those of ``unseen_columns`` and the facts of the conditions, and those of ``components_table``. Rows
        are in the order of tests, then conditions, then arms. Over several folds both have a column ``folds``, how
        many, and a fact is the mean over them.
    """
    block, folds = getattr(regimes, study.name), [study.world(world) for world in worlds]
    trained = [
        train_all(world, study.conditions(world, block, store), block.arms, regimes.seeds, store, number)
        for number, world in enumerate(folds, start=1)
    ]
    tests = [study.tests(world, block) for world in folds]
    tables = [
        rows_of(study.name, folds, regimes, same, name, [test[name] for test in tests])
        for name in tests[0]
        for same in zip(*trained, strict=True)
    ]
    return Tables(*(pd.concat(each, ignore_index=True) for each in zip(*tables, strict=True)))


def train_all(
    world: World, conditions: Iterable[Condition], arms: list[str], seeds: list[int], store: Path, fold: int = 1
) -> list[Trained]:
    """Every arm and seed under every condition; what is in the store already is taken from there.

    Seeds outermost, so that an interrupted study holds whole rounds. Arms that learn from labels alone are trained
    under the condition's ``alone``, where it has one.

    Args:
        world: gives the arms and what outcomes are embedded on.
        conditions: all are held at once, with their inputs.
        arms: names of arms of the world, for conditions without arms of their own.
        seeds: of the student's start and of the order of its batches; a condition may take the first of them alone.
        store: folder of the trainings.
        fold: number of the world's, from 1.

    Returns:
        One for each condition, in their order.
    """
    conditions = list(conditions)
    numbered = [
        (number, name, seed)
        for place, seed in enumerate(seeds)
        for number, condition in enumerate(conditions)
        for name in _trained(condition, arms)
        if condition.seeds is None or place < condition.seeds
    ]
    planned = [_plan(world, conditions[number], name, seed, fold) for number, name, seed in numbered]
    jobs = [job for job, _ in planned]
    under = {job.key(world.fingerprint): condition for job, condition in planned}
    outcomes = train_grid(jobs, store, world, partial(_train, under, world.fingerprint))
    return [
        Trained(condition, [outcome for (at, _, _), outcome in zip(numbered, outcomes, strict=True) if at == number])
        for number, condition in enumerate(conditions)
    ]


def _trained(condition: Condition, arms: list[str]) -> list[str]:
    """Names of the arms that are trained under a condition."""
    return arms if condition.arms is None else list(condition.arms.root)


def _plan(world: World, condition: Condition, name: str, seed: int, fold: int) -> tuple[Job, Condition]:
    """The training of an arm, and the condition that it is trained under."""
    arm = weighed((condition.arms or world.arms).get(name), condition.weight)
    chosen = condition if arm.learns_from_unlabelled else condition.alone or condition
    budget = chosen.training.model_copy(update={"seed": seed})
    varied = {**chosen.varied, "fold": fold} if fold > 1 else chosen.varied
    return Job(name, arm, chosen.student, budget, varied), chosen


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
    study: str,
    worlds: Sequence[World],
    regimes: RegimesConfig,
    same: Sequence[Trained],
    test: str,
    embeddings: Sequence[Embeddings | None],
) -> Tables:
    """A row an arm under one condition. ``difference_to_other`` is to the arm that ``regimes.against`` names.

    Args:
        study: its name, a column of the table.
        worlds: of the study, one a fold.
        regimes: baseline, contrasts, resamples and level of the intervals.
        same: the condition with its outcomes, in each fold.
        test: its name, in place of the condition's; empty keeps that.
        embeddings: of an outcome of each fold, in place of those of the clean test split.

    Returns:
        The columns of ``study_tables``.
    """
    (world, *_), condition = worlds, same[0].condition
    metrics = _measured(worlds, regimes, same, embeddings)
    baseline, here = condition.baseline or regimes.baseline, condition.arms or world.arms
    arms = ArmsConfig({**world.arms.root, **here.root})
    outcomes = over_folds([trained.outcomes for trained in same])
    results, contrasts = by_arm(outcomes, metrics), Contrasts(baseline, regimes.against, regimes.level)
    table = comparison_table(results, kind_of(world.task), contrasts, arms)
    table = table.rename(columns=_to_other).join(unseen_columns(results, regimes.level))
    about = {"study": study, "condition": test or condition.name, "value": condition.value}
    against = Against(baseline, regimes.against, regimes.level)
    spread = components_table(results, kind_of(world.task), against, arms)
    facts = {name: _mean([trained.condition.facts[name] for trained in same]) for name in condition.facts}
    folds = {"folds": len(same)} if len(same) > 1 else {}
    return Tables(_named(table.assign(**facts, **folds), about), _named(spread.assign(**folds), about))


def _measured(
    worlds: Sequence[World], regimes: RegimesConfig, same: Sequence[Trained], embeddings: Sequence[Embeddings | None]
) -> list[MetricSet]:
    """Of every outcome of a condition, on its own test split or over all folds."""
    resampling = {"bootstrap": regimes.bootstrap, "level": regimes.level}
    if len(same) > 1:
        tested = [
            FoldTrainings(world, trained.outcomes, trained.condition.teacher, trained.condition.projections, embed)
            for world, trained, embed in zip(worlds, same, embeddings, strict=True)
        ]
        return measure_over_folds(tested, resampling)
    ((condition, outcomes),) = [(trained.condition, trained.outcomes) for trained in same]
    said = f"measuring {condition.name}"
    return measure(worlds[0], outcomes, resampling, condition.teacher, condition.projections, embeddings[0], said)


def _mean(values: Sequence[Any]) -> Any:
    """The value, where it is the same in every fold; else the mean of the numbers."""
    return values[0] if all(value == values[0] for value in values) else float(np.mean(values))


def _named(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """The table, with what it is of in its first columns."""
    table = table.assign(**about)
    return table[[*about, *(column for column in table if column not in about)]]


def _to_other(column: str) -> str:
    """The name of a column that the comparison calls after the hard counterpart: here it may be any arm."""
    return "other_arm" if column == "hard_arm" else column.replace("_to_hard", "_to_other")
