"""Reducers, warmup and the sum of it all."""

import pytest
import torch

from cross_modal_kd.losses import (
    REDUCERS,
    ConstraintInputs,
    ConstraintOutput,
    Objective,
    RelationalConstraint,
    SoftFeatureConstraint,
    Term,
    soft_margin,
)
from cross_modal_kd.losses.reducers import check_weights


def batch_of(size=6, labels=None):
    generator = torch.Generator().manual_seed(3)
    student, teacher = (torch.randn(size, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    return ConstraintInputs(student.requires_grad_(), teacher, labels)


def test_soft_margin():
    assert soft_margin(torch.tensor([0.5, 0.25, 0.0]), 0.25).tolist() == [0.25, 0.0, 0.0]


def test_reducers_are_their_formulas():
    values, weights, active = (
        torch.tensor([0.0, 2.0, 4.0]),
        torch.tensor([1.0, 3.0, 2.0]),
        torch.tensor([0.0, 1.0, 1.0]),
    )
    assert REDUCERS["mean"](values, weights, active).item() == pytest.approx((0 + 6 + 8) / 6)
    assert REDUCERS["active_mean"](values, weights, active).item() == pytest.approx((6 + 8) / 5)
    scaled = 10 * weights
    for reducer in REDUCERS.values():
        torch.testing.assert_close(reducer(values, scaled, active), reducer(values, weights, active))


@pytest.mark.parametrize("name", sorted(REDUCERS))
def test_reducers_give_zero_and_no_gradient_without_weight_or_activity(name):
    values = torch.zeros(3, requires_grad=True)
    inside = soft_margin(values, 1.0)
    result = REDUCERS[name](inside, torch.ones(3), torch.zeros(3))
    result.backward()
    assert result.item() == 0 and not values.grad.any()
    assert REDUCERS[name](torch.ones(3), torch.zeros(3), torch.ones(3)).item() == 0


def test_total_is_the_weighted_sum():
    labels = torch.tensor([0, 1, -1, 2, -1, 0])
    inputs = batch_of(labels=labels)
    task = torch.tensor([1.0, 2.0, 99.0, 3.0, 99.0, 4.0], dtype=torch.float64)
    w_task = torch.tensor([1.0, 2.0, 5.0, 1.0, 1.0, 0.5], dtype=torch.float64)
    w_kd = torch.tensor([1.0, 2.0, 3.0, 1.0, 1.0, 0.5], dtype=torch.float64)
    cosine, relational = SoftFeatureConstraint(0.9), RelationalConstraint(0.65)
    objective = Objective(
        {
            "feature": Term(cosine, weight=2.0, reducer="active_mean", warmup=0.5),
            "relational": Term(relational, weight=3.0),
        }
    )
    output = objective(inputs, task, w_task, w_kd, progress=0.25)

    first, second = cosine(inputs), relational(inputs)
    expected_task = (1 * 1 + 2 * 2 + 3 * 1 + 4 * 0.5) / 4.5
    expected_first = (w_kd * first.values).sum() / (w_kd * first.active).sum()
    expected_second = (w_kd * second.values).sum() / w_kd.sum()
    torch.testing.assert_close(output.total, expected_task + 2 * 0.5 * expected_first + 3 * expected_second)
    assert set(output.parts) == {
        "task",
        "feature",
        "feature_active",
        "feature_raw",
        "relational",
        "relational_active",
        "relational_raw",
    }
    assert output.parts["task"].item() == pytest.approx(expected_task)
    assert output.parts["feature"].item() == pytest.approx(expected_first.item())
    assert output.parts["relational_active"].item() == pytest.approx(second.active.mean().item())
    assert not any(part.requires_grad for part in output.parts.values())
    output.total.backward()
    assert inputs.student.grad.isfinite().all()


def test_constraints_hold_without_any_label():
    inputs = batch_of(labels=torch.full((6,), -1))
    objective = Objective({"feature": Term(SoftFeatureConstraint())})
    output = objective(inputs, torch.full((6,), 5.0, requires_grad=True))
    assert output.parts["task"].item() == 0
    assert output.total.item() == pytest.approx(SoftFeatureConstraint()(inputs).values.mean().item())


def test_the_weight_grows_over_its_warmup():
    term = Term(SoftFeatureConstraint(0.3), weight=4.0, warmup=0.5)
    assert [term.weight_at(p) for p in (0.0, 0.25, 0.5, 1.0)] == [0.0, 2.0, 4.0, 4.0]
    assert Term(SoftFeatureConstraint(0.3)).weight_at(0.0) == 1.0


def test_an_objective_without_terms_is_the_task():
    task = torch.tensor([1.0, 3.0, 8.0], dtype=torch.bfloat16)
    output = Objective({})(None, task, labels=torch.tensor([0, 1, -1]))
    assert output.total.item() == 2.0 and output.total.dtype == torch.float32 and list(output.parts) == ["task"]
    assert Objective({})(None, task).total.item() == 4.0


def test_wrong_objectives_are_refused_by_name():
    constraint = SoftFeatureConstraint()
    with pytest.raises(ValueError, match="reducer: expected one of active_mean, mean; found 'sum'"):
        Term(constraint, reducer="sum")
    with pytest.raises(ValueError, match="warmup: expected a share"):
        Term(constraint, warmup=2.0)
    objective, task = Objective({"feature": Term(constraint)}), torch.zeros(6)
    with pytest.raises(ValueError, match="progress: expected a share"):
        objective(batch_of(), task, progress=1.5)
    with pytest.raises(ValueError, match=r"inputs: expected a batch for the terms \['feature'\]"):
        objective(None, task)
    with pytest.raises(ValueError, match=r"kd_weights: expected shape \(6,\) as task_loss, found \(2,\)"):
        objective(batch_of(), task, kd_weights=torch.ones(2))


@pytest.mark.parametrize("wrong", [-0.5, float("nan"), float("inf")])
def test_weights_that_are_none_are_refused_with_their_row(wrong):
    objective, task = Objective({"feature": Term(SoftFeatureConstraint())}), torch.zeros(6)
    weights = torch.tensor([1.0, 0.0, 2.0, wrong, 1.0, wrong])
    for name in ("task_weights", "kd_weights"):
        with pytest.raises(ValueError, match=rf"^{name}: expected finite numbers from 0 on, found {wrong:g} in row 3$"):
            objective(batch_of(), task, **{name: weights})
    output = ConstraintOutput(torch.ones(6), torch.ones(6), torch.ones(6))
    with pytest.raises(ValueError, match=f"^weights: expected finite numbers from 0 on, found {wrong:g} in row 3$"):
        output.reduce(weights=weights)
    assert output.reduce(weights=torch.tensor([0, 1, 0, 0, 3, 0])).item() == 1


def test_weights_elsewhere_than_on_a_cpu_are_not_looked_at():
    check_weights(torch.empty(6, device="meta"), torch.empty(6, device="meta"), "w", "v")  # whose numbers nobody has
    with pytest.raises(ValueError, match=r"w: expected shape \(6,\) as v, found \(2,\)"):
        check_weights(torch.empty(2, device="meta"), torch.empty(6, device="meta"), "w", "v")
