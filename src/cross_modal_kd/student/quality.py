"""The quality of one input beside the training samples: their ranks travel with the student."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cross_modal_kd.config import QualityConfig, TaskConfig
from cross_modal_kd.modalities import Decoded, modality_of
from cross_modal_kd.quality import EmpiricalCDF, QualityScore, Scoring, measure, reference_measures
from cross_modal_kd.storage import file_in
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.record import QualityRecord
from cross_modal_kd.student.results import Quality
from cross_modal_kd.student.space import read_tensors

logger = logging.getLogger(__name__)

FILE, ALL = "quality.safetensors", "all"
MOST_VALUES = 20_000


@dataclass(frozen=True)
class QualityReference:
    """The training samples' measures, as ranks.

    Attributes:
        record: which measures, and when an input is poor.
        score: their ranks; None where no quality is given.
    """

    record: QualityRecord
    score: QualityScore | None = None

    def __call__(self, modality: str, decoded: Decoded) -> Quality:
        """The quality of a decoded sample.

        Args:
            modality: of the student.
            decoded: as stored, not resized and not resampled.

        Returns:
            Its rank among all training samples: of a new input no domain is known.
        """
        if self.score is None:
            return Quality(None, False, self.record.reason)
        given = [(decoded.value, *decoded.about.values())]
        try:
            with np.errstate(all="ignore"):
                found = measure(modality_of(modality), self.record.measures, given)
        except MemoryError:
            raise
        except Exception as error:  # a measure meets what no training sample was: too short, of one colour ...
            return Quality(None, True, f"it cannot be measured ({type(error).__name__}: {error})")
        values = {name: float(value[0]) for name, value in found.items()}
        if lost := [name for name, value in values.items() if not np.isfinite(value)]:
            return Quality(None, True, f"{lost[0]} is no number", values)
        ranks = {name: float(self.score.of_measure[name](value)) for name, value in values.items()}
        score = float(self.score({name: np.array([value]) for name, value in values.items()})[0])
        return Quality(score, score < self.record.poor_below, min(ranks, key=ranks.__getitem__), values)


def fit_quality(
    samples: pd.DataFrame, measures: pd.DataFrame, task: TaskConfig, quality: QualityConfig, poor_below: float
) -> QualityReference:
    """The reference of a task's student.

    Args:
        samples: the table, with its splits.
        measures: of the quality stage.
        task: names the student's modality.
        quality: which measures count, and how.
        poor_below: quality under which an input is called poor.

    Returns:
        The reference; without a score for a modality whose measures look at the whole training split.
    """
    rows = samples[samples["modality"] == task.student]
    if modality_of(task.student).context(rows):
        reason = f"the measures of {task.student} look at the whole training split, which a student does not carry"
        return QualityReference(QualityRecord(poor_below=poor_below, reason=reason))
    scoring = Scoring.of(quality)
    values = reference_measures(samples, measures, task.student, scoring)
    record = QualityRecord(
        measures=list(values),
        combine=scoring.combine,
        poor_below=poor_below,
        samples=len(next(iter(values.values()))),
    )
    return QualityReference(record, QualityScore.fit(values, scoring.combine, MOST_VALUES))


def save_quality(folder: Path, reference: QualityReference) -> None:
    """Write the ranks, where there are any; what is plain is in ``student.json``.

    Args:
        folder: that is there.
        reference: to be written.
    """
    from safetensors.numpy import save_file

    if reference.score is not None:
        values = {f"measure.{name}": cdf.sorted_values for name, cdf in reference.score.of_measure.items()}
        save_file({**values, ALL: reference.score.of_all.sorted_values}, folder / FILE)


def load_quality(folder: Path, record: QualityRecord) -> QualityReference:
    """What ``save_quality`` wrote.

    Args:
        folder: that holds it.
        record: of ``student.json``.

    Returns:
        The reference.

    Raises:
        FileNotFoundError: the file is missing.
        StudentError: it is damaged, or does not have the record's measures.
    """
    if not record.measures:
        return QualityReference(record)
    file = file_in(folder, FILE)
    found = read_tensors(file)
    of_measure = {name: _cdf(found, f"measure.{name}", file) for name in record.measures}
    return QualityReference(record, QualityScore(of_measure, _cdf(found, ALL, file), record.combine))


def _cdf(found: Mapping[str, np.ndarray], name: str, file: Path) -> EmpiricalCDF:
    values = found.get(name)
    if values is None or values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise StudentError(f"{file}: expected finite numbers (N,) as {name!r}. Package the student again")
    return EmpiricalCDF.fit(values)
