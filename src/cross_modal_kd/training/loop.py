"""The training loop: one for students and trained teachers, on the device of the Fabric that it is given.

Where several ranks share a training, each runs this loop on its own part of every batch. The first one alone measures,
writes and says something; the others are given what it has measured.

``fit`` is the whole of it: ``set_up``, then for every epoch ``train_epoch``, ``validate`` and ``Running.save``, until
``stopped``.
"""

import logging
import math
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cross_modal_kd.compute import kept_memory, progress_bar, repeatable
from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.losses import full_products
from cross_modal_kd.training.average import Average, MeanOfEpochs
from cross_modal_kd.training.bf16 import refused_on_cpu
from cross_modal_kd.training.checkpoint import Checkpoint
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.gpu import compiled, eager, laid_out, scales_loss
from cross_modal_kd.training.groups import freeze, parameter_groups
from cross_modal_kd.training.module import Batch, DistillationModule
from cross_modal_kd.training.plan import Plan, Progress, long_enough, stopped
from cross_modal_kd.training.reader import BatchReader
from cross_modal_kd.training.running import Running
from cross_modal_kd.training.schedule import build_optimizer, build_schedule
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.workers import described

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from tqdm import tqdm

logger = logging.getLogger(__name__)


def fit(module: DistillationModule, data: TrainingData, plan: Plan, fabric: "Fabric") -> list[dict[str, float]]:
    """Train ``module`` in place and leave it with the weights that are best on dev.

    Args:
        module: student, classifier, objective and projection.
        data: the training split.
        plan: how the training runs.
        fabric: what places the module and runs its steps; of ``compute.make_fabric``.

    Returns:
        The history, one row an epoch: epoch (from 1), loss, every part of the objective, ``data_wait_share`` (of the
        time of its steps, for which batches were waited), the dev metric where it was looked at, the learning rate, and
        the seconds that the epoch took.

    Raises:
        ValueError: a label has no class; the checkpoint belongs to another training; the loss is not finite; a
            convolution has no gradient in the precision that is asked for; the dev metric by which the best epoch is to
            be chosen is not a number.
    """
    plan = long_enough(plan, data)
    config, running = plan.config, set_up(module, data, plan, fabric)
    progress, first = running.progress, running.first
    bounds: dict[str, Any] = {"total": running.reader.total, "initial": running.reader.steps * progress.epoch}
    if first:
        logger.info("%s: %s", plan.description, described(data.inputs, running.reader.workers))
    with (
        kept_memory(),
        running.reading(),
        refused_on_cpu(module, fabric.device, fabric.strategy.precision.precision),
        progress_bar(**bounds, desc=plan.description, unit="step", leave=False, disable=not first) as bar,
    ):
        while not stopped(progress, config):
            started = time.perf_counter()
            row = train_epoch(running, plan, fabric, bar)
            if progress.epoch + 1 < config.epochs:
                running.reader.ahead(progress.epoch + 1)
            validate(running, plan, row, fabric)
            row |= {"lr": float(running.schedule.get_last_lr()[0]), "seconds": time.perf_counter() - started}
            progress.history.append(row)
            progress.epoch += 1
            bar.set_postfix(_shown(row, progress, plan.dev.name), refresh=False)
            if plan.on_epoch is not None and first:
                plan.on_epoch(row, progress.epoch)
            running.save(config, fabric)
    running.finish()
    return progress.history


