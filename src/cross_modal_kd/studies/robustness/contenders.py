"""Who is tested: the two students of ``distill``, or every arm and seed of the comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.grid import Job, Outcome, grid_jobs, run_grid


@dataclass(frozen=True)
class Contender:
    """One arm, and its student of every seed."""

    arm: str
    title: str
    projection: str
    students: list[ModelBundle]
    seeds: list[int]


def stored_outcomes(context: Context, grid: ComparisonConfig, store: Path) -> list[Outcome]:
    """The outcomes of the comparison's trainings. Raises ValueError for one that was not trained yet."""

    def refuse(job: Job, _: Path) -> tuple[ModelBundle, pd.DataFrame]:
        raise ValueError(
            f"robustness.from_comparison: {store} has no finished arm {job.arm!r} ({job.config.projection}) of seed "
            f"{job.seed} for these parameters and data; run kedro run --pipeline=comparison first"
        )

    def never(*_: object) -> EmbeddingTable:
        raise AssertionError("a training that was refused has nothing to embed")

    about = context.configuration
    jobs = grid_jobs(grid, about.arms, about.student, about.training)
    return run_grid(jobs, store, context.fingerprint, refuse, never)


def contenders_of(outcomes: list[Outcome], arms: ArmsConfig, baseline: str) -> list[Contender]:
    """One contender an arm and projection, the baseline first."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.job.arm, outcome.job.config.projection), []).append(outcome)
    found = [
        _contender(name, arms.get(name), kind, [each.student for each in group], [each.job.seed for each in group])
        for (name, kind), group in groups.items()
    ]
    return sorted(found, key=lambda contender: contender.arm != baseline)


def two_contenders(
    students: Mapping[str, ModelBundle], arms: ArmsConfig, names: Mapping[str, str], seed: int
) -> list[Contender]:
    """The students of the catalog. names: which arm of the block ``arms`` each was trained as."""
    trained_as = {key: arms.get(names[key]) for key in students}
    return [_contender(key, arm, arm.projection, [students[key]], [seed]) for key, arm in trained_as.items()]


def _contender(key: str, arm: ArmConfig, kind: str, students: list[ModelBundle], seeds: list[int]) -> Contender:
    return Contender(key, arm.title or key, kind if arm.constraints else "no teacher", students, seeds)
