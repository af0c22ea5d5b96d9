"""The teacher's answers to all of its embeddings, worked out once."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

LARGEST = 2**26  # numbers that are kept, 256 MB
PART = 128


@dataclass(frozen=True)
class Rows:
    """Which of the teacher's embeddings stand in a batch.

    table: (M, D) all of them. rows: (B,) of the batch, int64. Both on the device of the batch.
    """

    table: Tensor
    rows: Tensor

    def embeddings(self) -> Tensor:
        """(B, D) those of the batch."""
        return self.table.index_select(0, self.rows)

    def __getitem__(self, order: Tensor) -> "Rows":
        """The rows at some places, as a tensor has it."""
        return Rows(self.table, self.rows[order])


def in_parts(table: Tensor, ask: Callable[[Tensor], Tensor]) -> Tensor:
    """What a function of rows gives for all of them, asked ``PART`` at a time.

    Every part is of that size, the last one too: how a product of matrices is rounded depends on its shape, and so an
    answer does not depend on where its row stands.

    Args:
        table: (M, D).
        ask: of (PART, D) rows, to (PART, C).

    Returns:
        (M, C); of an empty table (0, C).
    """
    if not len(table):
        return ask(table.new_zeros(PART, *table.shape[1:]))[:0]
    rest = len(table) % PART
    answers = [ask(part) for part in table[: len(table) - rest].split(PART) if len(part)]
    if rest:
        last = torch.arange(len(table) - PART, len(table), device=table.device) % len(table)
        answers.append(ask(table[last])[-rest:])
    return torch.cat(answers)
