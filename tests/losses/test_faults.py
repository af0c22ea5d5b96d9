"""What goes wrong with a single sample is seen: no number of the teacher's is lost, no zero outweighs the batch."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cross_modal_kd.losses import (
    CONSTRAINTS,
    REDUCERS,
    AAMSoftmaxClassifier,
    ConstraintInputs,
    ConstraintOutput,
    HintonKD,
    LinearClassifier,
    Objective,
    SoftFeatureConstraint,
    Term,
    build_constraint,
    unit,
)
from cross_modal_kd.losses.precision import SHORT

KINDS = sorted(CONSTRAINTS)
SIZE, DIM, CLASSES = 6, 5, 3
ROW = 2
CLASSIFIERS = [LinearClassifier, AAMSoftmaxClassifier]
UNSIGNED = [torch.uint8, torch.uint16, torch.uint32, torch.uint64]
INTEGERS = [torch.int8, torch.int16, torch.int32, torch.int64, *UNSIGNED]


def batch_of(labels: list[int] | None = None, dtype: torch.dtype = torch.float32) -> ConstraintInputs:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(dtype)

    return ConstraintInputs(
        student=draw(SIZE, DIM).requires_grad_(),
        teacher=draw(SIZE, DIM),
        labels=torch.tensor([0, 1, 2, 0, 1, 2] if labels is None else labels),
        prototypes=draw(CLASSES, DIM),
        student_raw=draw(SIZE, DIM).requires_grad_(),
        teacher_raw=draw(SIZE, DIM),
        student_logits=draw(SIZE, CLASSES).requires_grad_(),
        bank=draw(SIZE, DIM),
        bank_rows=torch.arange(SIZE),
        scale=16.0,
    )


def with_row(values: Tensor, row: int, value: float | Tensor, column: int | None = None) -> Tensor:
    changed = values.detach().clone()
    changed[row if column is None else (row, column)] = value
    return changed.requires_grad_(values.requires_grad)


# ---- labels ----


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_labels_and_rows_may_be_integers_of_any_width(kind, dtype):
    constraint, inputs = build_constraint(kind), batch_of()
    other = replace(inputs, labels=inputs.labels.to(dtype), bank_rows=inputs.bank_rows.to(dtype))
    assert torch.equal(constraint(other).values, constraint(inputs).values)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("made", CLASSIFIERS)
def test_classifiers_and_the_objective_take_them_too(made, dtype):
    torch.manual_seed(0)
    classifier, inputs = made(CLASSES, DIM), batch_of()
    labels = inputs.labels.to(dtype)
    task = classifier(inputs.student, labels)
    assert torch.equal(task.values, classifier(inputs.student, inputs.labels).values)
    for objective in (Objective({}), Objective({"feature": Term(SoftFeatureConstraint())})):
        totals = [objective(replace(inputs, labels=each), task.values).total for each in (labels, inputs.labels)]
        assert torch.equal(*totals) and totals[0].isfinite()
        assert torch.equal(objective(inputs, task.values, labels=labels).total, totals[1])


@pytest.mark.parametrize("made", CLASSIFIERS)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.ones(SIZE), r"labels: expected 6 integers, found torch.float32 of shape \(6,\)"),
        (torch.ones(SIZE, 1, dtype=torch.long), r"labels: expected 6 integers, found torch.int64 of shape \(6, 1\)"),
        (torch.ones(SIZE - 1, dtype=torch.long), r"labels: expected 6 integers, found torch.int64 of shape \(5,\)"),
        (torch.full((SIZE,), 255, dtype=torch.uint8), r"labels: expected -1 \(no label\) to 2, found 255 to 255"),
        (torch.full((SIZE,), -2), r"labels: expected -1 \(no label\) to 2, found -2 to -2"),
    ],
)
def test_what_is_no_label_is_refused_by_classifiers(made, labels, message):
    with pytest.raises(ValueError, match=message):
        made(CLASSES, DIM)(torch.randn(SIZE, DIM), labels)


def test_labels_and_weights_of_another_shape_are_refused_and_not_spread_over_the_batch():
    inputs, column = batch_of(), torch.ones(SIZE, 1)
    with pytest.raises(ValueError, match=r"labels: expected shape \(6,\) as task_loss, found \(6, 1\)"):
        Objective({})(None, torch.zeros(SIZE), labels=column.long())
    with pytest.raises(ValueError, match=r"weights: expected shape \(6,\) as values, found \(6, 1\)"):
        SoftFeatureConstraint()(inputs).reduce(weights=column)
    with pytest.raises(ValueError, match="labels: expected 6 integers, found torch.complex64"):
        replace(inputs, labels=torch.ones(SIZE, dtype=torch.complex64))


@pytest.mark.parametrize("row", [-100, -1, SIZE])
def test_a_row_that_the_bank_has_not_is_refused(row):
    """-100 is what cross_entropy takes for "leave this sample out"."""
    inputs = batch_of()
    with pytest.raises(ValueError, match=r"bank_rows: expected 0 to 5, found .*"):
        build_constraint("contrastive_bank")(replace(inputs, bank_rows=with_row(inputs.bank_rows, 1, row)))


def test_a_temperature_is_finite():
    with pytest.raises(ValueError, match="temperature: expected a finite number > 0, found inf"):
        HintonKD(temperature=math.inf)


# ---- embeddings of zeros ----


@pytest.mark.parametrize("length", [0.0, 1e-30, 1e-9, SHORT / 2])
def test_an_embedding_without_a_direction_has_no_gradient(length):
    values = torch.tensor([[3.0, 4.0], [0.0, length]], requires_grad=True)
    made = unit(values)
    assert made.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
    (made * torch.tensor([1.0, 2.0])).sum().backward()
    assert values.grad[0].abs().max() > 0 and not values.grad[1].any()


def test_a_short_embedding_above_the_limit_has_its_direction():
    values = torch.tensor([[3e-6, 4e-6]], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(unit(values), torch.tensor([[0.6, 0.8]], dtype=torch.float64))
    assert torch.autograd.gradcheck(unit, torch.randn(3, 4, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("scale", [1.0, 1e-3, 300.0])
def test_other_embeddings_are_normalised_to_the_bit_as_torch_does(scale):
    values, weights = (scale * torch.randn(32, 64)).requires_grad_(), torch.randn(32, 64)
    pairs = [(each, torch.autograd.grad(each, values, weights)[0]) for each in (unit(values), _by_torch(values))]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*pairs, strict=True))


def _by_torch(values: Tensor) -> Tensor:
    return torch.nn.functional.normalize(values, dim=-1)


def test_a_length_that_is_no_number_is_not_passed_off_as_a_direction():
    values = torch.tensor([[1e30, 1e30], [math.inf, 1.0], [math.nan, 1.0]])
    assert unit(values).isnan().any(dim=1).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whose", ["student", "teacher", "both"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_one_embedding_of_zeros_does_not_outweigh_the_batch(kind, whose, dtype):
    inputs = batch_of(dtype=dtype)
    inputs = replace(inputs, teacher=inputs.teacher.requires_grad_())
    zeroed = {"student": ("student",), "teacher": ("teacher", "bank"), "both": ("student", "teacher", "bank")}[whose]
    inputs = replace(inputs, **{name: with_row(getattr(inputs, name), ROW, 0.0) for name in zeroed})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = build_constraint(kind)(inputs)
    assert all(part.isfinite().all() for part in output)
    if output.values.requires_grad:
        output.values.mean().backward()
    for name in ("student", "teacher", "student_raw", "student_logits"):
        slope = getattr(inputs, name).grad
        assert slope is None or (slope.isfinite().all() and slope.abs().max() < 50)


@pytest.mark.parametrize("made", CLASSIFIERS)
def test_classifiers_bear_embeddings_and_prototypes_of_zeros(made):
    torch.manual_seed(0)
    classifier, embeddings = made(CLASSES, DIM), torch.randn(SIZE, DIM)
    with torch.no_grad():
        classifier.weight[1] = 0
    embeddings[ROW] = 0
    embeddings.requires_grad_()
    classifier(embeddings, batch_of().labels).values.mean().backward()
    assert embeddings.grad.isfinite().all() and embeddings.grad.abs().max() < 50
    assert all(each.grad.isfinite().all() and each.grad.abs().max() < 200 for each in classifier.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_batches_of_one_class_of_duplicates_and_of_one_sample_are_finite(kind, size):
    inputs = batch_of([1] * SIZE)
    fields = ("student", "teacher", "labels", "student_raw", "teacher_raw", "student_logits", "bank_rows")
    few = {name: getattr(inputs, name)[:1].detach().repeat_interleave(size, 0) for name in fields}
    few |= {name: few[name].requires_grad_() for name in ("student", "student_raw", "student_logits")}
    output = build_constraint(kind)(replace(inputs, **few))
    output.values.sum().backward()
    assert all(part.isfinite().all() for part in output)
    for name in ("student", "student_raw", "student_logits"):
        assert few[name].grad is None or few[name].grad.isfinite().all()


@pytest.mark.parametrize("made", CLASSIFIERS)
def test_a_classifier_of_no_sample_gives_none(made):
    task = made(CLASSES, DIM)(torch.empty(0, DIM), torch.empty(0, dtype=torch.int32))
    assert task.values.shape == (0,) and task.logits.shape == (0, CLASSES)
    assert Objective({})(None, task.values).total.item() == 0


# ---- numbers that are none ----


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("margin", [0.0, 0.5, 1e6])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_number_of_the_teachers_is_none_of_the_constraints(kind, margin, value):
    inputs = batch_of()
    spoilt = replace(inputs, teacher=with_row(inputs.teacher, ROW, value, 1))
    output = build_constraint(kind, margin)(spoilt)
    assert all(part[ROW].isnan() for part in output)
    for reducer in REDUCERS:
        found = Objective({"term": Term(build_constraint(kind, margin), reducer=reducer)})(spoilt, torch.zeros(SIZE))
        assert all(found.parts[name].isnan() for name in ("term", "term_active", "term_raw"))
        assert found.total.isnan()
        unweighted = torch.ones(SIZE)
        unweighted[ROW] = 0
        assert output.reduce(REDUCERS[reducer], unweighted).isnan()


@pytest.mark.parametrize("name", ["teacher_raw", "teacher_logits"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_teachers_other_numbers_are_not_lost_either(kind, name):
    inputs = replace(batch_of(), teacher_logits=torch.randn(SIZE, CLASSES))
    output = build_constraint(kind)(replace(inputs, **{name: with_row(getattr(inputs, name), ROW, math.nan, 1)}))
    assert all(part[ROW].isnan() for part in output)
    assert all(part[:ROW].isfinite().all() for part in output)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("hinton_kd", "l2")])
def test_a_nan_of_the_student_is_one_of_the_constraint(kind):
    inputs = batch_of()
    output = build_constraint(kind, 0.5)(replace(inputs, student=with_row(inputs.student, ROW, math.nan, 1)))
    assert all(part[ROW].isnan() for part in output)


@pytest.mark.parametrize("name", ["bank", "prototypes"])
def test_a_nan_in_what_all_samples_share_is_one_of_each(name):
    inputs = batch_of()
    spoilt = replace(inputs, **{name: with_row(getattr(inputs, name), 1, math.nan, 1)})
    kinds = ["contrastive_bank"] if name == "bank" else ["classifier", "classifier_kl", "classifier_ce", "hinton_kd"]
    for kind in kinds:
        assert build_constraint(kind)(spoilt).values.isnan().all()


@pytest.mark.parametrize("made", CLASSIFIERS)
def test_a_nan_of_the_student_is_one_of_the_task(made):
    values = made(CLASSES, DIM)(with_row(torch.randn(SIZE, DIM), ROW, math.nan, 1), batch_of().labels).values
    assert values[ROW].isnan() and values[:ROW].isfinite().all()


@pytest.mark.parametrize("name", sorted(REDUCERS))
def test_a_weight_or_a_share_that_is_no_number_is_not_reduced_to_one(name):
    ones, spoilt = torch.ones(3), torch.tensor([1.0, math.nan, 1.0])
    with pytest.raises(ValueError, match="weights: expected finite numbers from 0 on, found nan in row 1"):
        ConstraintOutput(ones, ones, ones).reduce(REDUCERS[name], spoilt)
    assert ConstraintOutput(spoilt, spoilt, spoilt).reduce(REDUCERS[name]).isnan()
