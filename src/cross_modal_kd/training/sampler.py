"""Which samples stand in which batch: (seed, epoch) decide it, whatever was drawn before."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.utils.data import Sampler

from cross_modal_kd.modalities import Item
from cross_modal_kd.training.seeds import derive_seed


@dataclass(frozen=True)
class Cut:
    """How every batch is cut: into ``accumulate`` parts, one after the other, each of them shared by ``ranks``.

    Rows are dealt out like cards, so that a batch which begins with its labelled samples gives some to everybody. A
    part may be larger than another by one row. ``rank`` is the one whose rows ``own`` gives.
    """

    accumulate: int = 1
    ranks: int = 1
    rank: int = 0

    def check(self, size: int, training: str = "training") -> None:
        """Make sure that every rank has samples of every part.

        Args:
            size: of a batch.
            training: the block of parameters that asks for it, for the message.

        Raises:
            ValueError: a part of a rank would have fewer than two.
        """
        if (least := 2 * self.accumulate * self.ranks) > max(size, 2):
            raise ValueError(
                f"{training}.batch_size: {size} samples in a step are too few for {self.ranks} device(s) and "
                f"{training}.accumulate {self.accumulate}; each takes 2 at least, which makes {least}"
            )

    def part(self, rows: Tensor, number: int) -> Tensor:
        """Rows of a batch that are in one part, of all ranks: every ``accumulate``-th.

        Args:
            rows: (B,) of the batch, or whatever there is for each of them.
            number: of the part, from 0.

        Returns:
            (B',) in their order.
        """
        return rows[number :: self.accumulate]

    def own(self, part: Tensor) -> Tensor:
        """Rows of a part that are this rank's: every ``ranks``-th.

        Args:
            part: (B',) of ``part``.

        Returns:
            (b,) in their order.
        """
        return part[self.rank :: self.ranks]

    def counts(self, part: int) -> tuple[int, ...]:
        """How many rows of a part each rank has.

        Args:
            part: B', rows of the part.

        Returns:
            A number for each rank.
        """
        return tuple(len(range(rank, part, self.ranks)) for rank in range(self.ranks))


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
        cut: into which lists of items each batch is cut, and whose they are; all batches are everybody's as they are.
        variants: of each sample, of which every epoch has one.

    Raises:
        ValueError: a part of a batch would have fewer than two samples on some rank.
    """

    def __init__(
        self,
        labels: Tensor,
        batch_size: int,
        seed: int,
        labelled_share: float | None = None,
        cut: Cut = Cut(),  # noqa: B008 (it cannot be changed)
        variants: int = 1,
    ) -> None:
        self.size = min(batch_size, len(labels))
        cut.check(self.size)
        self._cut, self._variants = cut, variants
        self.seed, self.epoch = seed, 0
        self._count = len(labels)
        self._labelled, self._others = torch.nonzero(labels >= 0)[:, 0], torch.nonzero(labels < 0)[:, 0]
        self._wanted = _wanted(self.size, labelled_share)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._count // self.size

    def __iter__(self) -> Iterator[list[Item]]:
        """The items of this rank, a list for each part of each batch."""
        draw, variants = (self.seed, self.epoch), self.variants()
        for rows in self.batches():
            for number in range(self._cut.accumulate):
                own = self._cut.own(self._cut.part(rows, number))
                yield [
                    Item(row, draw, variant) for row, variant in zip(own.tolist(), variants[own].tolist(), strict=True)
                ]

    def variants(self) -> Tensor:
        """(N,) int64: which variant of each sample the epoch has, each equally likely; the same on every rank."""
        if self._variants == 1:
            return torch.zeros(self._count, dtype=torch.int64)
        generator = Generator().manual_seed(derive_seed("variants", self.seed, self.epoch))
        return torch.randint(self._variants, (self._count,), generator=generator)

    def batches(self) -> Iterator[Tensor]:
        """The rows of every batch of the epoch, of all ranks: (B,) int64 each, the same on every rank."""
        order = self._order(Generator().manual_seed(derive_seed("order", self.seed, self.epoch)))
        yield from order.split(self.size)[: len(self)]

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