def set_up(module: DistillationModule, data: TrainingData, plan: Plan, fabric: "Fabric") -> Running:
    """Optimizer, schedule and batches, on the device, at the start or where an interrupted training stood.

    Args:
        module: what is trained; moved to the device.
        data: the training split.
        plan: how the training runs; ``plan.checkpoint`` is read where it exists.
        fabric: what places the module and runs its steps.

    Returns:
        The training, ready for its next epoch.

    Raises:
        ValueError: a label has no class, or the checkpoint belongs to another training.
    """
    config = plan.config
    data.check_labels(module.classifier.n_classes)
    torch.manual_seed(derive_seed("initial", config.seed))
    if config.frozen:
        freeze(module, config.frozen)
    place, views = (fabric.world_size, fabric.global_rank), module.views is not None
    reader = BatchReader(data, config, fabric.device, plan.augment, module.needs_bank, place, plan.mixup, views)
    on_gpu, on_cpu = (fabric.device.type == name for name in ("cuda", "cpu"))
    laid_out(module.student, fabric.device)
    # None leaves the choice to torch. On a CPU a fused step rounds otherwise, one over lists is the same to the bit.
    fused, foreach = True if on_gpu and not scales_loss(fabric) else None, True if on_cpu else None
    optimizer = build_optimizer(parameter_groups(module, config, plan.joint_lr_scale), config, fused, foreach)
    schedule = build_schedule(optimizer, config, reader.total, reader.steps)
    if config.schedule == "cyclic" and reader.total < config.step_size and fabric.is_global_zero:
        logger.warning(
            "%s: its %d steps are fewer than training.step_size = %d, so that the learning rate never reaches "
            "training.lr = %g; make step_size smaller, or the training longer",
            *(plan.description, reader.total, config.step_size, config.lr),
        )
    if config.compute.sync_batchnorm and on_gpu and fabric.world_size > 1:
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
    wrapped, optimizer = fabric.setup(module, optimizer)
    checkpoint = None if plan.checkpoint is None else Checkpoint(plan.checkpoint)
    running = Running(module, wrapped, optimizer, schedule, reader, checkpoint, first=fabric.is_global_zero)
    if config.ema is not None:
        running.average = Average(module, config.ema)
    if config.keep == "average":
        running.tail = MeanOfEpochs(module)
    if config.margin_schedule is not None:
        running.margin = margin_of(module, plan.description)
    running.resume(config, fabric)
    running.compiling = config.compile and compiled(module.student, fabric.device, plan.description)
    return running


def margin_of(module: DistillationModule, description: str) -> float:
    """The margin of a module's classifier.

    Args:
        module: whose classifier is asked.
        description: of the training, for the error.

    Returns:
        In radians.

    Raises:
        ValueError: it has none.
    """
    if (margin := getattr(module.classifier, "margin", None)) is None:
        raise ValueError(
            f"{description}: training.margin_schedule and training.large_margin move the margin of an AAM-softmax, "
            f"which {type(module.classifier).__name__} has not; take them away"
        )
    return float(margin)


def train_epoch(running: Running, plan: Plan, fabric: "Fabric", bar: "tqdm[Any]") -> dict[str, float]:
    """One pass over the training split.

    The sums stay on the device until the epoch is over: no step waits for the one before.

    Args:
        running: the training; its module, optimizer and schedule are moved on.
        plan: its configuration counts, and its description for an error.
        fabric: what runs the steps.
        bar: of the progress, moved on by one a step.

    Returns:
        ``epoch`` (from 1), the mean over the steps of ``loss`` and of every part of the objective, and
        ``data_wait_share``, in [0, 1].

    Raises:
        ValueError: the loss is not finite.
    """
    config, epoch = plan.config, running.progress.epoch
    own = [fabric.global_rank] if fabric.global_rank else []  # dropout of others than the first is other dropout
    torch.manual_seed(derive_seed("epoch", config.seed, epoch, *own))
    running.module.train()
    sums: dict[str, Tensor] = {}
    started, waited = time.perf_counter(), running.reader.waited
    with full_products(fabric.device), repeatable(fabric.device, config.deterministic):
        for batch in running.reader.epoch(epoch):
            begun = time.perf_counter()
            if config.margin_schedule is not None:
                done = batch.progress * running.reader.total / running.reader.steps
                margin = config.margin_schedule.at(done, running.margin)
                running.module.classifier.margin = margin  # type: ignore[assignment]
            values = _step(running, batch, config, fabric)
            for name, value in values.items():
                if name not in sums:
                    sums[name] = torch.zeros_like(value)
            torch._foreach_add_([sums[name] for name in values], list(values.values()))  # one kernel for all on a GPU
            if running.compiling:
                seconds = time.perf_counter() - begun
                logger.info("%s: the first step took %.0f s, for training.compile", plan.description, seconds)
                running.compiling = False
            bar.update(int(batch.last))
    steps = min(running.reader.steps, running.reader.total - epoch * running.reader.steps)
    means = zip(sums, torch.stack(list(sums.values())).tolist(), strict=True)
    row = {"epoch": float(epoch + 1)} | {name: value / steps for name, value in means}
    row["data_wait_share"] = (running.reader.waited - waited) / (time.perf_counter() - started)
    if not math.isfinite(row["loss"]):
        raise ValueError(
            f"{plan.description}: the loss is {row['loss']} in epoch {epoch + 1}; lower training.lr ({config.lr:g}) or "
            "the weights of the constraints"
        )
    return row


