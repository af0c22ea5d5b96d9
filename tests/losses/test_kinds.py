"""What configuration can name, and what each constraint says of itself."""

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cross_modal_kd.losses import (
    CONSTRAINTS,
    DISTANCES,
    REDUCERS,
    RKD,
    ConstraintInputs,
    ContrastiveConstraint,
    Distance,
    Objective,
    SoftClassifierConstraint,
    SoftFeatureConstraint,
    Term,
    build_constraint,
    check_constraint,
)
from cross_modal_kd.losses.kinds import load

KINDS = sorted(CONSTRAINTS)
FIELDS = (
    "student",
    "teacher",
    "labels",
    "prototypes",
    "student_raw",
    "teacher_raw",
    "student_logits",
    "teacher_logits",
)


def batch_of(size=6, seed=0, **update):
    draw = torch.Generator().manual_seed(seed)
    student, teacher, feature, target = (torch.randn(size, 5, generator=draw).double() for _ in range(4))
    logits, answers = (3 * torch.randn(size, 3, generator=draw).double() for _ in range(2))
    given = ConstraintInputs(
        student=student,
        teacher=teacher,
        labels=torch.tensor([0, 1, 1, 0, 2, -1])[:size],
        prototypes=torch.randn(3, 5, generator=draw).double(),
        student_raw=feature,
        teacher_raw=target,
        student_logits=logits,
        teacher_logits=answers,
        bank=torch.randn(4, 5, generator=draw).double(),
        bank_rows=torch.tensor([0, 1, 2, 3, 0, 1])[:size],
        scale=4.0,
    )
    return replace(given, **update)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_its_class_takes(kind):
    declared = CONSTRAINTS[kind]
    takes = set(inspect.signature(load(declared.where)).parameters)
    named = {*declared.options, *declared.fixed}
    assert {"margin", *named} <= takes
    assert ("temperature" in takes) == declared.temperature
    others = {
        name for one in CONSTRAINTS.values() if one.where == declared.where for name in (*one.options, *one.fixed)
    }
    assert takes - {"margin", "temperature"} == others, "an option that no kind makes known to configuration"


def test_options_reach_the_constraint():
    built = build_constraint("rkd", 0.1, distance_weight=3, angle_weight=0.5)
    assert isinstance(built, RKD) and (built.margin, built.distance_weight, built.angle_weight) == (0.1, 3, 0.5)
    contrast = build_constraint("contrastive", temperature=0.2, symmetric=False)
    assert isinstance(contrast, ContrastiveConstraint) and (contrast.temperature, contrast.symmetric) == (0.2, False)
    label = build_constraint("classifier", target="label", unlabelled="ignore")
    assert isinstance(label, SoftClassifierConstraint) and (label.target, label.unlabelled) == ("label", "ignore")
    feature = build_constraint("feature", distance="l2")
    assert isinstance(feature, SoftFeatureConstraint) and feature.distance is DISTANCES["l2"]
    assert build_constraint("hinton_kd", temperature=3.0).temperature == 3.0


@pytest.mark.parametrize(
    ("short", "kind", "options"),
    [
        ("cosine", "feature", {"distance": "cosine"}),
        ("l2", "feature", {"distance": "l2"}),
        ("classifier_kl", "classifier", {"target": "teacher"}),
        ("classifier_ce", "classifier", {"target": "label"}),
    ],
)
def test_a_short_name_is_the_kind_with_one_option(short, kind, options):
    first, second = build_constraint(short, 0.1)(batch_of()), build_constraint(kind, 0.1, **options)(batch_of())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_would_have_no_effect_is_refused():
    with pytest.raises(
        ValueError, match=r"temperature: 'relational' compares no distributions, 0.5 would have no effect"
    ):
        build_constraint("relational", temperature=0.5)
    with pytest.raises(
        ValueError, match="options: 'cosine' has no option 'distance'; expected none, it has no options"
    ):
        build_constraint("cosine", distance="l2")
    with pytest.raises(ValueError, match="'rkd' has no option 'huber'; expected one of distance_weight, angle_weight"):
        check_constraint("rkd", options={"huber": 1})
    with pytest.raises(ValueError, match="'rkd' with both weights 0 is 0 itself"):
        check_constraint("rkd", options={"distance_weight": 0, "angle_weight": 0.0})
    with pytest.raises(ValueError, match="options.unlabelled: has no effect with target 'teacher'"):
        check_constraint("classifier", options={"unlabelled": "ignore"})
    check_constraint("classifier", options={"unlabelled": "ignore", "target": "label"})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "1", True, None])
