"""The two students and the teacher on the test split, for plots and for the worst mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks.subset import Subset


@dataclass(frozen=True)
class StudentsOnTest:
    """The arms ``student_alone`` and ``distilled``.

    rows: n test samples of the student's modality. trials: among them. students, embeddings: by arm.
    """

    rows: pd.DataFrame
    trials: pd.DataFrame
    students: Mapping[str, ModelBundle]
    embeddings: Mapping[str, EmbeddingTable]


@dataclass(frozen=True)
class Evaluated:
    """One student on samples that it is measured on: of one fold, where there are several.

    The subsets of several folds share their clusters and resamples, and no sample is in two test splits; so what is
    found in each is put end to end and measured as one.

    subset: n samples of the student's modality. student: with its classifier. values: (n, D) embeddings of the samples,
    not normalised. trials: of the samples.
    """

    subset: Subset
    student: ModelBundle
    values: np.ndarray
    trials: pd.DataFrame


@dataclass(frozen=True)
class ProjectedTeacher:
    """The teacher on the test split, as the student meets it.

    rows: n test samples of the teacher's modality, indexed from 0. embeddings: of all its samples, raw. projection:
    what brings them into the student's space, with the prototypes of the teacher's classifier.
    """

    rows: pd.DataFrame
    embeddings: EmbeddingTable
    projection: ModelBundle

    @property
    def values(self) -> np.ndarray:
        """(n, d) unit vectors t of the rows."""
        from cross_modal_kd.models import project

        return project(self.projection, self.embeddings.at(self.rows["sample_id"]))


@dataclass(frozen=True)
class Mistake:
    """sample_ids: of one sample, or of the two of a trial. remarks: what each student makes of it, by name."""

    sample_ids: list[str]
    remarks: dict[str, str]


@dataclass(frozen=True)
class Mistakes:
    """Mistakes of one sort, the worst first. title: of the sort. explains: which they are, in half a sentence."""

    title: str
    explains: str
    mistakes: list[Mistake]
