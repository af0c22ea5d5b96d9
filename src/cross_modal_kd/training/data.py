"""What a training reads: inputs, labels, weights, and the teacher's side of every pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor

from cross_modal_kd.modalities import Inputs
from cross_modal_kd.training.sampler import Cut, EpochSampler

MOST_BANKED = 4096
BLOCK = 2**16
"""Embeddings of which means are taken at a time, unless one pool is larger."""


@dataclass(frozen=True)
class TeacherSide:
    """The teacher's embeddings and, for each student sample, the rows that may stand beside it.

    embeddings: (M, D) float. pool: (N,) the pool of each student sample. rows: of ``embeddings``, pool after pool.
    starts: (P,) where each pool begins in ``rows``. sizes: (P,) of the pools. A pool is one instance (or one class,
    where pairs are made by label).
    """

    embeddings: Tensor
    pool: Tensor
    rows: Tensor
    starts: Tensor
    sizes: Tensor

    @classmethod
    def from_candidates(cls, embeddings: np.ndarray, candidates: Sequence[np.ndarray]) -> "TeacherSide":
        """The teacher's side of N student samples; equal arrays of candidates become one pool.

        Args:
            embeddings: (M, D) of the teacher's samples, kept as float32.
            candidates: N arrays of rows of ``embeddings``, none of them empty: the partners of each student sample.

        Returns:
            The embeddings with P pools, in the order in which the candidates first name them.
        """
        keys: dict[bytes, int] = {}
        pool = [keys.setdefault(rows.astype(np.int64).tobytes(), len(keys)) for rows in candidates]
        rows_of = [np.frombuffer(key, dtype=np.int64) for key in keys]
        starts = np.cumsum([0, *map(len, rows_of)])
        return cls.from_pools(embeddings, np.array(pool), np.concatenate(rows_of), starts)

    @classmethod
    def from_pools(
        cls, embeddings: np.ndarray, pool: np.ndarray, rows: np.ndarray, starts: np.ndarray
    ) -> "TeacherSide":
        """The teacher's side of N student samples, as ``samples.pair`` has it.

        Args:
            embeddings: (M, D) of the teacher's samples, kept as float32.
            pool: (N,) the pool of each student sample.
            rows: of ``embeddings``, pool after pool.
            starts: where each pool begins in ``rows``, and where the last ends.

        Returns:
            The embeddings with the P pools that are named, in the order in which they first are; memory O(N + R), R
            the rows of all pools.
        """
        numbers, named = pd.factorize(pool)
        sizes = np.diff(starts)[named]
        ends = np.cumsum(sizes)
        taken = rows[np.arange(ends[-1]) + np.repeat(np.asarray(starts)[named] - (ends - sizes), sizes)]
        own, of_pools, first, counts = (
            torch.from_numpy(each.astype(np.int64)) for each in (numbers, taken, ends - sizes, sizes)
        )
        return cls(torch.from_numpy(np.asarray(embeddings)).float(), own, of_pools, first, counts)

    def bank(self, indices: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Pools to contrast with: all where there are at most MOST_BANKED; else the batch's own and a draw of others.

        Args:
            indices: (B,) rows of the student samples in the batch, on the CPU.
            generator: for the draw of other pools, on the CPU; not used where all are taken.

        Returns:
            (K,) numbers of the pools, rising, and (B,) where among them the pool of each student sample stands; int64.
        """
        own = self.pool[indices]
        if len(self.sizes) <= MOST_BANKED:
            return torch.arange(len(self.sizes)), own
        drawn = torch.randint(len(self.sizes), (MOST_BANKED,), generator=generator)
        chosen = torch.cat([own, drawn]).unique()
        return chosen, torch.searchsorted(chosen, own)

    @cached_property
    def centres(self) -> Tensor:
        """(P, D) mean embedding of each pool; of pools of like sizes at a time, the largest first."""
        found = self.embeddings.new_empty(len(self.sizes), self.embeddings.shape[1])
        order = self.sizes.argsort(descending=True, stable=True)
        first = 0
        while first < len(order):
            widest = int(self.sizes[order[first]])
            some = order[first : first + max(1, BLOCK // widest)]
            places, sizes = torch.arange(widest)[None, :], self.sizes[some][:, None]
            rows = self.rows[(self.starts[some][:, None] + places).clamp(max=len(self.rows) - 1)]
            found[some] = (self.embeddings[rows] * (places < sizes)[:, :, None]).sum(dim=1) / sizes
            first += len(some)
        return found

    def draw(self, indices: Tensor, generator: Generator) -> Tensor:
        """One partner for each student sample, each of its pool equally likely.

        Args:
            indices: (B,) rows of the student samples in the batch, on the CPU.
            generator: for the draw, on the CPU; it gives one number a sample.

        Returns:
            (B,) rows of ``embeddings``, int64.
        """
        pool = self.pool[indices]
        uniform = torch.rand(len(indices), generator=generator)
        return self.rows[self.starts[pool] + (uniform * self.sizes[pool]).long()]


@dataclass(frozen=True)
class TrainingData:
    """The training split, in the order of ``inputs``.

    labels: (N,) class numbers, -1 for a sample without label. task_weights, kd_weights: (N,) from quality.
    teacher: the other side of the pairs, or None where nothing binds the student to a teacher.
    labelled_share: share of each batch that is labelled, at least: labelled samples then come more often than the
    others. None draws all alike, and then a batch may hold few labelled samples, or none.
    apart: C, where variants of the inputs are classes of their own: variant v of class y is y + v C to the student's
    classifier, and has no partner: what binds it to the teacher has the weight 0 (our reading). 0: a variant is of its
    sample's class.
    """

    inputs: Inputs
    labels: Tensor
    task_weights: Tensor
    kd_weights: Tensor
    teacher: TeacherSide | None = None
    labelled_share: float | None = None
    apart: int = 0

    def __post_init__(self) -> None:
        for name in ("labels", "task_weights", "kd_weights"):
            if len(getattr(self, name)) != len(self.inputs):
                raise ValueError(f"{name}: expected {len(self.inputs)} values, found {len(getattr(self, name))}")
        if self.labelled_share is not None and not 0 < self.labelled_share < 1:
            raise ValueError(f"labelled_share: expected a share between 0 and 1, or None; found {self.labelled_share}")
        if len(self.inputs) < 2:
            raise ValueError(f"the training split has {len(self.inputs)} sample(s); at least 2 are needed")

    def sampler(self, batch_size: int, seed: int, cut: Cut = Cut()) -> EpochSampler:  # noqa: B008 (it cannot be changed)
        """The batches of a training with that seed.

        Args:
            batch_size: samples in a batch, at least 1; all of them where there are fewer.
            seed: of the training.
            cut: how each batch is cut into parts, and shared.

        Returns:
            A sampler over the N samples, at epoch 0.

        Raises:
            ValueError: the batches are too small for so many parts.
        """
        return EpochSampler(self.labels, batch_size, seed, self.labelled_share, cut, self.inputs.variants)

    def check_labels(self, classes: int) -> None:
        """Once before a training, and on the CPU, so that no step has to look at them.

        Args:
            classes: C, how many the classifier knows.

        Raises:
            ValueError: a label is neither -1 (none) nor in [0, C).
        """
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < -1 or high >= classes:
            raise ValueError(f"labels: expected -1 (no label) to {classes - 1}, found {low} to {high}")