def test_a_weight_of_rkd_is_a_finite_number(value):
    with pytest.raises(ValueError, match="angle_weight: expected a finite number >= 0, found"):
        RKD(angle_weight=value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_constraint_gathers_what_its_values_take_from_other_samples_and_nothing_else(kind, field):
    constraint, inputs = build_constraint(kind), batch_of()
    mine = constraint(inputs).values[0]
    given = getattr(inputs, field)
    if field == "labels":
        changed = torch.tensor([0, 0, 0, 1, 1, 2])
    else:
        changed = torch.randn(given.shape, generator=torch.Generator().manual_seed(9)).double()
    if field == "prototypes":
        return
    changed[0] = given[0]
    moved = not torch.equal(constraint(replace(inputs, **{field: changed})).values[0], mine)
    assert moved == (field in constraint.gathers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_constraint_that_gathers_nothing_is_the_same_on_parts_of_the_batch(kind):
    """And one that does is the same where both ranks hold the gathered batch, of which each takes its own rows."""
    constraint, whole = build_constraint(kind), batch_of()
    if constraint.gathers:
        assert not torch.equal(constraint(batch_of(size=3)).values, constraint(whole).values[:3])
        return
    rows = (
        "student",
        "teacher",
        "labels",
        "student_raw",
        "teacher_raw",
        "student_logits",
        "teacher_logits",
        "bank_rows",
    )
    half = replace(whole, **{name: getattr(whole, name)[:3] for name in rows})
    torch.testing.assert_close(constraint(half).values, constraint(whole).values[:3], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.int8])
def test_narrow_integers_are_labels_too(kind, dtype):
    inputs, constraint = batch_of(), build_constraint(kind)
    narrow = replace(inputs, labels=inputs.labels.to(dtype), bank_rows=inputs.bank_rows.to(dtype))
    assert torch.equal(constraint(narrow).values, constraint(inputs).values)


def test_distance_margin_and_reducer_may_be_ones_own():
    manhattan = Distance(lambda student, teacher: (student - teacher).abs().sum(-1))
    batch = ConstraintInputs(torch.eye(3), torch.ones(3, 3) * torch.tensor([[1.0], [2.0], [3.0]]))
    output = SoftFeatureConstraint(margin=4.5, distance=manhattan)(batch)
    assert output.values.tolist() == [0.0, 0.5, 3.5]
    assert output.reduce().item() == pytest.approx(4 / 3)
    assert output.reduce(REDUCERS["active_mean"]).item() == pytest.approx(2.0)
    assert output.reduce(weights=torch.tensor([0.0, 1.0, 0.0])).item() == pytest.approx(0.5)

    def largest(values, weights, active):
        return (weights * values).max()

    assert output.reduce(largest).item() == 3.5
    term = Term(SoftFeatureConstraint(4.5, manhattan), weight=2.0, reducer=largest)
    assert Objective({"feature": term})(batch, torch.zeros(3)).total.item() == 7.0


def test_the_page_on_configuration_has_every_option():
    page = (Path(__file__).parents[2] / "conf" / "README.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip(" `"): row for row in page.splitlines() if row.startswith("  | `")}
    assert set(rows) == {kind for kind, declared in CONSTRAINTS.items() if declared.options}
    for kind, row in rows.items():
        for name, option in CONSTRAINTS[kind].options.items():
            assert f"`{name}`" in row
            assert all(f"`{str(value).lower()}`" in row for value in option.allowed)
