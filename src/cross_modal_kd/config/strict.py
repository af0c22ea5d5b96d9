"""The base of every parameter block: frozen, no unknown keys, errors that name the key and what is allowed."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class Strict(BaseModel):
    """A pydantic model that refuses unknown keys and lists the keys that it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

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


__all__ = ["Strict", "ValidationError", "without_null"]
