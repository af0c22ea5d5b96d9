"""Edges of the losses that no formula shows: defaults, names in errors, small weights, what stands on a limit."""

import inspect
import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from cross_modal_kd import losses
from cross_modal_kd.losses import (
    REDUCERS,
    RKD,
    AAMSoftmaxClassifier,
    BankContrastiveConstraint,
    Constraint,
    ConstraintInputs,
    ContrastiveConstraint,
    HintonKD,
    LinearClassifier,
    Objective,
    RelationalConstraint,
    SoftClassifierConstraint,
    SoftFeatureConstraint,
    Term,
    build_constraint,
    check_constraint,
    distillation_quality,
    quality_weights,
)
from cross_modal_kd.losses.contrastive import same_class
from cross_modal_kd.losses.relational import mean_of_others

PAIR = ConstraintInputs(torch.eye(2), torch.eye(2))

DEFAULTS = {
    SoftFeatureConstraint: {"margin": 0.0, "distance": "cosine"},
    RelationalConstraint: {"margin": 0.0},
    ContrastiveConstraint: {"margin": 0.0, "temperature": 0.07, "symmetric": True},
    BankContrastiveConstraint: {"margin": 0.0, "temperature": 0.1},
    SoftClassifierConstraint: {"margin": 0.0, "temperature": 1.0, "target": "teacher", "unlabelled": "teacher"},
    HintonKD: {"margin": 0.0, "temperature": 4.0},
    RKD: {"margin": 0.0, "distance_weight": 1.0, "angle_weight": 2.0},
    LinearClassifier: {"label_smoothing": 0.0},
    AAMSoftmaxClassifier: {"margin": 0.2, "scale": 30.0, "sub_centers": 1},
    Term: {"weight": 1.0, "reducer": "mean", "warmup": 0.0},
}
PLACES = {LinearClassifier: (3, 4), AAMSoftmaxClassifier: (3, 4), Term: (RelationalConstraint(),)}


@pytest.mark.parametrize("made", DEFAULTS, ids=lambda made: made.__name__)
def test_what_is_not_given_has_the_default_that_the_documentation_names(made):
    plain, given = made(*PLACES.get(made, ())), made(*PLACES.get(made, ()), **DEFAULTS[made])
    for name in DEFAULTS[made]:
        assert getattr(plain, name) == getattr(given, name)
    signature = inspect.signature(made).parameters
    assert {name for name, one in signature.items() if one.default is not inspect.Parameter.empty} == set(
        DEFAULTS[made]
    )


def test_clipping_of_weights_is_from_a_tenth_to_ten_unless_given():
    quality = np.array([0.0, 0.0, 0.0, 1.0] + [0.0] * 36)
    assert quality_weights(quality, 1.0).tolist() == quality_weights(quality, 1.0, 0.1, 10.0).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BankContrastiveConstraint()(PAIR), "bank: the bank contrast needs it"),
        (
            lambda: BankContrastiveConstraint()(ConstraintInputs(torch.eye(2), torch.eye(2), bank=torch.eye(2))),
            "bank_rows: the bank contrast needs it",
        ),
        (lambda: HintonKD()(PAIR), "student_logits: hinton_kd needs it"),
        (
            lambda: HintonKD()(ConstraintInputs(torch.eye(2), torch.eye(2), student_logits=torch.eye(2))),
            "prototypes: hinton_kd without teacher_logits needs it",
        ),
        (lambda: SoftClassifierConstraint()(PAIR), "prototypes: the classifier constraint needs it"),
        (lambda: RKD(distance_weight=-1), "distance_weight: expected a finite number >= 0, found -1"),
        (lambda: RKD(angle_weight=-1), "angle_weight: expected a finite number >= 0, found -1"),
        (
            lambda: SoftClassifierConstraint(target="x"),
            "target: expected one of 'teacher', 'label', found 'x'",
        ),
        (
            lambda: SoftClassifierConstraint(unlabelled="x"),
            "unlabelled: expected one of 'teacher', 'ignore', found 'x'",
        ),
        (lambda: ContrastiveConstraint(symmetric="x"), "symmetric: expected one of True, False, found 'x'"),
        (
            lambda: distillation_quality(np.array([2.0]), np.array([0.5])),
            "student: expected values in [0, 1], found 2.0",
        ),
        (
            lambda: distillation_quality(np.array([0.5]), np.array([2.0])),
            "teacher: expected values in [0, 1], found 2.0",
        ),
        (
            lambda: Objective({})(None, torch.zeros(2), task_weights=torch.ones(3)),
            "task_weights: expected shape (2,) as task_loss, found (3,)",
        ),
        (
            lambda: Objective({})(None, torch.zeros(2), kd_weights=torch.ones(3)),
            "kd_weights: expected shape (2,) as task_loss, found (3,)",
        ),
        (lambda: AAMSoftmaxClassifier(3, 4, margin=math.pi / 2), "margin: expected radians with 0 <= margin < pi / 2"),
        (lambda: AAMSoftmaxClassifier(3, 4, margin=-0.1), "margin: expected radians with 0 <= margin < pi / 2"),
        (lambda: LinearClassifier(3, 4, label_smoothing=-0.1), "label_smoothing: expected 0 <= e < 1, found -0.1"),
        (
            lambda: ConstraintInputs(torch.eye(2), torch.eye(2), prototypes=torch.ones(2)),
            "prototypes: expected shape (C, 2), found (2,)",
        ),
        (lambda: ConstraintInputs(torch.eye(2), torch.eye(2), bank=torch.ones(3, 4)), "bank: expected shape (K, 2)"),
        (lambda: ConstraintInputs(torch.eye(2), torch.eye(2), bank=torch.ones(2)), "bank: expected shape (K, 2)"),
        (
            lambda: ConstraintInputs(torch.eye(2), torch.eye(2), bank_rows=torch.ones(2)),
            "bank_rows: expected 2 integers, found torch.float32",
        ),
        (
            lambda: ConstraintInputs(torch.eye(2), torch.eye(2), bank_rows=torch.tensor([1])),
            "bank_rows: expected 2 integers, found torch.int64 of shape (1,)",
        ),
        *[
            (
                lambda name=name: ConstraintInputs(torch.eye(2), torch.eye(2), **{name: torch.ones(2)}),
                f"{name}: expected 2 rows",
            )
            for name in ("student_raw", "teacher_raw", "student_logits", "teacher_logits")
        ],
    ],
)
def test_an_error_names_the_argument_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()


