"""A training under way: what it holds, its checkpoint, and how it goes on from one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from cross_modal_kd.config import DECIDES, ComputeConfig, TrainingConfig
from cross_modal_kd.training.average import Average, MeanOfEpochs
from cross_modal_kd.training.checkpoint import Checkpoint, to_device
from cross_modal_kd.training.gpu import like_parameters
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import Progress
from cross_modal_kd.training.reader import BatchReader
from cross_modal_kd.training.workers import lost_workers

if TYPE_CHECKING:
    from lightning_fabric import Fabric

logger = logging.getLogger(__name__)


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
            fabric: on whose device the optimizer's state is to be, and by which the ranks agree where they stand.

        One that is damaged is removed, with a warning, and the training starts afresh.

        Raises:
            ValueError: it belongs to another training; another rank has read another one, or none.
        """
        self._take_up(config, fabric)
        first = int(fabric.broadcast(self.progress.epoch))
        if self.checkpoint is not None and self.progress.epoch != first:
            raise ValueError(
                f"{self.checkpoint.path}: rank {fabric.global_rank} goes on after epoch {self.progress.epoch} and the "
                f"first rank after {first} (0: it has no checkpoint). Each must read the same file: let the folder of "
                "the checkpoints (data_root) lie on a file system that all machines share, or delete the checkpoint"
            )

    def _take_up(self, config: TrainingConfig, fabric: "Fabric") -> None:
        """``resume``, as this rank finds the checkpoint."""
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
