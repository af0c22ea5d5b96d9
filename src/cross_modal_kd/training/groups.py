"""Which parameters are trained, and at which rate: groups for the optimizer."""

from typing import Any

from torch import nn

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.training.module import DistillationModule


def parameter_groups(module: DistillationModule, config: TrainingConfig, joint_lr_scale: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only; the projection, where it is trained too, at a lower rate; layers at their own.

    Args:
        module: of which those are taken that are trained.
        config: ``lr``, ``weight_decay`` and ``layer_decay`` count.
        joint_lr_scale: learning rate of the projection, over the student's.

    Returns:
        Groups as torch's optimizers take them, with ``params``, ``lr`` and ``weight_decay``.
    """
    rates = {} if config.layer_decay is None else _layer_rates(module, config.layer_decay)
    groups: dict[tuple[int, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            kind = 2 if name.startswith("projection.") else 0 if parameter.ndim > 1 else 1
            groups.setdefault((kind, -rates.get(name, 1.0)), []).append(parameter)
    scale, decay = (1.0, 1.0, joint_lr_scale), (config.weight_decay, 0.0, config.weight_decay)
    return [
        {"params": found, "lr": config.lr * scale[kind] * -rate, "weight_decay": decay[kind]}
        for (kind, rate), found in sorted(groups.items(), key=lambda each: each[0])
    ]


def freeze(module: DistillationModule, count: int) -> None:
    """Leave the first layers of the student's encoder as they are.

    Args:
        module: whose parameters are changed in place.
        count: of the layers, from the input on.

    Raises:
        ValueError: there are not so many.
    """
    layers = module.student.encoder.layer_names()
    if count > len(layers):
        raise ValueError(f"training.frozen: the encoder has {len(layers)} layers, found {count}")
    parameters = dict(module.student.encoder.named_parameters())
    for names in layers[:count]:
        for name in names:
            parameters[name].requires_grad_(False)


def _layer_rates(module: DistillationModule, decay: float) -> dict[str, float]:
    """Factors of the learning rates of the student's encoder, by the names of parameters."""
    layers = module.student.encoder.layer_names()
    return {
        f"student.encoder.{name}": decay ** (len(layers) - number)
        for number, names in enumerate(layers)
        for name in names
    }
