"""What the ``config.json`` of a saved model may hold, for each kind of model.

Numbers are numbers and names are names: nothing is turned into another type. The options of an encoder pass the list of
its modality when the model is built (``config.registered.check_options``).
"""

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from cross_modal_kd.config import ProjectionConfig, Strict, first_errors
from cross_modal_kd.models.errors import ModelError

DEEPEST = 16
DECIDES = {"kind", "dim", "hidden", "residual", "scale"}  # of a projection: a default in their place is another one

Size = Annotated[int, Field(ge=1, le=2**31 - 1)]


class EncoderRecord(Strict):
    """library, name, options of an encoder, and nothing beside them."""

    library: str
    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class ProjectionRecord(Strict):
    """A projection of the teacher.

    in_dim: D of the teacher. classes: C names, none where no training sample had a label. projection: how
    it was fitted.
    """

    in_dim: Size
    classes: list[str]
    projection: ProjectionConfig

    @field_validator("projection", mode="before")
    @classmethod
    def _says_what_it_is(cls, projection: Any) -> Any:
        lacking = sorted(DECIDES - set(projection)) if isinstance(projection, dict) else []
        if lacking:
            raise ValueError(f"{', '.join(lacking)}: missing")
        return projection

    @field_validator("classes")
    @classmethod
    def _once(cls, classes: list[str]) -> list[str]:
        return _unique(classes)


class AnswerRecord(Strict):
    """By which classifier a student answers beside its own, and the logit scale."""

    by: Literal["teacher", "both"]
    scale: float = Field(gt=0, le=1e6)


class StudentRecord(Strict):
    """Encoder, inputs, d, the names of the classes; the projection and the classifier that it took along."""

    encoder: EncoderRecord
    inputs: dict[str, Any]
    dim: Size
    classes: list[str]
    own_projection: ProjectionRecord | None = None
    answer: AnswerRecord | None = None

    @field_validator("classes")
    @classmethod
    def _once(cls, classes: list[str]) -> list[str]:
        return _unique(classes)


class PretrainedRecord(Strict):
    """Encoder and inputs of a pretrained teacher."""

    encoder: EncoderRecord
    inputs: dict[str, Any]


RECORDS: Mapping[str, type[BaseModel]] = {
    "student": StudentRecord,
    "projection": ProjectionRecord,
    "pretrained": PretrainedRecord,
}


def check_record(kind: Any, config: Any, where: str, kinds: Collection[str] | None = None) -> BaseModel:
    """Make sure that a saved configuration is one of a known kind of model.

    Args:
        kind: As the file has it.
        config: Likewise.
        where: The file, for the message.
        kinds: Those that are wanted; None for all that there are.

    Returns:
        The configuration by its model.

    Raises:
        ModelError: It is of another kind, has a key too many or too few, or a value that cannot be.
    """
    wanted = sorted(RECORDS if kinds is None else kinds)
    if not isinstance(kind, str) or kind not in wanted:
        raise ModelError(
            f"{where}: expected a model of kind {' or '.join(map(repr, wanted))}, found {str(kind)[:40]!r}; "
            "make the model again"
        )
    if not _is_plain(config):
        raise ModelError(
            f"{where}: config must be plain JSON with finite numbers, at most {DEEPEST} levels deep; "
            "make the model again"
        )
    try:
        return RECORDS[kind].model_validate(config, strict=True)
    except ValidationError as error:
        raise ModelError(f"{where}: {first_errors(error)}; make the model again") from error


def _is_plain(content: Any) -> bool:
    """Whether nothing is nested beyond ``DEEPEST`` levels and every number is finite; without recursion."""
    level, depth = [content], 0
    while level and depth <= DEEPEST:
        if not all(isfinite(value) for value in level if isinstance(value, float)):
            return False
        inside = [value.values() if isinstance(value, dict) else value for value in level if _holds(value)]
        level, depth = [each for values in inside for each in values], depth + 1
    return not level


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _unique(classes: list[str]) -> list[str]:
    if len(set(classes)) != len(classes):
        raise ValueError("a class is named twice")
    for name in classes:
        name.encode("utf-8")  # UnicodeEncodeError, a ValueError, for what no file can hold
    return classes
