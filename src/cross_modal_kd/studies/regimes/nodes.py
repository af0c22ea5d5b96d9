"""Studies of when distillation pays; thin nodes over the files beside this one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import IngestionConfig, QualityConfig, TeacherConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.regimes.config import SPREAD, RegimesConfig
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.tasks import kind_of


class Drawn(NamedTuple):
    """The table of a study, and its figure."""

    table: pd.DataFrame
    plot: Any


class Studied(NamedTuple):
    """The table of a study, its figure, and how sure its errors are."""

    table: pd.DataFrame
    plot: Any
    spread: pd.DataFrame


def gather_world(
    context: Context, quality: QualityConfig, quality_measures: pd.DataFrame, teacher: TeacherConfig
) -> World:
    """The context of all studies, with the quality measures.

    Args:
        context: of all studies.
        quality: the block of that name, by which damaged samples are measured and scored again.
        quality_measures: of every undamaged sample: sample_id, modality, one column a measure.
        teacher: whether its answers to the texts of an instance are averaged.

    Returns:
        What every study of the regimes starts from.
    """
    return World.of(context, quality, quality_measures, teacher)


def prepare_worlds(
    world: World, regimes: RegimesConfig, ingestion: IngestionConfig, store: Path, embedding_cache: Path
) -> list[World]:
    """The world of each fold that the studies are trained and tested in: of the split as it is, and of any others.

    Args:
        world: of the split as it is; its ``evaluation.folds`` says how many folds there are.
        regimes: ``over_folds``.
        ingestion: the shares of training and dev, and the seed of the draws.
        store: folder of the trainings; teachers and projections of further folds are kept in its ``folds``.
        embedding_cache: of the teacher's embeddings.

    Returns:
        The given world alone, or a world a fold, the given one first.
    """
    if not regimes.over_folds:
        return [world]
    from cross_modal_kd.studies.folds import other_folds

    quality, measures, teacher = world.quality, world.quality_measures, world.teacher
    others = other_folds(world, ingestion, quality, teacher, measures, store, embedding_cache)
    return [
        world,
        *(World.of(other, quality, measures, teacher, fold) for fold, other in enumerate(others, start=2)),
    ]


def study(name: str) -> Callable[[list[World], RegimesConfig, Path], Drawn | Studied]:
    """The node of one study.

    Args:
        name: a key of ``STUDIES``: the study's block of parameters.

    Returns:
        (worlds, regimes, store) -> the study's table, of ``study_tables``, and its plot, and of the studies ``SPREAD``
        a second table; it is called ``study_<name>``.
    """

    def run_study(worlds: list[World], regimes: RegimesConfig, store: Path) -> Drawn | Studied:
        from cross_modal_kd.studies.headline import log_arms
        from cross_modal_kd.studies.regimes.studies import STUDIES
        from cross_modal_kd.studies.regimes.sweep import study_tables

        table, spread = study_tables(STUDIES[name], worlds, regimes, store)
        world = worlds[0]
        log_arms(table, kind_of(world.task))
        plot = STUDIES[name].draw(table, STUDIES[name].look(world, regimes, table))
        return Studied(table, plot, spread) if name in SPREAD else Drawn(table, plot)

    run_study.__name__ = f"study_{name}"
    run_study.__annotations__["return"] = Studied if name in SPREAD else Drawn
    return run_study


def join_studies(**studies: pd.DataFrame) -> pd.DataFrame:
    """All studies in one table; a column that a study has not is empty there.

    Args:
        **studies: table of each study, by its name.

    Returns:
        Their rows, in the order of the arguments.
    """
    return pd.concat(list(studies.values()), ignore_index=True)
