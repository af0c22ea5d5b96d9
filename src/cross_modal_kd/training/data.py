"""What a training reads: inputs, labels, weights, and the teacher's side of every pair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader

from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.training.seeds import derive_seed

MOST_BANKED = 4096


@dataclass(frozen=True)
class TeacherSide:
    """The teacher's embeddings and, for each student sample, the rows that may stand beside it.

    embeddings: (M, D) float. pool: (N,) the pool of each student sample. pools: (P, K) rows of ``embeddings``, the
    first ``sizes[p]`` of row p are valid. A pool is one instance (or one class, where pairs are made by label).
    """

    embeddings: Tensor
    pool: Tensor
    pools: Tensor
    sizes: Tensor

    @classmethod
    def from_candidates(cls, embeddings: np.ndarray, candidates: Sequence[np.ndarray]) -> "TeacherSide":
        """candidates: N arrays of rows; equal arrays (by identity or value) become one pool."""
        keys: dict[bytes, int] = {}
        pool = [keys.setdefault(rows.astype(np.int64).tobytes(), len(keys)) for rows in candidates]
        rows_of = [np.frombuffer(key, dtype=np.int64) for key in keys]
        pools = np.zeros((len(rows_of), max(len(rows) for rows in rows_of)), dtype=np.int64)
        for position, rows in enumerate(rows_of):
            pools[position, : len(rows)] = rows
        sizes = torch.tensor([len(rows) for rows in rows_of])
        return cls(torch.from_numpy(np.asarray(embeddings)).float(), torch.tensor(pool), torch.from_numpy(pools), sizes)

    def to(self, device: torch.device) -> "TeacherSide":
        return TeacherSide(*(getattr(self, name).to(device) for name in ("embeddings", "pool", "pools", "sizes")))

    def bank(self, indices: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """(K, D) mean embedding of each of K pools, and where in them the pool of each student sample stands (B,).

        All pools where there are at most MOST_BANKED; else those of the batch and a fresh draw of others.
        """
        own = self.pool[indices]
        if len(self.pools) <= MOST_BANKED:
            return self.centres, own
        drawn = torch.randint(len(self.pools), (MOST_BANKED,), generator=generator, device=indices.device)
        chosen = torch.cat([own, drawn]).unique()
        return self.centres[chosen], torch.searchsorted(chosen, own)

    @cached_property
    def centres(self) -> Tensor:
        """(P, D) mean embedding of each pool."""
        valid = torch.arange(self.pools.shape[1], device=self.pools.device)[None, :] < self.sizes[:, None]
        return (self.embeddings[self.pools] * valid[:, :, None]).sum(dim=1) / self.sizes[:, None]

    def draw(self, indices: Tensor, generator: Generator) -> Tensor:
        """One partner for each student sample: rows (B,) of ``embeddings``."""
        pool = self.pool[indices]
        uniform = torch.rand(len(indices), generator=generator, device=indices.device)
        return self.pools[pool, (uniform * self.sizes[pool]).long()]


@dataclass(frozen=True)
class TrainingData:
    """The training split, in the order of ``inputs``.

    labels: (N,) class numbers, -1 for a sample without label. task_weights, kd_weights: (N,) from quality.
    teacher: the other side of the pairs, or None where nothing binds the student to a teacher.
    labelled_share: share of each batch that is labelled, at least: labelled samples then come more often than the
    others. None draws all alike, and then a batch may hold few labelled samples, or none.
    """

    inputs: Inputs
    labels: Tensor
    task_weights: Tensor
    kd_weights: Tensor
    teacher: TeacherSide | None = None
    labelled_share: float | None = None

    def __post_init__(self) -> None:
        for name in ("labels", "task_weights", "kd_weights"):
            if len(getattr(self, name)) != len(self.inputs):
                raise ValueError(f"{name}: expected {len(self.inputs)} values, found {len(getattr(self, name))}")
        if self.labelled_share is not None and not 0 < self.labelled_share < 1:
            raise ValueError(f"labelled_share: expected a share between 0 and 1, or None; found {self.labelled_share}")
        if len(self.inputs) < 2:
            raise ValueError(f"the training split has {len(self.inputs)} sample(s); at least 2 are needed")

    def steps(self, batch_size: int) -> int:
        """Batches an epoch: only full ones, or a single smaller one."""
        return max(1, len(self.inputs) // batch_size)

    def epoch(self, seed: int, epoch: int, batch_size: int, workers: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled batches (indices, inputs); (seed, epoch) decide the order."""
        size = min(batch_size, len(self.inputs))
        order = self._order(Generator().manual_seed(derive_seed("order", seed, epoch)), size)
        batches = [order[start : start + size].tolist() for start in range(0, len(order) - size + 1, size)]
        self.inputs.at_epoch(seed, epoch)
        yield from DataLoader(self.inputs, batch_sampler=batches, collate_fn=_as_is, num_workers=workers)

    def _order(self, generator: Generator, size: int) -> Tensor:
        """Every sample once; or, where labelled ones would be too rare, batches with ``labelled_share`` of them."""
        labelled, others = torch.nonzero(self.labels >= 0)[:, 0], torch.nonzero(self.labels < 0)[:, 0]
        wanted = 0 if self.labelled_share is None else min(size - 1, max(1, round(self.labelled_share * size)))
        if not len(labelled) or not len(others) or wanted * len(self.inputs) <= size * len(labelled):
            return torch.randperm(len(self.inputs), generator=generator)
        steps = self.steps(size)
        rows = [
            _in_turn(pool, steps * count, generator).view(steps, count)
            for pool, count in ((labelled, wanted), (others, size - wanted))
        ]
        return torch.cat(rows, dim=1).flatten()


def _in_turn(pool: Tensor, count: int, generator: Generator) -> Tensor:
    """``count`` of the pool, (count,): all of it in a new order, as often as it takes."""
    rounds = -(-count // len(pool))
    return torch.cat([pool[torch.randperm(len(pool), generator=generator)] for _ in range(rounds)])[:count]


def _as_is(batch: Any) -> Any:
    return batch
