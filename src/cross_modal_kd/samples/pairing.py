"""Which teacher samples may stand beside a student sample."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.errors import SamplesError, first_few

KEYS = {"instance": ["group"], "session": ["label", "domain"], "label": ["label"]}
"""Columns whose values a pair has in common, by what it is paired by."""


@dataclass(frozen=True)
class Pairing:
    """Candidates for each student sample.

    Student samples with the same key share one pool of candidates, so that memory grows with S + T and not with their
    product.

    Attributes:
        student_ids: S ids.
        teacher_ids: T ids.
        pool: (S,) the pool of each student sample, in [0, P); -1 where it has no candidate.
        rows: row numbers into ``teacher_ids``, pool after pool, rising within each.
        starts: (P + 1,) where each pool begins in ``rows``, and where the last ends.
        level: (S,) number among the task's levels of the one at which each student sample is paired; -1 where it has no
            candidate.
    """

    student_ids: pd.Series
    teacher_ids: pd.Series
    pool: np.ndarray
    rows: np.ndarray
    starts: np.ndarray
    level: np.ndarray

    def of(self, student: int) -> np.ndarray:
        """The candidates of one student sample.

        Args:
            student: its row in ``student_ids``.

        Returns:
            Row numbers into ``teacher_ids``.
        """
        pool = self.pool[student]
        return self.rows[self.starts[pool] : self.starts[pool + 1]] if pool >= 0 else self.rows[:0]

    @property
    def without_partner(self) -> list[str]:
        """Ids of the student samples that have no candidate."""
        return self.student_ids[self.pool < 0].tolist()

    @property
    def without_student(self) -> list[str]:
        """Ids of the teacher samples that are no student sample's candidate."""
        taken = np.zeros(len(self.starts) - 1, dtype=bool)
        taken[self.pool[self.pool >= 0]] = True
        wanted = np.zeros(len(self.teacher_ids), dtype=bool)
        wanted[self.rows[np.repeat(taken, np.diff(self.starts))]] = True
        return self.teacher_ids[~wanted].tolist()

    def require_partners(self, ids: Iterable[str] | None = None) -> None:
        """Make sure that student samples have a candidate.

        Args:
            ids: Those that must have one; None is all.

        Raises:
            SamplesError: Naming the student samples that have none, and what to do.
        """
        wanted = None if ids is None else set(ids)
        lonely = [sample for sample in self.without_partner if wanted is None or sample in wanted]
        if lonely:
            raise SamplesError(
                f"a pair without a partner: {len(lonely)} student samples have no teacher ({first_few(lonely)}). "
                "Add teacher samples, take these out, set ingestion.without_partner to 'reject', or choose another "
                "task.pairing"
            )


def pair(samples: pd.DataFrame, task: TaskConfig) -> Pairing:
    """Pair the task's two modalities by what ``task.pairing`` says: the same ``group``, video or ``label``.

    Of several, a student sample has the candidates of the first by which it has any. Where the table has a column
    ``split``, both must lie in the same split, so that no training pair reaches into another split. Rows whose key is
    null have no partner.

    Args:
        samples: The samples table.
        task: Names both modalities and the policy.

    Returns:
        The candidates of every student sample; memory O(S + T).
    """
    split = ["split"] if "split" in samples else []
    columns = dict.fromkeys(["sample_id", *(key for level in task.levels for key in KEYS[level]), *split])
    students, teachers = (
        samples.loc[samples["modality"] == modality, list(columns)].reset_index(drop=True)
        for modality in (task.student, task.teacher)
    )
    pool, level = np.full(len(students), -1), np.full(len(students), -1)
    rows: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    for number, name in enumerate(task.levels):
        own, of_level, sizes_of_level = _pools(students, teachers, [*KEYS[name], *split])
        new = (pool < 0) & (own >= 0)
        pool[new], level[new] = own[new] + sum(map(len, sizes)), number
        rows.append(of_level)
        sizes.append(sizes_of_level)
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return Pairing(students["sample_id"], teachers["sample_id"], pool, np.concatenate(rows), starts, level)


def _pools(
    students: pd.DataFrame, teachers: pd.DataFrame, keys: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S,) the pool of each student sample by its keys, -1 for none; the pools' rows of teachers; the pools' sizes."""
    pool = np.zeros(len(students) + len(teachers), dtype=np.int64)
    for key in keys:  # one number for each combination of values, -1 where one of them is null
        codes, values = pd.factorize(pd.concat([students[key], teachers[key]], ignore_index=True))
        pool = np.where((pool < 0) | (codes < 0), -1, pool * max(1, len(values)) + codes)
    own, theirs = pool[: len(students)], pool[len(students) :]
    there, sizes = np.unique(theirs[theirs >= 0], return_counts=True)
    rows = np.flatnonzero(theirs >= 0)
    rows = rows[np.argsort(theirs[rows], kind="stable")]
    at = np.searchsorted(there, own)
    known = at < len(there)
    known[known] = there[at[known]] == own[known]
    return np.where(known, at, -1), rows, sizes


def item_keys(rows: pd.DataFrame, task: TaskConfig) -> pd.Series:
    """What rows have in common with those that belong to them, at the widest level of the task's pairing.

    What is paired by a narrower one belongs together by that too, so that all pairs are measured alike.

    Args:
        rows: n of the samples table, of either modality.
        task: its pairing.

    Returns:
        (n,) names, null for a row without one.
    """
    first, *others = (rows[column] for column in KEYS[task.levels[-1]])
    for column in others:
        first = first + "/" + column
    return first
