"""The classifiers against their formulas, one number at a time."""

import math

import pytest
import torch

from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.losses.aam import AAMSoftmaxClassifier


def plain_aam(x, y, prototypes, margin, scale):
    def cos(a, b):
        norms = math.sqrt(sum(v * v for v in a)) * math.sqrt(sum(v * v for v in b))
        return sum(u * v for u, v in zip(a, b, strict=True)) / norms

    logits = []
    for c, w in enumerate(prototypes):
        value = cos(x, w)
        if c == y:
            theta = math.acos(value)
            value = math.cos(theta + margin) if theta <= math.pi - margin else value - margin * math.sin(margin)
        logits.append(scale * value)
    return -logits[y] + math.log(sum(math.exp(z) for z in logits))


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.5])
def test_aam_is_its_formula(margin):
    torch.manual_seed(0)
    classifier = AAMSoftmaxClassifier(4, 6, margin=margin, scale=5.0).double()
    x, y = torch.randn(8, 6, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1, -1, 2])
    x[7] = -classifier.weight[2].detach()  # beyond pi - margin
    output = classifier(x, y)
    for i in range(8):
        expected = 0.0 if y[i] < 0 else plain_aam(x[i].tolist(), int(y[i]), classifier.weight.tolist(), margin, 5.0)
        assert output.values[i].item() == pytest.approx(expected, abs=1e-6)
    directions = torch.nn.functional.normalize(classifier.weight.detach(), dim=1)
    torch.testing.assert_close(output.logits.detach(), 5 * torch.nn.functional.normalize(x, dim=1) @ directions.T)


def test_aam_margin_raises_the_loss():
    torch.manual_seed(0)
    with_margin, without = AAMSoftmaxClassifier(4, 6, margin=0.3), AAMSoftmaxClassifier(4, 6, margin=0.0)
    without.load_state_dict(with_margin.state_dict())
    x, y = torch.randn(9, 6), torch.arange(9) % 4
    assert (with_margin(x, y).values > without(x, y).values).all()
    expected = torch.nn.functional.cross_entropy(without(x, y).logits, y, reduction="none")
    torch.testing.assert_close(without(x, y).values, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_aam_is_finite_on_its_prototype_and_opposite(sign):
    classifier = AAMSoftmaxClassifier(3, 4)
    x = (sign * classifier.weight.detach().clone()).requires_grad_()
    classifier(x, torch.arange(3)).values.sum().backward()
    assert x.grad.isfinite().all() and classifier.arcface.W.grad.isfinite().all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_linear_classifier_is_smoothed_cross_entropy(smoothing):
    torch.manual_seed(0)
    classifier = LinearClassifier(3, 5, label_smoothing=smoothing).double()
    x, y = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 2, -1, 1])
    output = classifier(x, y)
    for i in range(4):
        logits = [
            sum(a * b for a, b in zip(x[i].tolist(), row, strict=True)) + bias
            for row, bias in zip(classifier.weight.tolist(), classifier.bias.tolist(), strict=True)
        ]
        total = sum(math.exp(z) for z in logits)
        target = [smoothing / 3 + (1 - smoothing) * (c == y[i]) for c in range(3)]
        expected = (
            0.0 if y[i] < 0 else -sum(t * math.log(math.exp(z) / total) for t, z in zip(target, logits, strict=True))
        )
        assert output.values[i].item() == pytest.approx(expected)
        assert output.logits[i].tolist() == pytest.approx(logits)


@pytest.mark.parametrize("made", [AAMSoftmaxClassifier, LinearClassifier], ids=["aam", "linear"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_classifiers_take_half_precision_and_unlabelled_batches(made, dtype):
    torch.manual_seed(0)
    classifier = made(3, 4)
    x = torch.randn(5, 4).to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = classifier(x, torch.tensor([0, -1, 1, 2, -1]))
    assert output.values.dtype == output.logits.dtype == torch.float32
    output.values.sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[1].any() and x.grad[0].any()
    assert classifier.weight.dtype == torch.float32 and classifier.weight.shape == (3, 4)
    assert classifier(x, torch.full((5,), -1)).values.tolist() == [0.0] * 5


def test_classifiers_refuse_by_name():
    with pytest.raises(ValueError, match=r"labels: expected -1 \(no label\) to 2, found 0 to 3"):
        AAMSoftmaxClassifier(3, 4)(torch.ones(2, 4), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="margin: expected radians"):
        AAMSoftmaxClassifier(3, 4, margin=28.6)
    with pytest.raises(ValueError, match="scale: expected a number > 0"):
        AAMSoftmaxClassifier(3, 4, scale=0)
    with pytest.raises(ValueError, match="label_smoothing: expected 0 <= e < 1"):
        LinearClassifier(3, 4, label_smoothing=1.0)


def test_aam_prototypes_start_short_so_that_they_turn_quickly():
    torch.manual_seed(0)
    classifier = AAMSoftmaxClassifier(200, 64)
    assert float(classifier.weight.detach().std()) == pytest.approx(0.05, rel=0.05)


def test_of_several_prototypes_the_nearest_counts():
    torch.manual_seed(0)
    classifier = AAMSoftmaxClassifier(4, 6, margin=0.0, scale=5.0, sub_centers=3).double()
    x, y = torch.randn(8, 6, dtype=torch.float64), torch.arange(8) % 4
    prototypes = classifier.weight.detach()
    assert prototypes.shape == (12, 6)
    cosines = torch.nn.functional.cosine_similarity(x[:, None], prototypes[None], dim=2)
    nearest = torch.stack([cosines[:, 3 * c : 3 * c + 3].max(dim=1).values for c in range(4)], dim=1)
    output = classifier(x, y)
    torch.testing.assert_close(output.logits.detach(), 5 * nearest)
    expected = torch.nn.functional.cross_entropy(5 * nearest, y, reduction="none")
    torch.testing.assert_close(output.values.detach(), expected)


@pytest.mark.parametrize("sub_centers", [1, 2])
def test_the_first_classes_answer_as_before(sub_centers):
    classifier = AAMSoftmaxClassifier(6, 5, sub_centers=sub_centers)
    x = torch.randn(3, 5)
    torch.testing.assert_close(classifier.first(2).logits(x), classifier.logits(x)[:, :2])
    assert classifier.first(6) is classifier


def test_a_margin_can_be_moved_and_is_still_checked():
    classifier = AAMSoftmaxClassifier(3, 4, margin=0.2)
    x, y = torch.randn(5, 4), torch.arange(5) % 3
    classifier.margin = 0.4
    other = AAMSoftmaxClassifier(3, 4, margin=0.4)
    other.load_state_dict(classifier.state_dict())
    torch.testing.assert_close(classifier(x, y).values, other(x, y).values)
    with pytest.raises(ValueError, match="margin: expected radians"):
        classifier.margin = 1.6
