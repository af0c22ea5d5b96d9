"""The training loop: one for students and trained teachers, on the device of the Fabric that it is given.

Where several ranks share a training, each runs this loop on its own part of every batch. The first one alone measures,
writes and says something; the others are given what it has measured.

``fit`` is the whole of it: ``set_up``, then for every epoch ``train_epoch``, ``validate`` and ``Running.save``, until
``stopped``.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from cross_modal_kd.compute import kept_memory, progress_bar, repeatable
from cross_modal_kd.config import DECIDES, ComputeConfig, TrainingConfig
from cross_modal_kd.losses import full_products
from cross_modal_kd.modalities import Augment
from cross_modal_kd.models import Student
from cross_modal_kd.training.average import Average, MeanOfEpochs
from cross_modal_kd.training.bf16 import refused_on_cpu
from cross_modal_kd.training.checkpoint import Checkpoint, to_device
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.gpu import compiled, eager, laid_out, like_parameters, scales_loss
from cross_modal_kd.training.module import Batch, DistillationModule
from cross_modal_kd.training.reader import BatchReader
from cross_modal_kd.training.schedule import build_optimizer, build_schedule
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.workers import described, lost_workers

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from tqdm import tqdm

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


@dataclass
class Running:
    """A training under way.

    Attributes:
        module: student, classifier, objective and projection.
        wrapped: the module as Fabric runs it.
        optimizer: as Fabric runs it.
        schedule: of the learning rates, a step a batch.
        reader: the batches, on the device.
        checkpoint: where the training goes on from; None where none is kept.
        progress: epochs done and their history.
        best: the module's best weights yet, on the CPU; None where the dev split was not looked at yet.
        compiling: whether the next step compiles the encoder first.
        average: of the weights, which is then measured and kept in their place; None keeps the weights themselves.
        tail: the mean of the last epochs, which takes the place of the weights at the end; None has none.
        margin: of the AAM-softmax, that a schedule rises to.
        first: whether this is the rank that writes.
    """

    module: DistillationModule
    wrapped: Any
    optimizer: Any
    schedule: LRScheduler
    reader: BatchReader
    checkpoint: Checkpoint | None
    progress: Progress = field(default_factory=Progress)
    best: dict[str, Tensor] | None = None
    compiling: bool = False
    average: Average | None = None
    tail: MeanOfEpochs | None = None
    margin: float = 0.0
    first: bool = True

    def save(self, config: TrainingConfig, fabric: "Fabric") -> None:
        """Write the checkpoint, where there is to be one; the best weights only where they are new.

        Args:
            config: of the training, noted so that another one is not gone on with.
            fabric: whose precision has a state of its own (the loss scale of half precision).
        """
        if self.checkpoint is not None and self.first:
            averages = {"average": self.average, "tail": self.tail}
            averaged = {name: each.state() for name, each in averages.items() if each is not None}
            state = {
                "training": config.model_dump(mode="json", context=DECIDES),
                "progress": asdict(self.progress),
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "precision": fabric.strategy.precision.state_dict(),
                **averaged,
            }
            self.checkpoint.save(state, self.best, self.progress.best_epoch)

    def resume(self, config: TrainingConfig, fabric: "Fabric") -> None:
        """Go on from the checkpoint, where there is one.

        Args:
            config: of the training; it must be the one that the checkpoint notes.
            fabric: on whose device the optimizer's state is to be.

        One that is damaged is removed, with a warning, and the training starts afresh.

        Raises:
            ValueError: it belongs to another training.
        """
        if self.checkpoint is None or not self.checkpoint.exists():
            self._tell_of_others(config)
            return
        try:
            state = self.checkpoint.load()
            best = self.checkpoint.load_best(state["progress"]["best_epoch"])
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("the training starts afresh: %s", error)
            self.checkpoint.remove()
            return
        try:
            if changed := _changed(state["training"], config):
                raise ValueError(f"{', '.join(changed)} differ")
            self.module.load_state_dict(state["module"])
            optimizer = to_device(state["optimizer"], fabric.device)
            self.optimizer.load_state_dict(like_parameters(optimizer, self.optimizer, fabric.device))
            fabric.strategy.precision.load_state_dict(state["precision"])
            self.schedule.load_state_dict(state["schedule"])
            if self.average is not None:
                self.average.load(to_device(state["average"], fabric.device))
            if self.tail is not None:
                self.tail.load(to_device(state["tail"], fabric.device))
            self.progress = Progress(**state["progress"])
        except (KeyError, IndexError, AttributeError, RuntimeError, ValueError, TypeError) as error:
            raise ValueError(
                f"{self.checkpoint.path} belongs to another training ({error}); delete it to start afresh"
            ) from error
        self.best = best
        if self.first:
            logger.info("the training goes on after its epoch %d, from %s", self.progress.epoch, self.checkpoint.path)

    def _tell_of_others(self, config: TrainingConfig) -> None:
        """Say of what was interrupted under the same name that it is not gone on from, and why."""
        for file, state in self.checkpoint.others() if self.checkpoint is not None and self.first else ():
            with suppress(KeyError, TypeError, AttributeError):
                changed = ", ".join(_changed(state["training"], config)) or "the data, the model or the arm"
                logger.warning(
                    "the training starts at its first epoch: %s was interrupted after its epoch %d, and belongs to "
                    "another training (%s differ). With the settings of then it is gone on from; delete it if it is of "
                    "no use",
                    file,
                    state["progress"]["epoch"],
                    changed,
                )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A context with the reader's workers, of which none is left behind."""
        with lost_workers(self.reader.workers):
            try:
                yield
            finally:
                self.reader.close()

    def finish(self) -> None:
        """Leave the module with its best weights, in evaluation mode, and no checkpoint."""
        if self.best is not None:
            self.module.load_state_dict(self.best)
        self.module.eval()
        if self.checkpoint is not None and self.first:
            self.checkpoint.remove()


