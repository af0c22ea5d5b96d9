"""Two views of a sample: the loss as SimCLR writes it, and what it refuses."""

import pytest
import torch

from cross_modal_kd.losses import TwoViews


def written_out(first: torch.Tensor, second: torch.Tensor, temperature: float) -> float:
    """-log of the other view's share among all but oneself, sample by sample."""
    both = torch.nn.functional.normalize(torch.cat([first, second]).double(), dim=1)
    count, total = len(both), 0.0
    for row in range(count):
        other = (row + count // 2) % count
        scores = {k: (both[row] @ both[k] / temperature).exp() for k in range(count) if k != row}
        total -= float((scores[other] / sum(scores.values())).log())
    return total / count


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_the_loss_is_that_of_its_formula(temperature):
    torch.manual_seed(0)
    first, second = torch.randn(5, 8), 3 * torch.randn(5, 8)
    found = TwoViews(temperature=temperature)
    assert found(first, second).item() == pytest.approx(written_out(first, second, temperature), rel=1e-4)
    torch.testing.assert_close(found(second, first), found(first, second))


def test_views_of_one_sample_are_drawn_together():
    torch.manual_seed(0)
    first, second = torch.randn(6, 4, requires_grad=True), torch.randn(6, 4)
    loss = TwoViews(temperature=0.2)
    loss(first, second).backward()
    moved = first.detach() - 0.05 * first.grad
    assert loss(moved, second) < loss(first, second)
    assert loss(second, second) < loss(first, second)


def test_half_precision_is_widened_and_a_view_of_zeros_has_a_finite_gradient():
    first, second = torch.randn(4, 8).bfloat16(), torch.randn(4, 8).bfloat16()
    assert TwoViews()(first, second).dtype == torch.float32
    zeros = torch.zeros(4, 8, requires_grad=True)
    TwoViews()(zeros, torch.randn(4, 8)).backward()
    assert torch.isfinite(zeros.grad).all()


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="temperature: expected a number > 0, found 0"):
        TwoViews(temperature=0.0)
