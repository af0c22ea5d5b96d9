"""Distances, reducers and constraints by the names that configuration uses."""

from typing import Any

from cross_modal_kd.losses import kinds
from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.distances import Distance
from cross_modal_kd.losses.reducers import Reducer

DISTANCES: dict[str, Distance] = {name: kinds.load(where) for name, where in kinds.DISTANCES.items()}
REDUCERS: dict[str, Reducer] = {name: kinds.load(where) for name, where in kinds.REDUCERS.items()}


def build_constraint(kind: str, margin: float = 0.0, temperature: float = 1.0, **options: Any) -> Constraint:
    """The constraint of that name.

    Args:
        kind: A key of ``CONSTRAINTS``.
        margin: m >= 0 in the units of the constraint's raw value; 0 is the hard form.
        temperature: tau > 0 of a constraint that compares distributions; the others take 1 alone.
        options: What ``CONSTRAINTS[kind].options`` names; the class's own defaults stand for the rest.

    Returns:
        A module without parameters.

    Raises:
        ValueError: With the names there are, if the kind or an option is none of them, or if a value is out of range.

    >>> build_constraint("rkd", margin=0.1, angle_weight=0.0)
    RKD(margin=0.1)
    """
    declared = kinds.check_constraint(kind, temperature, options)
    arguments = {"margin": margin, **declared.fixed, **options}
    if declared.temperature:
        arguments["temperature"] = temperature
    return kinds.load(declared.where)(**arguments)