def _changed(then: dict[str, Any], config: TrainingConfig) -> list[str]:
    """Names of the parameters by which a training differs from the one that a checkpoint notes."""
    now = config.model_dump(mode="json", context=DECIDES)
    changed = [name for name in {**now, **then} if now.get(name) != then.get(name)]
    return [f"{'compute' if name in ComputeConfig.model_fields else 'training'}.{name}" for name in changed]


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
    plan = _long_enough(plan, data)
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


def _long_enough(plan: Plan, data: TrainingData) -> Plan:
    """The plan with the epochs that ``steps`` or ``min_steps`` ask for; what ``min_steps`` has added is said."""
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
        _freeze(module, config.frozen)
    place, views = (fabric.world_size, fabric.global_rank), module.views is not None
    reader = BatchReader(data, config, fabric.device, plan.augment, module.needs_bank, place, plan.mixup, views)
    on_gpu, on_cpu = (fabric.device.type == name for name in ("cuda", "cpu"))
    laid_out(module.student, fabric.device)
    # None leaves the choice to torch. On a CPU a fused step rounds otherwise, one over lists is the same to the bit.
    fused, foreach = True if on_gpu and not scales_loss(fabric) else None, True if on_cpu else None
    optimizer = build_optimizer(_groups(module, config, plan.joint_lr_scale), config, fused, foreach)
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


def _groups(module: DistillationModule, config: TrainingConfig, joint_lr_scale: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only; the projection, where it is trained too, at a lower rate; layers at their own."""
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


def _layer_rates(module: DistillationModule, decay: float) -> dict[str, float]:
    """Factors of the learning rates of the student's encoder, by the names of parameters."""
    layers = module.student.encoder.layer_names()
    return {
        f"student.encoder.{name}": decay ** (len(layers) - number)
        for number, names in enumerate(layers)
        for name in names
    }


def _freeze(module: DistillationModule, count: int) -> None:
    """Leave the first layers of the student's encoder as they are. Raises ValueError where there are not so many."""
    layers = module.student.encoder.layer_names()
    if count > len(layers):
        raise ValueError(f"training.frozen: the encoder has {len(layers)} layers, found {count}")
    parameters = dict(module.student.encoder.named_parameters())
    for names in layers[:count]:
        for name in names:
            parameters[name].requires_grad_(False)


def _shown(row: dict[str, float], progress: Progress, metric: str) -> dict[str, str]:
    """What stands beside the progress bar."""
    best = {} if progress.best is None else {f"best dev {metric}": f"{progress.best:.4f}"}
    return {"loss": f"{row['loss']:.3f}", **best}
