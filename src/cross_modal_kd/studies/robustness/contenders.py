"""Who is tested: the two students of ``distill``, or every arm and seed of the comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cross_modal_kd.config import ArmConfig, ArmsConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.grid import Job, Outcome, grid_jobs, run_grid


@dataclass(frozen=True)
class Contender:
    """One arm, and its student of every seed.

    Attributes:
        arm: its name in the table.
        title: its name in plots.
        projection: kind that it was bound through; ``no teacher`` where it has no constraint.
        students: S trained students.
        seeds: (S,) seed of each.
    """

    arm: str
    title: str
    projection: str
    students: list[ModelBundle]
    seeds: list[int]


def stored_outcomes(context: Context, grid: ComparisonConfig, store: Path) -> list[Outcome]:
    """The outcomes of the comparison's trainings; nothing is trained.

    Args:
        context: gives configuration and fingerprint of the data, by which trainings are found.
        grid: the block ``comparison``: arms, projections and seeds.
        store: folder of the comparison's trainings.

    Returns:
        An outcome for each arm, projection and seed, seeds outermost.

    Raises:
        ValueError: one of them was not trained yet.
    """

    def refuse(job: Job, _: Path) -> tuple[ModelBundle, pd.DataFrame]:
        raise ValueError(
            f"robustness.from_comparison: {store} has no finished arm {job.arm!r} ({job.config.projection}) of seed "
            f"{job.seed} for these parameters and data; run kedro run --pipeline=comparison first, "
            "with the same --env and --params"
        )

    def never(*_: object) -> EmbeddingTable:
        raise AssertionError("a training that was refused has nothing to embed")

    about = context.configuration
    jobs = grid_jobs(grid, about.arms, about.student, about.training)
    return run_grid(jobs, store, context.fingerprint, refuse, never)


def contenders_of(outcomes: list[Outcome], arms: ArmsConfig, baseline: str) -> list[Contender]:
    """One contender an arm and projection, the baseline first.

    Args:
        outcomes: of any number of arms, projections and seeds.
        arms: the block in which the arms are described.
        baseline: name of the arm that comes first.

    Returns:
        Contenders, beside the baseline in the order in which their first outcome comes.
    """
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
    """The students of the catalog, each of one seed.

    Args:
        students: by what they are called in the catalog.
        arms: the block in which the arms are described.
        names: which arm of the block each was trained as, by the same keys.
        seed: that all were trained with.

    Returns:
        A contender for each student, in their order.
    """
    trained_as = {key: arms.get(names[key]) for key in students}
    return [_contender(key, arm, arm.projection, [students[key]], [seed]) for key, arm in trained_as.items()]


def _contender(key: str, arm: ArmConfig, kind: str, students: list[ModelBundle], seeds: list[int]) -> Contender:
    return Contender(key, arm.title or key, kind if arm.constraints else "no teacher", students, seeds)
