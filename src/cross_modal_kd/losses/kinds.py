"""What configuration can name: every constraint with its options, the distances and the reducers.

The one list of each. It imports no third-party package, so that a configuration is checked before torch is loaded; the
losses are built from the same tables (``registry.py``). A new constraint is a file in this folder and a line here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from numbers import Real
from typing import Any


@dataclass(frozen=True)
class Option:
    """What one option of a constraint may be.

    Args:
        allowed: The values there are, each of a type of its own (``True`` is not ``1``); empty for any number >= 0.
    """

    allowed: tuple[bool | str, ...] = ()

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.allowed))}" if self.allowed else "a finite number >= 0"

    def check(self, name: str, value: Any) -> Any:
        """The value, if it is one that the option may have.

        Args:
            name: What the option is called, for the message.
            value: What was given.

        Returns:
            ``value`` itself.

        Raises:
            ValueError: With the values there are, if it is none of them.

        >>> Option(("teacher", "label")).check("target", "label")
        'label'
        """
        if not (self._names(value) if self.allowed else _number(value)):
            raise ValueError(f"{name}: expected {self}, found {value!r}")
        return value

    def _names(self, value: Any) -> bool:
        return value in [one for one in self.allowed if type(one) is type(value)]


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf


@dataclass(frozen=True)
class Kind:
    """A constraint by the name that configuration uses.

    Args:
        where: ``file.Class`` in this folder; the class takes ``margin`` first.
        temperature: Whether it takes a temperature: it compares distributions.
        options: Its further options by name; what is not given stays at the class's own default.
        fixed: Arguments that the name stands for.
        classes: Whether it asks a classifier, which knows the classes of labelled samples.
        own: Whether it teaches the student's own classifier, beside the label.
    """

    where: str
    temperature: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    classes: bool = False
    own: bool = False


DISTANCES: dict[str, str] = {"cosine": "distances.COSINE", "l2": "distances.L2"}
REDUCERS: dict[str, str] = {"mean": "reducers.mean", "active_mean": "reducers.active_mean"}

DISTANCE = Option(tuple(DISTANCES))
SYMMETRIC = Option((True, False))
TARGET = Option(("teacher", "label"))
UNLABELLED = Option(("teacher", "ignore"))
FACTOR = Option()

CONSTRAINTS: dict[str, Kind] = {
    "feature": Kind("feature.SoftFeatureConstraint", options={"distance": DISTANCE}),
    "cosine": Kind("feature.SoftFeatureConstraint", fixed={"distance": "cosine"}),
    "l2": Kind("feature.SoftFeatureConstraint", fixed={"distance": "l2"}),
    "relational": Kind("relational.RelationalConstraint"),
    "contrastive": Kind("contrastive.ContrastiveConstraint", temperature=True, options={"symmetric": SYMMETRIC}),
    "contrastive_bank": Kind("bank.BankContrastiveConstraint", temperature=True),
    "classifier": Kind(
        "classifier.SoftClassifierConstraint",
        temperature=True,
        options={"target": TARGET, "unlabelled": UNLABELLED},
        classes=True,
    ),
    "classifier_kl": Kind(
        "classifier.SoftClassifierConstraint", temperature=True, fixed={"target": "teacher"}, classes=True
    ),
    "classifier_ce": Kind(
        "classifier.SoftClassifierConstraint",
        temperature=True,
        options={"unlabelled": UNLABELLED},
        fixed={"target": "label"},
        classes=True,
    ),
    "hinton_kd": Kind("hinton.HintonKD", temperature=True, classes=True, own=True),
    "rkd": Kind("rkd.RKD", options={"distance_weight": FACTOR, "angle_weight": FACTOR}),
}


def one_of(table: Mapping[str, Any], name: str, argument: str) -> str:
    """The name, if the table has it.

    Args:
        table: One of the tables of this file.
        name: What was given.
        argument: What it was given as, for the message.

    Returns:
        ``name`` itself.

    Raises:
        ValueError: With the names there are, if it is none of them.

    >>> one_of(REDUCERS, "mean", "reducer")
    'mean'
    """
    if name not in table:
        raise ValueError(f"{argument}: expected one of {', '.join(sorted(table))}; found {name!r}")
    return name


def check_constraint(kind: str, temperature: float = 1.0, options: Mapping[str, Any] | None = None) -> Kind:
    """The declaration of a constraint, if it takes this temperature and these options.

    A temperature of 1 is no temperature: every constraint takes it, those that compare no distributions too.

    Args:
        kind: A key of ``CONSTRAINTS``.
        temperature: tau > 0, without unit.
        options: The constraint's own options by name.

    Returns:
        What ``CONSTRAINTS`` holds under that name.

    Raises:
        ValueError: If there is no such constraint, if it has no such option or the option no such value, and if a
            temperature other than 1 or an option would have no effect.

    >>> check_constraint("rkd", options={"angle_weight": 0}).where
    'rkd.RKD'
    """
    declared, options = CONSTRAINTS[one_of(CONSTRAINTS, kind, "kind")], options or {}
    if temperature != 1 and not declared.temperature:
        raise ValueError(
            f"temperature: {kind!r} compares no distributions, {temperature} would have no effect; leave it out"
        )
    for name, value in options.items():
        if name not in declared.options:
            raise ValueError(f"options: {kind!r} has no option {name!r}; expected {_listed(declared)}")
        declared.options[name].check(f"options.{name}", value)
    _check_effect(kind, options)
    return declared


def _listed(declared: Kind) -> str:
    return f"one of {', '.join(declared.options)}" if declared.options else "none, it has no options"


def _check_effect(kind: str, options: Mapping[str, Any]) -> None:
    """ValueError for options that are right one by one and do nothing together."""
    if kind == "classifier" and "unlabelled" in options and options.get("target", "teacher") == "teacher":
        raise ValueError(
            "options.unlabelled: has no effect with target 'teacher', which asks for no label; "
            "set options.target to 'label' or leave it out"
        )
    if kind == "rkd" and options.get("distance_weight") == 0 and options.get("angle_weight") == 0:
        raise ValueError("options: 'rkd' with both weights 0 is 0 itself; remove the constraint instead")


def load(where: str) -> Any:
    """What stands at ``file.name`` in this folder.

    Args:
        where: A value of ``DISTANCES`` or ``REDUCERS``, or a ``Kind``'s ``where``.

    Returns:
        The class, function or object of that name.
    """
    file, name = where.rsplit(".", 1)
    return getattr(import_module(f"{__package__}.{file}"), name)
