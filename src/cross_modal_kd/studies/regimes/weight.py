"""Lighter and heavier constraints: what the margin is for (imports torch: reached from nodes only)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cross_modal_kd.config import ArmConfig
from cross_modal_kd.studies.regimes import labels
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import Capacity, LabelsStudy, WeightStudy
from cross_modal_kd.studies.regimes.length import lengthened
from cross_modal_kd.studies.regimes.width import widened
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


def conditions(world: World, study: WeightStudy, store: Path) -> Iterator[Condition]:
    """One a factor.

    Args:
        world: of the task.
        study: the factors, the labels that are held back, and the student's capacity.
        store: the folder of the study, where the projections of few labels are kept.

    Yields:
        A condition whose value, and weight, is the factor.
    """
    base = Condition.of(world, "", 0.0)
    if few := study.labelled:
        block = LabelsStudy(arms=study.arms, shares=[few.share], draw=few.draw, labelled_in_batch=few.in_batch)
        base = next(iter(labels.conditions(world, block, store)))
    if study.capacity is not None:
        alone = base.alone and able(base.alone, study.capacity)
        base = replace(able(base, study.capacity), alone=alone)
    for factor in study.factors:
        yield replace(base, name=f"weight x {factor:g}", value=factor, weight=factor)


def able(condition: Condition, capacity: Capacity) -> Condition:
    """The condition with a student that can come nearer to its teacher.

    Args:
        condition: gives the student and its training.
        capacity: its width, the length of its training, and whether inputs are augmented.

    Returns:
        The changed condition.
    """
    training = lengthened(condition.training, capacity.length) if capacity.length != 1 else condition.training
    return replace(
        condition,
        student=widened(condition.student, capacity.width, capacity.options, capacity.divisor),
        training=training.model_copy(update={"augment": training.augment and capacity.augment}),
    )
