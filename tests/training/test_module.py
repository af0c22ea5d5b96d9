"""One step: what gets a gradient from what."""

import pytest
import torch

from cross_modal_kd.losses import Shares, TwoViews
from cross_modal_kd.training.gather import Part
from cross_modal_kd.training.module import Batch
from training_toys import BOTH, CLASSES, CONFIG, DIM, FEATURES, TEACHER_DIM, module, train, weights_of


def step(made, labels=None):
    torch.manual_seed(1)
    inputs, teacher = torch.randn(8, FEATURES), torch.randn(8, TEACHER_DIM)
    labels = torch.arange(8) % CLASSES if labels is None else labels
    made.train()
    return made(Batch(inputs, labels, torch.ones(8), torch.ones(8), teacher, 1.0))


def test_a_frozen_projection_gets_no_gradient_and_stays_in_evaluation_mode():
    made = module()
    before = weights_of(made.projection)
    step(made).total.backward()
    assert not made.projection.training and not made.projection.head.training
    assert all(parameter.grad is None for parameter in made.projection.parameters())
    train(made)
    assert all(torch.equal(value, before[name]) for name, value in made.projection.state_dict().items())


@pytest.mark.parametrize("terms", [{}, {"term": ("cosine", {})}, {"term": ("hinton_kd", {})}])
def test_the_students_logits_are_worked_out_for_constraints_that_take_them(terms, monkeypatch):
    made, asked = module(terms), []
    logits = made.classifier.logits
    monkeypatch.setattr(made.classifier, "logits", lambda given: asked.append(given) or logits(given))
    monkeypatch.setattr(made.classifier, "loss", lambda given, labels: given.sum(1) + labels)
    assert torch.isfinite(step(made).total)
    assert len(asked) == ("hinton_kd" in str(terms))


def test_a_joint_projection_is_moved_by_its_own_loss_alone():
    made = module(joint=True)
    output = step(made)
    assert made.projection.training
    own = torch.autograd.grad(output.total, made.projection.weight, retain_graph=True)[0]
    assert own.abs().sum() > 0

    unlabelled = step(module(joint=True), labels=torch.full((8,), -1))
    assert "projection" not in unlabelled.parts
    frozen = module(joint=True)
    step(frozen, labels=torch.full((8,), -1)).total.backward()
    assert all(parameter.grad is None for parameter in frozen.projection.parameters())
    assert any(parameter.grad.abs().sum() > 0 for parameter in frozen.student.parameters())


def test_a_joint_projections_gradient_is_that_of_its_cross_entropy():
    made = module(joint=True)
    gradient = torch.autograd.grad(step(made).total, made.projection.weight)[0]
    torch.manual_seed(1)
    torch.randn(8, FEATURES)
    teacher = torch.randn(8, TEACHER_DIM)
    torch.nn.functional.dropout(torch.ones(8, FEATURES), 0.2)  # the student's draw, which comes before the projection's
    projected = made.projection(teacher)
    logits = made.projection.config.scale * projected @ made.projection.prototypes().T
    loss = torch.nn.functional.cross_entropy(logits, torch.arange(8) % CLASSES)
    torch.testing.assert_close(gradient, torch.autograd.grad(loss, made.projection.weight)[0])


def test_joint_training_moves_the_projection_at_its_lower_rate():
    moved = {}
    for scale in (1e-3, 1.0):
        made = module(joint=True)
        before = made.projection.weight.detach().clone()
        train(made, config=CONFIG.model_copy(update={"keep": "last"}), joint_lr_scale=scale)
        moved[scale] = float((made.projection.weight.detach() - before).norm())
    assert 0 < moved[1e-3] < moved[1.0] / 10


@pytest.mark.parametrize("kind", ["cosine", "l2", "relational", "contrastive", "classifier_kl", "classifier_ce", "rkd"])
def test_the_free_dimensions_get_no_gradient_from_the_constraints(kind):
    made = module({"term": (kind, {})}, free_dim=3)
    step(made, labels=torch.full((8,), -1) if kind != "classifier_ce" else None)
    embeddings = {}
    made.student.register_forward_hook(lambda _, __, output: embeddings.update(made=output))
    labels = torch.arange(8) % CLASSES
    output = step(made, labels)
    task = made.classifier(embeddings["made"], labels).values.mean()
    whole = torch.autograd.grad(output.total, embeddings["made"], retain_graph=True)[0]
    alone = torch.autograd.grad(task, embeddings["made"])[0]
    torch.testing.assert_close(whole[:, DIM:], alone[:, DIM:])
    assert alone[:, DIM:].abs().sum() > 0
    assert not torch.allclose(whole[:, :DIM], alone[:, :DIM])


def test_labels_that_are_held_back_do_not_enter_the_task():
    made = module(None)
    labels = torch.arange(8) % CLASSES
    held_back = torch.where(torch.arange(8) < 5, labels, -1)
    made.eval()
    inputs = torch.randn(8, FEATURES)
    ones = torch.ones(8)
    part = made(Batch(inputs[:5], labels[:5], ones[:5], ones[:5], None, 0.0)).total
    torch.testing.assert_close(made(Batch(inputs, held_back, ones, ones, None, 0.0)).total, part)


def test_constraints_need_a_projection():
    from cross_modal_kd.training.module import DistillationModule

    made = module()
    with pytest.raises(ValueError, match=r"projection: the terms \['classifier', 'feature'\] need one, found None"):
        DistillationModule(made.student, made.classifier, made.objective, None)


def test_terms_say_how_much_of_the_batch_is_outside_the_margin():
    parts = step(module(BOTH)).parts
    assert 0 <= parts["feature_active"] <= 1
    assert parts["feature"] <= parts["feature_raw"]


@pytest.mark.parametrize("joint", [False, True], ids=["frozen", "joint"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.int32])
def test_labels_may_be_integers_of_any_width(dtype, joint):
    labels = torch.tensor([0, 1, 2, 3, 0, 1, -1, -1])
    totals = [step(module(joint=joint), given).total for given in (labels, labels.to(dtype))]
    assert torch.equal(*totals)


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_two_views_are_bound_to_each_other_and_the_rest_sees_the_first(share):
    made = module().eval()
    torch.manual_seed(1)
    first, second, teacher = torch.randn(8, FEATURES), torch.randn(8, FEATURES), torch.randn(8, TEACHER_DIM)
    batch = Batch(first, torch.arange(8) % CLASSES, torch.ones(8), torch.ones(8), teacher, 1.0)
    batch.part = Part(shares=Shares(share, share, share))
    without = made(batch)
    made.views, batch.second = TwoViews(weight=3.0, temperature=0.5), second
    output = made(batch)
    expected = share * made.views(made.student(first), made.student(second))
    torch.testing.assert_close(output.parts["views"], expected.detach())
    torch.testing.assert_close(output.total, without.total + 3 * expected)
    assert {name: output.parts[name] for name in without.parts} == without.parts
