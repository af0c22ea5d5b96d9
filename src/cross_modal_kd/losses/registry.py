"""Constraints by the names that configuration uses."""

from collections.abc import Callable

from cross_modal_kd.losses.bank import BankContrastiveConstraint
from cross_modal_kd.losses.classifier import SoftClassifierConstraint
from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.contrastive import ContrastiveConstraint
from cross_modal_kd.losses.feature import SoftFeatureConstraint
from cross_modal_kd.losses.hinton import HintonKD
from cross_modal_kd.losses.relational import RelationalConstraint
from cross_modal_kd.losses.rkd import RKD

# Each takes (margin, temperature); those that compare no distributions have no use for the temperature.
CONSTRAINTS: dict[str, Callable[[float, float], Constraint]] = {
    "cosine": lambda margin, temperature: SoftFeatureConstraint(margin, "cosine"),
    "l2": lambda margin, temperature: SoftFeatureConstraint(margin, "l2"),
    "relational": lambda margin, temperature: RelationalConstraint(margin),
    "contrastive": ContrastiveConstraint,
    "contrastive_bank": BankContrastiveConstraint,
    "classifier_kl": SoftClassifierConstraint,
    "classifier_ce": lambda margin, temperature: SoftClassifierConstraint(margin, temperature, target="label"),
    "hinton_kd": HintonKD,
    "rkd": lambda margin, temperature: RKD(margin),
}


def build_constraint(kind: str, margin: float = 0.0, temperature: float = 1.0) -> Constraint:
    """The constraint called ``kind``; ValueError lists the names there are."""
    if kind not in CONSTRAINTS:
        raise ValueError(f"kind: expected one of {', '.join(sorted(CONSTRAINTS))}; found {kind!r}")
    return CONSTRAINTS[kind](margin, temperature)
