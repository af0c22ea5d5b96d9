"""Predictions as rows of a table."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import ScoreConfig
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.gather import gathered
from cross_modal_kd.student.model import StudentModel
from cross_modal_kd.student.results import Prediction

logger = logging.getLogger(__name__)


def prediction_columns(top_k: int) -> dict[str, type]:
    """The columns of ``prediction_row``, in order.

    Args:
        top_k: classes of each.

    Returns:
        Their types by name; each may be missing in a row.
    """
    more = {f"{name}_{place}": kind for place in range(2, top_k + 1)
            for name, kind in (("label", str), ("probability", float))}  # fmt: skip
    first = {"file": str, "label": str, "probability": float, "calibrated": bool}
    return {**first, **more, "quality": float, "poor": bool, "quality_why": str, "error": str}


def prediction_row(answer: Prediction, top_k: int) -> dict[str, Any]:
    """A prediction as a row.

    Args:
        answer: of ``StudentModel.predict``.
        top_k: classes that are listed, as many as there are.

    Returns:
        Values by column; of what could not be read the reason, and no answer.
    """
    row: dict[str, Any] = dict.fromkeys(prediction_columns(top_k))
    row |= {"file": answer.name, "error": answer.error}
    if answer.quality is not None:
        row |= {"quality": answer.quality.score, "poor": answer.quality.poor, "quality_why": answer.quality.why}
    if answer.error is not None:
        return row
    row |= {"label": answer.label, "probability": answer.probability, "calibrated": answer.calibrated}
    for place, (label, probability) in enumerate(answer.top[1:top_k], start=2):
        row |= {f"label_{place}": label, f"probability_{place}": probability}
    return row


def prediction_table(model: StudentModel, score: ScoreConfig) -> pd.DataFrame:
    """The predictions of many files.

    Args:
        model: that answers.
        score: the files, and what is listed of each.

    Returns:
        A row a file, of the columns of ``prediction_columns``.

    Raises:
        StudentError: there is no file, or none could be read.
    """
    files = gathered([Path(each) for each in score.inputs], model.task.student,
                     lambda folder, words: logger.warning("%s: %s", folder, words))  # fmt: skip
    with progress_bar(files, desc="score", unit="file") as bar:
        answers = model.predict(iter(bar), score.top_k, score.labels)
        rows = [prediction_row(answer, score.top_k) for answer in answers]
    lost = [row for row in rows if row["error"]]
    if len(lost) == len(rows):
        raise StudentError(f"none of the {len(rows)} files could be read; the first, {rows[0]['file']}: "
                           f"{rows[0]['error']}")  # fmt: skip
    if lost:
        logger.warning("%d of %d files could not be read, their rows have the reason", len(lost), len(rows))
    return pd.DataFrame(rows, columns=list(prediction_columns(score.top_k)))