def test_one_weight_of_rkd_may_be_zero():
    for name in ("distance_weight", "angle_weight"):
        check_constraint("rkd", options={name: 0})
        assert getattr(build_constraint("rkd", **{name: 0}), name) == 0


@pytest.mark.parametrize("reducer", sorted(REDUCERS))
def test_small_weights_are_divided_out_too(reducer):
    values, active = torch.tensor([1.0, 3.0]), torch.ones(2)
    found = REDUCERS[reducer](values, torch.tensor([1e-3, 1e-3]), active)
    assert found.item() == pytest.approx(2.0)


@pytest.mark.parametrize("made", [RelationalConstraint, SoftFeatureConstraint])
def test_what_stands_on_the_margin_is_not_active(made):
    """Cosines 1 and 0 of the student against 0 and 0 of the teacher: the discrepancy is 1, exactly."""
    student = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    teacher = torch.tensor([[0.0, 1.0], [0.0, 1.0]]) if made is SoftFeatureConstraint else torch.eye(2)
    output = made(margin=1.0)(ConstraintInputs(student, teacher))
    assert output.raw.tolist() == [1.0, 1.0]
    assert output.values.tolist() == output.active.tolist() == [0.0, 0.0]
    inside = made(margin=0.999)(ConstraintInputs(student, teacher))
    assert inside.active.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("made", [RelationalConstraint, SoftFeatureConstraint, RKD])
def test_all_three_numbers_have_the_type_of_the_embeddings(made, dtype):
    output = made()(ConstraintInputs(torch.eye(3, dtype=dtype), torch.ones(3, 3, dtype=dtype)))
    assert {part.dtype for part in output} == {dtype}


def test_a_batch_too_small_for_pairs_has_none():
    assert mean_of_others(torch.ones(1, 1)).tolist() == [0.0]
    assert mean_of_others(torch.full((2, 2), 3.0)).tolist() == [3.0, 3.0]


def test_masks_are_made_on_the_device_of_what_they_mask():
    """On the meta device, since there is no other where the tests run; elsewhere it would be the GPU."""
    meta = torch.device("meta")
    assert mean_of_others(torch.ones(3, 3, device=meta)).device == meta
    assert same_class(3, None, meta).device == same_class(3, torch.tensor([0, 0, 1]), meta).device == meta


def test_the_constraints_are_parts_of_the_objective():
    """A constraint of one's own may have parameters: they are found, saved and moved with it."""

    class Scaled(Constraint):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(2.0))

        def raw(self, inputs):
            return self.factor * (inputs.student - inputs.teacher).square().sum(-1)

    objective = Objective({"mine": Term(Scaled())})
    assert [parameter.item() for parameter in objective.parameters()] == [2.0]
    assert list(objective.state_dict()) == ["constraints.mine.factor"]


def test_the_face_hands_out_the_very_objects():
    assert losses.__getattr__("SoftFeatureConstraint") is SoftFeatureConstraint
    assert losses.__getattr__("RKD") is RKD
    with pytest.raises(AttributeError, match="has no attribute 'SoftFeature'; it has AAMSoftmaxClassifier, "):
        losses.__getattr__("SoftFeature")


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_a_training_may_be_at_its_very_beginning_and_end(progress):
    output = Objective({"feature": Term(SoftFeatureConstraint(), warmup=0.5)})(PAIR, torch.ones(2), progress=progress)
    assert output.total.item() == pytest.approx(1.0)  # student and teacher agree
    with pytest.raises(ValueError, match=r"progress: expected a share of the training in \[0, 1\], found -0.1"):
        Objective({})(None, torch.ones(2), progress=-0.1)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("made", [LinearClassifier, AAMSoftmaxClassifier])
def test_classifiers_take_labels_of_any_width(made, dtype):
    torch.manual_seed(0)
    classifier, x = made(3, 4), torch.randn(4, 4)
    labels = torch.tensor([0, 2, -1, 1])
    assert torch.equal(classifier(x, labels.to(dtype)).values, classifier(x, labels).values)
