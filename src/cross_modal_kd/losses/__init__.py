"""The losses of the method and its baselines, for any PyTorch project; imports nothing else of this package.

>>> import torch
>>> from cross_modal_kd.losses import ConstraintInputs, SoftFeatureConstraint
>>> batch = ConstraintInputs(student=torch.randn(8, 16), teacher=torch.randn(8, 16))
>>> SoftFeatureConstraint(margin=0.2)(batch).values.mean().ndim
0

``cross_modal_kd.losses.aam.AAMSoftmaxHead`` is imported from its own file, since it needs pytorch-metric-learning.
"""

from cross_modal_kd.losses.bank import BankContrastiveConstraint
from cross_modal_kd.losses.classifier import SoftClassifierConstraint
from cross_modal_kd.losses.constraint import Constraint
from cross_modal_kd.losses.contrastive import ContrastiveConstraint
from cross_modal_kd.losses.feature import SoftFeatureConstraint
from cross_modal_kd.losses.hinton import HintonKD
from cross_modal_kd.losses.inputs import ConstraintInputs, ConstraintOutput
from cross_modal_kd.losses.margin import soft_margin
from cross_modal_kd.losses.objective import Objective, ObjectiveOutput, Term
from cross_modal_kd.losses.reducers import REDUCERS
from cross_modal_kd.losses.registry import CONSTRAINTS, build_constraint
from cross_modal_kd.losses.relational import RelationalConstraint
from cross_modal_kd.losses.rkd import RKD
from cross_modal_kd.losses.task import LinearHead, TaskHead, TaskOutput
from cross_modal_kd.losses.weights import distillation_quality, quality_weights

__all__ = [
    "CONSTRAINTS",
    "REDUCERS",
    "RKD",
    "BankContrastiveConstraint",
    "Constraint",
    "ConstraintInputs",
    "ConstraintOutput",
    "ContrastiveConstraint",
    "HintonKD",
    "LinearHead",
    "Objective",
    "ObjectiveOutput",
    "RelationalConstraint",
    "SoftClassifierConstraint",
    "SoftFeatureConstraint",
    "TaskHead",
    "TaskOutput",
    "Term",
    "build_constraint",
    "distillation_quality",
    "quality_weights",
    "soft_margin",
]
