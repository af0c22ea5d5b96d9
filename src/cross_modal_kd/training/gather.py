"""What the ranks of a training know of each other's part of a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cross_modal_kd.losses import Shares


@dataclass(frozen=True)
class Part:
    """A part of a batch, and this rank's place in it.

    counts: rows of the part on each rank. rank: this one's number. shares: of the whole batch that are in the part, on
    all ranks. labelled: share of its labels.
    """

    counts: tuple[int, ...] = (1,)
    rank: int = 0
    shares: Shares = Shares()
    labelled: float = 1.0

    @property
    def spread(self) -> bool:
        """Whether other ranks have rows of it."""
        return len(self.counts) > 1

    def gathered(self, values: Tensor) -> Tensor:
        """What all ranks have of the part.

        Args:
            values: (b, ...) of this rank's rows.

        Returns:
            (B, ...) rank after rank, the same on every rank; the same tensor where there is one rank. What is then made
            of it must be the same on every rank too: backward, each takes the gradient of its own rows, times the
            number of ranks, by which DDP divides.
        """
        if not self.spread:
            return values
        gathered: Tensor = _Gathered.apply(values, self.counts, self.rank)
        return gathered


class _Gathered(torch.autograd.Function):
    """``Part.gathered``."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, counts: tuple[int, ...], rank: int) -> Tensor:
        first = sum(counts[:rank])
        ctx.ranks, ctx.own = len(counts), slice(first, first + counts[rank])
        lacking = max(counts) - len(values)  # every rank sends as many rows
        sent = torch.cat([values, values.new_zeros(lacking, *values.shape[1:])]) if lacking else values.contiguous()
        parts = [torch.empty_like(sent) for _ in counts]
        torch.distributed.all_gather(parts, sent)
        return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.own] * ctx.ranks, None, None
