"""The base of every parameter block: frozen, no unknown keys, finite numbers, errors that name what is allowed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

MOST_WHOLE, MOST_FLOAT = 2**63 - 1, 3.4e38
"""The largest whole number, and the largest other one, that torch computes with."""

# Of the additive angular margin, in radians: losses.AAMSoftmaxClassifier refuses pi / 2 and above.
Margin = Annotated[float, Field(ge=0, lt=math.pi / 2)]


def _each_once(values: list[Any]) -> list[Any]:
    if repeated := sorted({value for value in values if values.count(value) > 1}, key=str):
        raise ValueError(f"each may be named once, found {repeated} more than once")
    return values


# For a list[...] whose members count one by one: a seed that is named twice would be counted as two trainings.
EachOnce = AfterValidator(_each_once)


@dataclass(frozen=True)
class Reference:
    """A name in a block of something that is declared elsewhere.

    Attributes:
        key: where it stands, dotted.
        name: what stands there.
        what: of what it is a name: an arm of the block ``arms``, or a quality measure or a degradation of ``modality``.
        modality: None of an arm.
        levels: of a degradation, at which it is asked for.
    """

    key: str
    name: str
    what: Literal["arm", "measure", "degradation"]
    modality: str | None = None
    levels: tuple[float, ...] = ()


class Strict(BaseModel):
    """A pydantic model that refuses unknown keys and lists the keys that it has.

    Numbers are finite, of a size that torch computes with, and a number is not true or false.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    def references(self) -> Iterator[Reference]:
        """The names in this block of what is declared elsewhere; whether they are there is checked before a run."""
        yield from ()

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG002 (for those that find some)
        """What of this block does not go with the others, found before a run.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each: the key, what was found, what is expected.
        """
        yield from ()

    def in_a_line(self) -> str:
        """What of this block the console says before a run, for a block that says which trainings there are."""
        return ""

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(key) for key in data if key not in cls.model_fields)
            if unknown:
                raise ValueError(unknown_keys(unknown, cls.__name__, sorted(cls.model_fields)))
        return data

    @model_validator(mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, data: Any) -> Any:
        for name, value in data.items() if isinstance(data, dict) else ():
            if isinstance(value, bool) and name in cls.model_fields and _is_number(cls.model_fields[name].annotation):
                raise ValueError(f"{name}: expected a number, found {str(value).lower()}")
        return data

    @model_validator(mode="after")
    def _no_number_beyond_the_machine(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            for each in value if isinstance(value, list | tuple) else (value,):
                if isinstance(each, int) and abs(each) > MOST_WHOLE:
                    raise ValueError(f"{name}: expected a number below 2^63, found one of {len(str(abs(each)))} digits")
                if isinstance(each, float) and abs(each) > MOST_FLOAT:
                    raise ValueError(f"{name}: expected a number up to {MOST_FLOAT}, found {each}")
        return self


class Grown(Strict):
    """A block that was given settings later: where one is the default it goes unsaid, so that run keys stay.

    later: Names of those settings.
    """

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_what_goes_unsaid(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = dump(self)
        defaults = {name: type(self).model_fields[name].default for name in self.later}
        unsaid = {name: each.model_dump() if isinstance(each, BaseModel) else each for name, each in defaults.items()}
        return {name: value for name, value in said.items() if name not in unsaid or value != unsaid[name]}


def unknown_keys(unknown: Sequence[str], block: str, there: Sequence[str]) -> str:
    """The sentence about keys that a block does not have.

    Args:
        unknown: The keys.
        block: Name of the block's model.
        there: The keys that it has.

    Returns:
        What was found, what is expected, what was probably meant.

    >>> unknown_keys(["epoch"], "TrainingConfig", ["epochs", "lr"])
    "unknown key 'epoch' in TrainingConfig; expected one of: epochs, lr. Did you mean 'epochs'?"
    """
    hints = "".join(f" {hint}" for key in unknown if (hint := did_you_mean(key, there)))
    expected = f"expected one of: {', '.join(there)}{hints and f'.{hints}'}" if there else "it takes none"
    return f"unknown key {', '.join(map(repr, unknown))} in {block}; {expected}"


def nearest(name: str, there: Sequence[str]) -> str:
    """The end of an error's sentence about a name that is not there.

    Args:
        name: What was given.
        there: What there is.

    Returns:
        The nearest name, if one is near, and all that there are.

    >>> nearest("soft_bth", ["none", "soft_both"])
    "Did you mean 'soft_both'? There are: none, soft_both"
    """
    return " ".join(filter(None, (did_you_mean(name, there), f"There are: {', '.join(there) or 'none'}")))


def did_you_mean(name: str, there: Sequence[str]) -> str:
    """A question about a name that is not there, if one that is there is near.

    Args:
        name: What was given.
        there: What there is.

    Returns:
        The question: after the nearest in spelling, or after one that is the name made shorter; empty without either.

    >>> did_you_mean("epoch", ["epochs", "lr"]), did_you_mean("learning_rate", ["epochs", "lr"])
    ("Did you mean 'epochs'?", "Did you mean 'lr'?")
    >>> did_you_mean("momentum", ["epochs", "lr"])
    ''
    """
    near = get_close_matches(name, there, n=1) or [each for each in there if _shortens(each, name)]
    return f"Did you mean {near[0]!r}?" if near else ""


def _shortens(short: str, name: str) -> bool:
    """Whether that is a name of two letters or three whose letters stand in the other, the first at its beginning."""
    rest = iter(name)
    return 2 <= len(short) <= 3 and name[:1] == short[:1] and all(letter in rest for letter in short)


def _is_number(annotation: Any) -> bool:
    kinds = {annotation, *get_args(annotation)}
    return bool(kinds & {int, float}) and bool not in kinds


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


__all__ = [
    "EachOnce",
    "Grown",
    "Margin",
    "Reference",
    "Strict",
    "ValidationError",
    "first_errors",
    "nearest",
    "without_null",
]
