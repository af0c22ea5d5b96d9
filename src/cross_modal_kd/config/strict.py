"""The base of every parameter block: frozen, no unknown keys, finite numbers, errors that name what is allowed."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class Strict(BaseModel):
    """A pydantic model that refuses unknown keys and lists the keys that it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(key) for key in data if key not in cls.model_fields)
            if unknown:
                raise ValueError(
                    f"unknown key {', '.join(map(repr, unknown))} in {cls.__name__}; "
                    f"expected one of: {', '.join(sorted(cls.model_fields))}"
                )
        return data


def without_null(data: Any) -> Any:
    """A mapping without the names that are null: so an environment takes away one that conf/base names.

    Args:
        data: Raw values of a block, of any type.

    Returns:
        The mapping without them; anything but a mapping as it is.
    """
    return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


def first_errors(error: ValidationError, most: int = 3) -> str:
    """What pydantic found wrong, on one line: where, what is expected, what was found.

    Args:
        error: Of a validation.
        most: How many are told.

    Returns:
        ``dim: Input should be greater than or equal to 1, found 0``, several joined by ``;``.
    """
    found = error.errors(include_url=False, include_context=False)
    said = [_said(each) for each in found[:most]]
    return "; ".join(said) + (f" and {len(found) - most} more" if len(found) > most else "")


def _said(found: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in found["loc"])
    told = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"{where}: missing"
    if found["type"] != "value_error":
        value = repr(found["input"])
        told += f", found {value if len(value) <= 60 else value[:57] + '...'}"
    return f"{where}: {told}" if where else told


__all__ = ["Strict", "ValidationError", "first_errors", "without_null"]
