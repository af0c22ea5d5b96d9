"""Shorter and longer trainings (imports torch: reached from nodes only)."""

from collections.abc import Iterator
from pathlib import Path

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import LengthStudy
from cross_modal_kd.studies.regimes.world import World


def lengthened(training: TrainingConfig, factor: float) -> TrainingConfig:
    """The training with that many times its epochs, and as many looks at dev.

    Args:
        training: ``epochs``, ``eval_every`` and, where it is given, ``steps`` are changed.
        factor: above 0; both are rounded, and 1 at least.

    Returns:
        The changed block.
    """
    lengths = {name: getattr(training, name) for name in ("epochs", "eval_every", "steps")}
    changed = {name: None if length is None else max(1, round(factor * length)) for name, length in lengths.items()}
    return training.model_copy(update=changed | {"min_steps": None})


def conditions(world: World, study: LengthStudy, _store: Path) -> Iterator[Condition]:
    """One a factor.

    Args:
        world: gives the training that is lengthened.
        study: the factors.
        _store: plays no part.

    Yields:
        A condition whose value is the factor. Fact: epochs.
    """
    for factor in study.factors:
        training = lengthened(world.configuration.training, factor)
        yield Condition.of(
            world, f"{training.epochs} epochs", factor, training=training, facts={"epochs": training.epochs}
        )
