"""Which teacher samples may stand beside a student sample."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.errors import SamplesError, first_few

KEYS = {"instance": "group", "label": "label"}


@dataclass(frozen=True)
class Pairing:
    """Candidates for each student sample.

    student_ids: S ids. teacher_ids: T ids. candidates: S arrays of row numbers into ``teacher_ids``; samples with the
    same key share one array, so that memory grows with S + T and not with their product.
    """

    student_ids: list[str]
    teacher_ids: list[str]
    candidates: list[np.ndarray]

    @property
    def without_partner(self) -> list[str]:
        """Ids of the student samples that have no candidate."""
        return [sample for sample, rows in zip(self.student_ids, self.candidates, strict=True) if len(rows) == 0]

    @property
    def without_student(self) -> list[str]:
        """Ids of the teacher samples that are no student sample's candidate."""
        wanted = np.zeros(len(self.teacher_ids), dtype=bool)
        for rows in {id(rows): rows for rows in self.candidates}.values():
            wanted[rows] = True
        return [sample for sample, used in zip(self.teacher_ids, wanted, strict=True) if not used]

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
    """Pair the task's two modalities: the same ``group`` (``task.pairing`` = instance) or the same ``label``.

    Where the table has a column ``split``, both must lie in the same split, so that no training pair reaches into
    another split. Rows whose key is null have no partner.

    Args:
        samples: The samples table.
        task: Names both modalities and the policy.

    Returns:
        The candidates of every student sample; memory O(S + T).
    """
    students = samples[samples["modality"] == task.student]
    teachers = samples[samples["modality"] == task.teacher]
    keys = [KEYS[task.pairing]] + (["split"] if "split" in samples else [])
    rows_of: dict[tuple, np.ndarray] = {}
    for key, rows in teachers.groupby(keys, dropna=True).indices.items():
        rows_of[key if isinstance(key, tuple) else (key,)] = np.asarray(rows)
    nobody = np.empty(0, dtype=np.intp)
    candidates = [rows_of.get(key, nobody) for key in students[keys].itertuples(index=False, name=None)]
    return Pairing(students["sample_id"].tolist(), teachers["sample_id"].tolist(), candidates)
