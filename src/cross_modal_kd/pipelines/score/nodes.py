"""The packaged student on files of somebody's own."""

from typing import Any

import pandas as pd

from cross_modal_kd.config import ScoreConfig

# Kedro reads the hints when it loads the pipelines, and this type's room imports torch
PackagedStudent = Any  # student.PackagedStudent


def score_files(packaged: PackagedStudent, score: ScoreConfig) -> pd.DataFrame:
    """Name the class of each file.

    Args:
        packaged: the student with all that it needs.
        score: the files, and what is listed of each.

    Returns:
        A row a file: class, probability, quality, or why it could not be read.
    """
    from cross_modal_kd.student import StudentModel, prediction_table

    return prediction_table(StudentModel(packaged, score.device, score.batch_size), score)
