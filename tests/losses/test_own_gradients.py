"""Gradients that are written out here, and products that are shared, are to the bit those that torch works out."""

import pytest
import torch

from cross_modal_kd.losses import AAMSoftmaxClassifier, LinearClassifier, unit, unit_weights
from cross_modal_kd.losses.distributions import softened, softened_kl

B, C, D = 128, 900, 64


def normal(*shape, seed=0, **options):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **options)


def gradient(function, values, weights):
    """What a function gives, and its gradient weighed by ``weights``."""
    values = values.clone().requires_grad_()
    found = function(values)
    found.backward(weights)
    return found.detach(), values.grad


@pytest.mark.parametrize("turned", [False, True], ids=["rows", "columns"])
def test_weights_of_length_one_have_the_gradient_of_unit(turned):
    values, weights = normal(C, D), normal(C, D, seed=1)
    values[:4] = torch.tensor([0.0, 1e-9, 1e12, 3.0])[:, None]
    if turned:  # a classifier's prototypes are a view of (D, C)
        values, weights = (each.T.contiguous().T for each in (values, weights))
    for one, other in zip(*(gradient(each, values, weights) for each in (unit, unit_weights)), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("bad", [torch.inf, torch.nan])
def test_weights_that_are_no_numbers_have_no_gradient_that_is_one(bad):
    values = torch.ones(2, 3)
    values[0, 1] = bad
    found, of_values = gradient(unit_weights, values, torch.ones(2, 3))
    assert found[0].isnan().all() and of_values[0].isnan().all()
    assert found[1].isfinite().all() and of_values[1].isfinite().all()


def test_weights_have_a_gradient_by_differences():
    assert torch.autograd.gradcheck(unit_weights, normal(3, 4, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("temperature", [1.0, 1.6])
def test_the_divergence_has_the_gradient_of_its_operations(temperature):
    teacher, weights = 4 * normal(B, C, seed=2), normal(B, seed=3)
    teacher[0, 1:] = -1e4  # probabilities that are 0

    def by_torch(student):
        log_p, log_q = (softened(each, temperature).log_softmax(-1) for each in (teacher, student))
        return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(-1)

    def ours(student):
        return softened_kl(teacher, student, temperature)

    student = 4 * normal(B, C)
    kept = teacher.clone()
    for one, other in zip(*(gradient(each, student, weights) for each in (by_torch, ours)), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(teacher, kept)


@pytest.mark.parametrize("made", [AAMSoftmaxClassifier, LinearClassifier], ids=["aam", "linear"])
def test_losses_and_logits_of_one_product_are_those_of_two(made):
    torch.manual_seed(0)
    classifier, labels = made(C, D), torch.arange(B)
    embeddings, weights = normal(B, D), normal(B, C, seed=1)

    def apart(x):
        return classifier.loss(x, labels), classifier.logits(x)

    def together(x):
        output = classifier(x, labels)
        return output.values, output.logits

    found = []
    for way in (apart, together):
        classifier.zero_grad()
        x = embeddings.clone().requires_grad_()
        values, logits = way(x)
        (values.sum() + (weights * logits).sum()).backward()
        found.append([values, logits, x.grad, *(each.grad for each in classifier.parameters())])
    for number, (one, other) in enumerate(zip(*found, strict=True)):
        assert torch.equal(one, other) if number < 2 else torch.allclose(one, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("with_logits", [False, True])
def test_a_batch_with_all_labels_is_worth_what_its_samples_are_among_others_without(with_logits):
    torch.manual_seed(0)
    classifier, labels = AAMSoftmaxClassifier(C, D), torch.arange(B)
    found = []
    for more in (0, 1):
        x = normal(B + 1, D)[: B + more].requires_grad_()
        output = classifier(x, torch.cat([labels, torch.full((more,), -1)]), with_logits=with_logits)
        assert (output.logits is None) == (not with_logits)
        output.values.sum().backward()
        found.append((output.values[:B], x.grad[:B]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