def _step(running: Running, batch: Batch, config: TrainingConfig, fabric: "Fabric") -> dict[str, Tensor]:
    """The gradients of one batch, and a step where it is the last of its step.

    Returns:
        The loss and its parts, detached, on the device; those of all batches of a step sum to the step's.
    """
    with nullcontext() if batch.last or not batch.part.spread else fabric.no_backward_sync(running.wrapped):
        total, parts = running.wrapped(batch)
        fabric.backward(total)
    values = {"loss": total.detach(), **parts}
    if not batch.last:
        return values
    if config.grad_clip is not None:
        fabric.clip_gradients(running.wrapped, running.optimizer, max_norm=config.grad_clip, error_if_nonfinite=False)
    running.optimizer.step()
    running.optimizer.zero_grad()
    running.schedule.step()
    if running.average is not None:
        running.average.update()
    return values


def validate(running: Running, plan: Plan, row: dict[str, float], fabric: "Fabric") -> None:
    """Look at the dev split where it is time to, and keep the weights where they are better.

    Args:
        running: the training, whose current epoch is not yet counted in ``progress``; its best is brought up to date.
        plan: dev metric and configuration; the last epoch and every ``eval_every``-th are looked at.
        row: of the history; the value is noted in it as ``dev_<name>``.
        fabric: by which the first rank, which measures, tells the others.

    Raises:
        ValueError: the metric is not a number and the best epoch is to be chosen by it.
    """
    config, dev, epoch = plan.config, plan.dev, running.progress.epoch + 1
    if running.tail is not None and epoch > config.epochs - config.average_epochs:
        running.tail.update()
        if epoch == config.epochs:
            running.tail.settle()
    if epoch < config.epochs and epoch % config.eval_every:
        return
    running.module.eval()
    with nullcontext() if running.average is None else running.average.in_place():
        value = math.nan
        if running.first:
            with torch.no_grad(), eager(config.compile):
                value = dev.measure(running.module.student)
        value = fabric.broadcast(value)
        _keep_best(running, plan, row, value)


def _keep_best(running: Running, plan: Plan, row: dict[str, float], value: float) -> None:
    """Note the dev metric of the module as it is, and its weights where they are better."""
    config, dev, progress, epoch = plan.config, plan.dev, running.progress, running.progress.epoch + 1
    if math.isnan(value) and config.keep == "best":
        raise ValueError(
            f"{plan.description}: dev {dev.name} is not a number in epoch {epoch}, so no epoch is the best; give the "
            "dev split samples that it is defined for (an EER: two of one label, and two labels), or set "
            "training.keep to 'last'"
        )
    row[f"dev_{dev.name}"] = value
    if config.keep != "best" or dev.better(value, progress.best):
        progress.best, progress.best_epoch = value, epoch
        if running.first:
            running.best = {name: each.detach().cpu().clone() for name, each in running.module.state_dict().items()}


def _shown(row: dict[str, float], progress: Progress, metric: str) -> dict[str, str]:
    """What stands beside the progress bar."""
    best = {} if progress.best is None else {f"best dev {metric}": f"{progress.best:.4f}"}
    return {"loss": f"{row['loss']:.3f}", **best}
