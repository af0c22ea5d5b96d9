"""Which samples stand in which batch: (seed, epoch) decide it, whatever was drawn before."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor
from torch.utils.data import Sampler

from cross_modal_kd.modalities import Item
from cross_modal_kd.training.seeds import derive_seed


class EpochSampler(Sampler[list[Item]]):
    """Shuffled batches of one epoch, of one size; what is left over at the end of an epoch is passed over.

    Every sample comes once; or, where labelled ones would be too rare, every batch has ``labelled_share`` of them. Each
    item carries (seed, epoch), so that a data set needs to be told nothing, in whatever process it lies.

    epoch: which one the next pass goes through, counted from 0; to be set before each pass.

    Args:
        labels: (N,) class numbers, -1 for a sample without label.
        batch_size: samples in a batch; all of them where there are fewer.
        seed: of the training.
        labelled_share: least share of labelled samples in a batch, between 0 and 1; None draws all alike.
    """

    def __init__(self, labels: Tensor, batch_size: int, seed: int, labelled_share: float | None = None) -> None:
        self.size = min(batch_size, len(labels))
        self.seed, self.epoch = seed, 0
        self._count = len(labels)
        self._labelled, self._others = torch.nonzero(labels >= 0)[:, 0], torch.nonzero(labels < 0)[:, 0]
        self._wanted = _wanted(self.size, labelled_share)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._count // self.size

    def __iter__(self) -> Iterator[list[Item]]:
        order = self._order(Generator().manual_seed(derive_seed("order", self.seed, self.epoch)))
        draw = (self.seed, self.epoch)
        for rows in order.split(self.size)[: len(self)]:
            yield [Item(index, draw) for index in rows.tolist()]

    def _order(self, generator: Generator) -> Tensor:
        """Rows in the order of the epoch, at least as many as the batches take."""
        enough = self._wanted * self._count <= self.size * len(self._labelled)
        if enough or not len(self._labelled) or not len(self._others):
            return torch.randperm(self._count, generator=generator)
        rows = [
            _in_turn(pool, len(self) * count, generator).view(len(self), count)
            for pool, count in ((self._labelled, self._wanted), (self._others, self.size - self._wanted))
        ]
        return torch.cat(rows, dim=1).flatten()


def _wanted(size: int, labelled_share: float | None) -> int:
    """Labelled samples that a batch of ``size`` is to have; at least one, and at least one other."""
    return 0 if labelled_share is None else min(size - 1, max(1, round(labelled_share * size)))


def _in_turn(pool: Tensor, count: int, generator: Generator) -> Tensor:
    """``count`` of the pool, (count,): all of it in a new order, as often as it takes."""
    rounds = -(-count // len(pool))
    return torch.cat([pool[torch.randperm(len(pool), generator=generator)] for _ in range(rounds)])[:count]
