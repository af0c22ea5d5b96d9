"""What a training is to do, and how far it has come."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.modalities import Augment
from cross_modal_kd.models import Student
from cross_modal_kd.training.data import TrainingData

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DevMetric:
    """What the best weights are chosen by.

    Attributes:
        name: as the history's column ``dev_<name>`` has it.
        measure: of a student in evaluation mode, its value on the dev split; NaN where it is not defined.
        larger_is_better: whether a larger value is the better one.
    """

    name: str
    measure: Callable[[Student], float]
    larger_is_better: bool

    def better(self, value: float, best: float | None) -> bool:
        """Whether a value is better than the best before it; of equal values the first is kept.

        Args:
            value: of this epoch, not NaN.
            best: of the epochs before; None where there is none yet.

        Returns:
            True where ``value`` takes the place of ``best``.
        """
        return best is None or (value > best if self.larger_is_better else value < best)


@dataclass(frozen=True)
class Plan:
    """How a training runs.

    config: its length, steps and seed. dev: what chooses the weights. augment: of a batch of raw inputs. mixup: alpha
    of the mixing of its images, None mixes nothing.
    joint_lr_scale: learning rate of a projection that is trained too, over the student's.
    checkpoint: a file written after every epoch; where it exists the training goes on from it, to the same result as if
    it had not been interrupted (every random choice is drawn from (seed, epoch), none from what went before). It is
    removed at the end.
    on_epoch: called with each row of the history and its epoch, counted from 1, on the first rank; it may raise to
    stop.
    description: of the training, for the progress bar and for errors.
    """

    config: TrainingConfig
    dev: DevMetric
    augment: Augment | None = None
    mixup: float | None = None
    joint_lr_scale: float = 0.1
    checkpoint: Path | None = None
    on_epoch: Callable[[dict[str, float], int], None] | None = None
    description: str = "training"


@dataclass
class Progress:
    """Where a training stands: enough, with the module and the optimizer, to go on as if it had never stopped.

    Attributes:
        epoch: how many are done.
        best: dev metric of the weights that are kept; None where the dev split was not looked at yet.
        best_epoch: in which it was reached, counted from 1; 0 for None.
        history: one row an epoch, as ``fit`` gives it back.
    """

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def long_enough(plan: Plan, data: TrainingData) -> Plan:
    """The plan with the epochs that ``steps`` or ``min_steps`` ask for; what ``min_steps`` has added is said.

    Args:
        plan: as it was asked for.
        data: the training split, whose steps an epoch count.

    Returns:
        It, with ``config.epochs`` as they are trained.
    """
    steps = len(data.sampler(plan.config.batch_size, plan.config.seed))
    config = plan.config.for_steps(steps)
    if config.epochs > plan.config.epochs and config.steps is None:
        logger.info(
            "%s: %d epochs of %d steps in place of %d, so that it takes training.min_steps = %s; it stops after %s "
            "looks at dev that bring nothing better",
            plan.description,
            config.epochs,
            steps,
            plan.config.epochs,
            config.min_steps,
            config.patience,
        )
    return replace(plan, config=config)


def stopped(progress: Progress, config: TrainingConfig) -> bool:
    """Whether all epochs are done, or ``patience`` looks at dev have brought nothing better.

    Args:
        progress: epochs done, and the best of them.
        config: ``epochs``, ``patience`` and ``eval_every`` count.

    Returns:
        True where no further epoch is to be trained.
    """
    if progress.epoch >= config.epochs or config.patience is None or progress.best is None:
        return progress.epoch >= config.epochs
    return (progress.epoch - progress.best_epoch) // config.eval_every >= config.patience
