"""Batches of a training, on its device."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.losses import Shares
from cross_modal_kd.modalities import Augment
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.gather import Part
from cross_modal_kd.training.known import Rows
from cross_modal_kd.training.module import Batch, Mixed
from cross_modal_kd.training.sampler import Cut
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.workers import InputLoader, workers_for


@dataclass(frozen=True)
class _Variants:
    """Of one epoch: (N,) weights of the constraints; these and (N,) class numbers, on the device."""

    kd_weights: Tensor
    sent: tuple[Tensor, Tensor]


class BatchReader:
    """All that a step reads; (seed, epoch) decide whatever is random about it.

    Partners and banks are drawn on the CPU, so that every device meets the same pairs, and what is sent to the device
    is not waited for: no step waits for the one before. They are drawn, and inputs augmented, as for the whole of what
    the ranks share: each takes its own rows of it, so that a sample is the same on however many. Memory on the device:
    O(N) labels and weights, and the teacher's M x D embeddings. Nothing is read before the first epoch. To be closed.

    steps: of an epoch, each of ``config.accumulate`` batches. total: steps of the whole training. workers: processes
    that read, until it is closed; 0 reads in this one.

    Args:
        data: the training split.
        config: seed, batch size, workers, and the epochs over which the progress of a batch is counted.
        device: where the batches are to be.
        augment: of a batch of raw inputs, on the device.
        needs_bank: whether a constraint contrasts with the instances of the whole split.
        place: how many ranks share each batch, and the number of this one.
        mixup: alpha of Beta(alpha, alpha), the shares by which inputs are mixed; None mixes nothing.
        views: whether a batch has a second view of each input.

    Raises:
        ValueError: a second view is asked for and nothing changes whole batches.
    """

    def __init__(
        self,
        data: TrainingData,
        config: TrainingConfig,
        device: torch.device,
        augment: Augment | None = None,
        needs_bank: bool = False,
        place: tuple[int, int] = (1, 0),
        mixup: float | None = None,
        views: bool = False,
    ) -> None:
        if views and augment is None:
            raise ValueError(
                "self_supervised: two views of a sample are two augmentations of it, and this training has none for "
                "whole batches; set training.augment to true, without a block of the modality in training.augmentation"
            )
        self._views = views
        self._data, self._config, self._device, self._augment = data, config, device, augment
        self._mixup = mixup
        self._cut = Cut(config.accumulate, *place)
        self._sampler = data.sampler(config.batch_size, config.seed, self._cut)
        self.workers = workers_for(data.inputs, config.workers)
        self._loader = InputLoader(data.inputs, self._sampler, self.workers, pinned=device.type == "cuda")
        self._ahead: int | None = None
        self._every = self._sent(torch.arange(self._sampler.size)) if bool((data.labels >= 0).all()) else None
        self._columns = [self._sent(column) for column in (data.labels, data.task_weights, data.kd_weights)]
        self._of_epoch: _Variants | None = None
        self._teacher = None if data.teacher is None else self._sent(data.teacher.embeddings)
        self._centres = self._sent(data.teacher.centres) if data.teacher is not None and needs_bank else None
        self.steps = len(self._sampler)
        self.total = min(self.steps * config.epochs, config.steps or self.steps * config.epochs)

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
            The batches on the device, read one by one, ``accumulate`` for each step; in the last epoch no more than
            ``total`` leaves.

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
        self._of_epoch = self._drawn_variants()
        inputs = iter(self._loader)
        for step, rows in enumerate(self._sampler.batches(), start=epoch * self.steps):
            if step >= self.total:
                return
            yield from self._step(rows, inputs, changes, pairs, step / self.total)

    def _step(
        self,
        rows: Tensor,
        coming: Iterator[tuple[Tensor, Tensor]],
        changes: Generator,
        pairs: Generator,
        progress: float,
    ) -> Iterator[Batch]:
        """The batches of one step on the samples of ``rows``, (B,), of all ranks."""
        partners, bank = self._drawn(rows, pairs)
        for number in range(self._cut.accumulate):
            part = self._cut.part(rows, number)
            _, inputs = next(coming)
            own = self._cut.own(part)
            sent = self._sent(inputs)
            batch = self._batch(own, self._augmented(sent, changes, len(part)), progress)
            if self._views:
                batch.second = self._augmented(sent, changes, len(part))
            if self._teacher is not None and partners is not None:
                drawn = self._cut.own(self._cut.part(partners, number))
                batch.partners = Rows(self._teacher, self._sent(drawn))
            if bank is not None:
                batch.bank = bank[0], self._sent(self._cut.own(self._cut.part(bank[1], number)))
            batch.part, batch.last = self._part(rows, part), number + 1 == self._cut.accumulate
            if self._mixup is not None:
                batch.mixed = self._mixed(batch, own, self._mixup, (round(progress * self.total), number))
            yield batch

    def _mixed(self, batch: Batch, own: Tensor, alpha: float, place: tuple[int, int]) -> Mixed:
        """What a batch is mixed with: its own rows in another order. place: number of the step, and of its part.

        The share is that of all ranks, the order is of the rows of this one.
        """
        seeds = [derive_seed("mixup", self._config.seed, *place), derive_seed("order", *place, self._cut.rank)]
        share = float(np.random.default_rng(seeds[0]).beta(alpha, alpha))
        order = torch.from_numpy(np.random.default_rng(seeds).permutation(len(own)))
        return Mixed(share, batch.in_order(self._sent(order), self._labelled(own[order])))

    def _drawn(self, rows: Tensor, pairs: Generator) -> tuple[Tensor | None, tuple[Tensor, Tensor] | None]:
        """Partners of all samples of a step, (B,) rows of the teacher's; the bank, and where each sample's own is."""
        side = self._data.teacher
        if side is None:
            return None, None
        partners = side.draw(rows, pairs)
        if self._centres is None:
            return partners, None
        pools, own = side.bank(rows, pairs)
        every = len(pools) == len(self._centres)  # then the same tensor each time: see ``Batch.bank``
        return partners, (self._centres if every else self._centres[self._sent(pools)], own)

    def _augmented(self, inputs: Tensor, changes: Generator, count: int) -> Tensor:
        """What this rank's inputs become among all ``count`` of the part, so that each meets the same numbers."""
        if self._augment is None or self._cut.ranks == 1:
            return inputs if self._augment is None else self._augment(inputs, changes)
        whole = inputs.new_zeros(count, *inputs.shape[1:])
        whole[self._cut.rank :: self._cut.ranks] = inputs
        return self._augment(whole, changes)[self._cut.rank :: self._cut.ranks]

    def _batch(self, own: Tensor, inputs: Tensor, progress: float) -> Batch:
        rows, labelled = self._sent(own), self._labelled(own)
        known, task_weights, kd_weights = (column.index_select(0, rows) for column in self._columns)
        batch = Batch(inputs, known, task_weights, kd_weights, None, progress, None, labelled)
        if self._of_epoch is not None:
            batch.kd_weights, batch.task_labels = (column.index_select(0, rows) for column in self._of_epoch.sent)
        return batch

    def _labelled(self, own: Tensor) -> Tensor:
        """(L,) places in ``own``, (b,), of samples that have a label."""
        if self._every is not None:
            return self._every[: len(own)]
        return self._sent(torch.nonzero(self._data.labels[own] >= 0)[:, 0])

    def _drawn_variants(self) -> "_Variants | None":
        """What the variants of the sampler's epoch change; None where they are no classes of their own."""
        data, apart = self._data, self._data.apart
        if not apart:
            return None
        variants = self._sampler.variants()
        labels = torch.where(data.labels >= 0, data.labels + apart * variants, data.labels)
        kd_weights = data.kd_weights * (variants == 0)
        return _Variants(kd_weights, (self._sent(kd_weights), self._sent(labels)))

    def _part(self, rows: Tensor, part: Tensor) -> Part:
        """Of a step's samples, those of one part."""
        if self._cut.accumulate == 1:
            return Part(self._cut.counts(len(part)), self._cut.rank)

        def sums(of: Tensor) -> list[float]:
            labelled = (self._data.labels[of] >= 0).double()
            kd_weights = self._data.kd_weights if self._of_epoch is None else self._of_epoch.kd_weights
            task, kd = self._data.task_weights[of].double() * labelled, kd_weights[of].double()
            return [len(of), float(task.sum()), float(kd.sum()), float(labelled.sum())]

        pairs = zip(sums(part), sums(rows), strict=True)

        share, task, kd, labelled = (own / whole if whole else 0.0 for own, whole in pairs)
        return Part(self._cut.counts(len(part)), self._cut.rank, Shares(share, task, kd), labelled)

    def _sent(self, values: Tensor) -> Tensor:
        return values.to(self._device, non_blocking=self._device.type == "cuda")
