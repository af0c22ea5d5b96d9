"""Lighter and heavier constraints: what the margin is for (imports torch: reached from nodes only)."""

from collections.abc import Iterator
from pathlib import Path

from cross_modal_kd.config import ArmConfig
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import WeightStudy
from cross_modal_kd.studies.regimes.world import World


def weighed(arm: ArmConfig, factor: float) -> ArmConfig:
    """The arm with that many times the weight of each of its constraints.

    Args:
        arm: with or without constraints.
        factor: above 0.

    Returns:
        The changed arm; an arm without constraints is the same.
    """
    terms = {name: term.model_copy(update={"weight": factor * term.weight}) for name, term in arm.constraints.items()}
    return arm.model_copy(update={"constraints": terms})


def conditions(world: World, study: WeightStudy, _store: Path) -> Iterator[Condition]:
    """One a factor.

    Args:
        world: of the task.
        study: the factors.
        _store: plays no part.

    Yields:
        A condition whose value, and weight, is the factor.
    """
    for factor in study.factors:
        yield Condition.of(world, f"weight x {factor:g}", factor, weight=factor)
