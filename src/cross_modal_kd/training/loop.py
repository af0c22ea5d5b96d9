"""The training loop: one for students and trained teachers, on whatever device Fabric finds."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.modalities.inputs import Augment
from cross_modal_kd.models.student import Student
from cross_modal_kd.training.checkpoint import load_state, save_state, to_device
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.module import Batch, DistillationModule
from cross_modal_kd.training.seeds import derive_seed


@dataclass(frozen=True)
class DevMetric:
    """What the best checkpoint is chosen by: ``measure`` of a student on the dev split, larger or smaller is better."""

    name: str
    measure: Callable[[Student], float]
    larger_is_better: bool

    def better(self, value: float, best: float | None) -> bool:
        return best is None or (value > best if self.larger_is_better else value < best)


@dataclass
class Progress:
    """Where a training stands: enough, with the module and the optimizer, to go on as if it had never stopped."""

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def pick_precision(config: TrainingConfig) -> str:
    """``auto`` is bf16-mixed where the GPU does it in hardware, 32-true elsewhere.

    Not on a CPU, though some have it: small networks then met numbers that depend on what lay in memory before.
    """
    if config.precision != "auto":
        return config.precision
    cuda = config.accelerator in ("auto", "cuda") and torch.cuda.is_available() and torch.cuda.is_bf16_supported(False)
    return "bf16-mixed" if cuda else "32-true"


def fit(
    module: DistillationModule,
    data: TrainingData,
    config: TrainingConfig,
    dev: DevMetric,
    *,
    augment: Augment | None = None,
    checkpoint: Path | None = None,
    on_epoch: Callable[[dict[str, float], int], None] | None = None,
    description: str = "training",
    joint_lr_scale: float = 0.1,
) -> list[dict[str, float]]:
    """Train ``module`` in place, leave it with the weights that are best on dev, and return one row an epoch.

    checkpoint: a file written after every epoch; where it exists the training goes on from it, to the same result as if
    it had not been interrupted (every random choice is drawn from (seed, epoch), none from what went before). It is
    removed at the end. on_epoch: called with each row and its epoch.

    Raises:
        ValueError: the checkpoint belongs to another training or is damaged; the loss is not finite; the dev metric by
        which the best epoch is to be chosen is not a number.
    """
    torch.manual_seed(derive_seed("initial", config.seed))
    fabric = Fabric(accelerator=config.accelerator, devices=1, precision=pick_precision(config))  # type: ignore[arg-type]
    steps = data.steps(config.batch_size)
    optimizer = torch.optim.AdamW(_groups(module, config, joint_lr_scale))
    schedule = OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=steps * config.epochs + 1,
        pct_start=max(config.warmup, 1e-3),
    )
    wrapped, optimizer = fabric.setup(module, optimizer)
    teacher = None if data.teacher is None else data.teacher.to(fabric.device)
    columns = [value.to(fabric.device) for value in (data.labels, data.task_weights, data.kd_weights)]
    progress, best_state = Progress(), _weights(module)
    if checkpoint is not None and checkpoint.exists():
        progress, best_state = _resume(checkpoint, config, module, optimizer, schedule, fabric)

    bar = tqdm(total=steps * config.epochs, initial=steps * progress.epoch, desc=description, unit="step", leave=False)
    while progress.epoch < config.epochs:
        if config.patience is not None and _stale(progress, config) >= config.patience:
            break
        epoch, started = progress.epoch, time.perf_counter()
        torch.manual_seed(derive_seed("epoch", config.seed, epoch))
        changes, pairs = (
            Generator(fabric.device).manual_seed(derive_seed(purpose, config.seed, epoch))
            for purpose in ("augment", "pairs")
        )
        module.train()
        sums: dict[str, Tensor] = {}
        for step, (indices, inputs) in enumerate(data.epoch(config.seed, epoch, config.batch_size)):
            indices, inputs = indices.to(fabric.device), inputs.to(fabric.device, non_blocking=True)
            if augment is not None:
                inputs = augment(inputs, changes)
            partners = None if teacher is None else teacher.embeddings[teacher.draw(indices, pairs)]
            bank = teacher.bank(indices, pairs) if teacher is not None and module.needs_bank else None
            share = (epoch * steps + step) / (config.epochs * steps)
            known, weight, kd_weight = (column[indices] for column in columns)
            total, parts = wrapped(Batch(inputs, known, weight, kd_weight, partners, share, bank))
            optimizer.zero_grad()
            fabric.backward(total)
            if config.grad_clip is not None:
                fabric.clip_gradients(wrapped, optimizer, max_norm=config.grad_clip, error_if_nonfinite=False)
            optimizer.step()
            schedule.step()
            for name, value in {"loss": total.detach(), **parts}.items():
                sums[name] = sums.get(name, torch.zeros((), device=fabric.device)) + value
            bar.update()
        row = {"epoch": float(epoch + 1)} | {name: float(value) / steps for name, value in sums.items()}
        if not math.isfinite(row["loss"]):
            raise ValueError(
                f"{description}: the loss is {row['loss']} in epoch {epoch + 1}; lower training.lr ({config.lr:g}) or "
                "the weights of the constraints"
            )
        last = epoch + 1 == config.epochs
        if last or (epoch + 1) % config.eval_every == 0:
            module.eval()
            with torch.no_grad():
                value = dev.measure(module.student)
            if math.isnan(value) and config.keep == "best":
                raise ValueError(
                    f"{description}: dev {dev.name} is not a number in epoch {epoch + 1}, so no epoch is the best; "
                    "give the dev split samples that it is defined for (an EER: two of one label, and two labels), "
                    "or set training.keep to 'last'"
                )
            row[f"dev_{dev.name}"] = value
            if config.keep == "last" or dev.better(value, progress.best):
                progress.best, progress.best_epoch, best_state = value, epoch + 1, _weights(module)
        row["lr"], row["seconds"] = float(schedule.get_last_lr()[0]), time.perf_counter() - started
        progress.history.append(row)
        progress.epoch = epoch + 1
        shown = {"loss": f"{row['loss']:.3f}"}
        if progress.best is not None:
            shown[f"best dev {dev.name}"] = f"{progress.best:.4f}"
        bar.set_postfix(shown)
        if on_epoch is not None:
            on_epoch(row, epoch + 1)
        if checkpoint is not None:
            save_state(
                checkpoint,
                {
                    "training": config.model_dump(),
                    "progress": vars(progress),
                    "module": module.state_dict(),
                    "best": best_state,
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "precision": fabric.strategy.precision.state_dict(),
                },
            )
    bar.close()
    module.load_state_dict(best_state)
    module.eval()
    if checkpoint is not None:
        with suppress(FileNotFoundError):
            checkpoint.unlink()
    return progress.history


def _groups(module: DistillationModule, config: TrainingConfig, joint_lr_scale: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only; the projection, where it is trained too, at a lower rate."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    joint: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        group = joint if name.startswith("projection.") else decayed if parameter.ndim > 1 else plain
        group.append(parameter)
    groups = [
        {"params": decayed, "lr": config.lr, "weight_decay": config.weight_decay},
        {"params": plain, "lr": config.lr, "weight_decay": 0.0},
        {"params": joint, "lr": config.lr * joint_lr_scale, "weight_decay": config.weight_decay},
    ]
    return [group for group in groups if group["params"]]


def _weights(module: DistillationModule) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def _stale(progress: Progress, config: TrainingConfig) -> int:
    """Looks at dev since the best one."""
    return (progress.epoch - progress.best_epoch) // config.eval_every if progress.best is not None else 0


def _resume(
    checkpoint: Path,
    config: TrainingConfig,
    module: DistillationModule,
    optimizer: Any,
    schedule: OneCycleLR,
    fabric: Fabric,
) -> tuple[Progress, dict[str, Tensor]]:
    state = load_state(checkpoint)
    try:
        changed = [name for name, value in config.model_dump().items() if state["training"].get(name) != value]
        if changed:
            raise ValueError(f"training.{', training.'.join(changed)} differ")
        module.load_state_dict(state["module"])
        optimizer.load_state_dict(to_device(state["optimizer"], fabric.device))
        fabric.strategy.precision.load_state_dict(state["precision"])
        schedule.load_state_dict(state["schedule"])
        return Progress(**state["progress"]), state["best"]
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"{checkpoint} belongs to another training ({error}); delete it to start afresh") from error
