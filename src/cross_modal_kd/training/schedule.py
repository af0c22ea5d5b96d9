"""The optimiser of a training, and how its learning rates go from step to step."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from cross_modal_kd.config import TrainingConfig


def build_optimizer(
    groups: list[dict[str, Any]], config: TrainingConfig, fused: bool | None, foreach: bool | None
) -> torch.optim.Optimizer:
    """AdamW, Adam, or SGD with Nesterov's momentum.

    Of a weight w with the gradient g and the decay c, Adam's and SGD's steps are those of g + c w (L2); AdamW's is that
    of g, taken from w (1 - lr c) (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019).

    Args:
        groups: of parameters, each with its learning rate and weight decay.
        config: ``optimizer`` and ``momentum`` count.
        fused: one kernel for all parameters; None leaves the choice to torch.
        foreach: one call for lists of parameters; likewise.

    Returns:
        The optimiser.
    """
    how: dict[str, Any] = {"fused": fused, "foreach": foreach}
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=True, **how)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, **how)


def build_schedule(optimizer: torch.optim.Optimizer, config: TrainingConfig, total: int, steps: int) -> LRScheduler:
    """The learning rates of every step, as ``config.schedule`` says; each group's in proportion to its own.

    Args:
        optimizer: whose groups have the highest rates.
        config: of the training.
        total: T, steps of the training.
        steps: of an epoch.

    Returns:
        A schedule, to be stepped after every step.
    """
    if config.schedule == "one_cycle":
        rates = [group["lr"] for group in optimizer.param_groups]
        cycles = config.optimizer != "sgd"
        share = max(config.warmup, 1e-3)
        return OneCycleLR(optimizer, rates, total_steps=total + 1, pct_start=share, cycle_momentum=cycles)
    return LambdaLR(optimizer, rate_of(config, total, steps))


def rate_of(config: TrainingConfig, total: int, steps: int) -> Callable[[int], float]:
    """The learning rate of a step over ``config.lr``, of the schedules ``exponential``, ``cosine`` and ``cyclic``.

    Args:
        config: ``schedule``, ``lr``, ``final_lr``, ``warmup_epochs`` and ``step_size`` count.
        total: T, steps of the training.
        steps: of an epoch.

    Returns:
        Step, counted from 0, to a factor in [0, 1].
    """
    least, warm = config.final_lr / config.lr, config.warmup_epochs * steps

    def exponential(step: int) -> float:
        return (min(1.0, step / warm) if warm else 1.0) * least ** min(1.0, step / total)

    def cosine(step: int) -> float:
        if step < warm:
            return step / warm
        place = min(1.0, (step - warm) / max(1.0, total - warm))
        return least + (1 - least) * (1 + math.cos(math.pi * place)) / 2

    def cyclic(step: int) -> float:
        return least + (1 - least) * (1 - abs(1 - step % (2 * config.step_size) / config.step_size))

    return {"exponential": exponential, "cosine": cosine, "cyclic": cyclic}[config.schedule]
