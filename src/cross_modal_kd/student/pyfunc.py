"""A packaged student as MLflow serves it: ``mlflow.pyfunc.load_model("models:/<name>@champion")``.

This module is the model's ``loader_module``: no code comes with the model, and nothing is unpickled.
"""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cross_modal_kd.modalities import Modality, modality_of
from cross_modal_kd.samples import UnreadableSampleError
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.model import StudentModel
from cross_modal_kd.student.package import PackagedStudent, load_package
from cross_modal_kd.student.results import Prediction

if TYPE_CHECKING:
    import pandas as pd

FILE = "content"
OUTPUTS = {
    "label": "string",
    "probability": "double",
    "calibrated": "boolean",
    "quality": "double",
    "poor": "boolean",
    "embedding": "double[]",
    "error": "string",
}
PARAMS: dict[str, tuple[str, Any]] = {"labels": ("string[]", [])}


@dataclass(frozen=True)
class Served:
    """What MLflow is given beside the folder.

    Attributes:
        inputs: type by column, none of them required: an input is in one of them.
        outputs: type by column.
        params: (type, default) by name.
        example: rows of inputs; None where the package has no example file.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    params: dict[str, tuple[str, Any]]
    example: "pd.DataFrame | None"


def served(package: PackagedStudent) -> Served:
    """How a student is asked through MLflow.

    Args:
        package: with or without example files.

    Returns:
        Columns: ``content``, the bytes of a file (in JSON its base64); or an array of the modality.
    """
    import pandas as pd

    files = list(package.examples.values())[:1]
    example = pd.DataFrame({FILE: files}) if files else None
    return Served({FILE: "binary", **modality_of(package.record.task.student).columns}, OUTPUTS, PARAMS, example)


class ServedStudent:
    """A student that answers tables.

    Args:
        folder: what ``save_package`` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.model = StudentModel(load_package(folder))

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> "pd.DataFrame":
        """The class, quality and embedding of each row; no class of a student that was trained without labels.

        Args:
            model_input: a table with a column of ``served``; a row that cannot be read has its reason in ``error``.
            params: ``labels``: classes named by words, in place of the student's own.

        Returns:
            A row each, in the columns of ``OUTPUTS``.

        Raises:
            StudentError: the table has none of the columns.
        """
        import pandas as pd

        table = pd.DataFrame(model_input)
        labels = list((params or {}).get("labels") or []) or None
        modality = modality_of(self.model.task.student)
        given = [_given(row, modality) for row in table.to_dict("records")]
        places = [place for place, each in enumerate(given) if not isinstance(each, Prediction)]
        asked = [given[place] for place in places]
        named = labels is not None or bool(self.model.classes)
        found = self.model.predict(asked, 1, labels) if named else self.model.look(asked)
        answers = dict(zip(places, found, strict=True))
        rows = [_row(answers.get(place, each)) for place, each in enumerate(given)]
        return pd.DataFrame(rows, columns=list(OUTPUTS), dtype=object)  # None, where JSON has no NaN


def _given(row: dict[Any, Any], modality: Modality) -> Any:
    """The input of a row; a Prediction with an error where it has none."""
    if _is_there(row.get(FILE)):
        return _bytes(row[FILE])
    values: list[Any] = [row.get(name) for name in modality.columns]
    if not values or not all(_is_there(each) for each in values):
        columns = " or ".join([FILE, *([" with ".join(modality.columns)] if modality.columns else [])])
        raise StudentError(f"expected the column {columns}, found {sorted(map(str, row))}")
    try:
        return modality.of_columns(values)
    except UnreadableSampleError as error:
        return Prediction(error.name, error.reason)


def _bytes(content: Any) -> Any:
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    try:
        return base64.b64decode(str(content), validate=True)
    except (binascii.Error, ValueError):
        return Prediction(FILE, "content must be the bytes of a file, or their base64")


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and np.isnan(value))


def _row(answer: Prediction) -> dict[str, Any]:
    quality = answer.quality
    return {
        "label": answer.label,
        "probability": answer.probability,
        "calibrated": answer.calibrated,
        "quality": None if quality is None else quality.score,
        "poor": quality is not None and quality.poor,
        "embedding": None if answer.embedding is None else answer.embedding.astype(float).tolist(),
        "error": answer.error,
    }


def _load_pyfunc(path: str) -> ServedStudent:
    """Called by MLflow with the folder of the model's data."""
    return ServedStudent(Path(path))
