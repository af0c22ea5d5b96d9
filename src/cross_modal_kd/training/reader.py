"""Batches of a training, on its device."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.modalities import Augment
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.known import Rows
from cross_modal_kd.training.module import Batch
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.workers import InputLoader, workers_for


class BatchReader:
    """All that a step reads; (seed, epoch) decide whatever is random about it.

    Partners and banks are drawn on the CPU, so that every device meets the same pairs, and what is sent to the device
    is not waited for: no step waits for the one before. Memory on the device: O(N) labels and weights, and the
    teacher's M x D embeddings. Nothing is read before the first epoch. To be closed.

    steps: batches in an epoch. workers: processes that read, until it is closed; 0 reads in this one.

    Args:
        data: the training split.
        config: seed, batch size, workers, and the epochs over which the progress of a batch is counted.
        device: where the batches are to be.
        augment: of a batch of raw inputs, on the device.
        needs_bank: whether a constraint contrasts with the instances of the whole split.
    """

    def __init__(
        self,
        data: TrainingData,
        config: TrainingConfig,
        device: torch.device,
        augment: Augment | None = None,
        needs_bank: bool = False,
    ) -> None:
        self._data, self._config, self._device, self._augment = data, config, device, augment
        self._sampler = data.sampler(config.batch_size, config.seed)
        self.workers = workers_for(data.inputs, config.workers)
        self._loader = InputLoader(data.inputs, self._sampler, self.workers, pinned=device.type == "cuda")
        self._ahead: int | None = None
        self._columns = [self._sent(column) for column in (data.labels, data.task_weights, data.kd_weights)]
        self._teacher = None if data.teacher is None else self._sent(data.teacher.embeddings)
        self._centres = self._sent(data.teacher.centres) if data.teacher is not None and needs_bank else None
        self.steps = len(self._sampler)

    @property
    def waited(self) -> float:
        """Seconds for which batches were waited, all epochs together; on a GPU it may have had work meanwhile."""
        return self._loader.waited

    def ahead(self, epoch: int) -> None:
        """Have workers begin to read an epoch, the next one that is asked for.

        Args:
            epoch: counted from 0.
        """
        self._sampler.epoch, self._ahead = epoch, epoch
        self._loader.ahead()

    def close(self) -> None:
        """End the workers."""
        self._loader.close()

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch.

        Args:
            epoch: counted from 0.

        Returns:
            ``steps`` batches on the device, read one by one.

        Raises:
            ValueError: another epoch is being read ahead.
        """
        if self._ahead not in (None, epoch):
            raise ValueError(f"epoch {self._ahead} is being read ahead, found {epoch}")
        changes, pairs = (
            Generator(device).manual_seed(derive_seed(purpose, self._config.seed, epoch))
            for purpose, device in (("augment", self._device), ("pairs", torch.device("cpu")))
        )
        # what torch's loader takes of its own accord before an epoch: dropout keeps the numbers that it has had
        torch.empty((), dtype=torch.int64).random_()
        self._sampler.epoch, self._ahead = epoch, None
        for step, (indices, inputs) in enumerate(self._loader):
            inputs = self._sent(inputs)
            if self._augment is not None:
                inputs = self._augment(inputs, changes)
            yield self._batch(indices, inputs, pairs, (epoch * self.steps + step) / (self._config.epochs * self.steps))

    def _batch(self, indices: Tensor, inputs: Tensor, pairs: Generator, progress: float) -> Batch:
        labelled = self._sent(torch.nonzero(self._data.labels[indices] >= 0)[:, 0])
        rows = self._sent(indices)
        known, task_weights, kd_weights = (column[rows] for column in self._columns)
        partners = rows_of_partners = bank = None
        if self._teacher is not None and self._data.teacher is not None:
            rows_of_partners = Rows(self._teacher, self._sent(self._data.teacher.draw(indices, pairs)))
            partners = self._teacher[rows_of_partners.rows]
        if self._centres is not None and self._data.teacher is not None:
            pools, own = self._data.teacher.bank(indices, pairs)
            every = len(pools) == len(self._centres)  # then the same tensor each time: see ``Batch.bank``
            bank = self._centres if every else self._centres[self._sent(pools)], self._sent(own)
        batch = Batch(inputs, known, task_weights, kd_weights, partners, progress, bank, labelled)
        batch.teacher_rows = rows_of_partners
        return batch

    def _sent(self, values: Tensor) -> Tensor:
        return values.to(self._device, non_blocking=self._device.type == "cuda")
