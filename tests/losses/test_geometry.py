"""The distances and angles of RKD against a formulation with every vector between two points, in double precision."""

import time

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cross_modal_kd.losses import RKD, ConstraintInputs, build_constraint, geometry, unit
from cross_modal_kd.losses.geometry import COINCIDENT, relation_gap, squared_distances


def plain(student: Tensor, teacher: Tensor, distance_weight: float = 1.0, angle_weight: float = 2.0) -> Tensor:
    """What ``relation_gap`` gives, by the (B, B, d) vectors between points and all (B, B, B) angles."""

    def relations(points: Tensor) -> tuple[Tensor, Tensor]:
        difference = points[None] - points[:, None]
        square = difference.square().sum(-1)
        apart = square > COINCIDENT**2
        length = torch.where(apart, square, 1).sqrt()
        vectors = torch.where(apart[..., None], difference / length[..., None], 0)
        length = torch.where(apart, length, 0)
        mean = length.sum() / apart.sum().clamp_min(1)
        return length / torch.where(mean > 0, mean, 1), vectors @ vectors.transpose(1, 2)

    batch = len(student)
    (distance, cosine), (its_distance, its_cosine) = relations(student), relations(teacher)
    gap = F.smooth_l1_loss(cosine, its_cosine, reduction="none")
    same = torch.eye(batch, dtype=torch.bool)
    gap = gap.masked_fill(same[None] | same[:, None] | same[:, :, None], 0)
    of_distances = F.smooth_l1_loss(distance, its_distance, reduction="none").sum(1) / max(batch - 1, 1)
    return distance_weight * of_distances + angle_weight * gap.sum((1, 2)) / max((batch - 1) * (batch - 2), 1)


def points(batch: int, dim: int = 4, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    draw = torch.randn(batch, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.normalize(draw, dim=1).to(dtype).requires_grad_()


def check(student: Tensor, teacher: Tensor, weights: Tensor, tolerance: float = 1e-10, **options: float) -> None:
    """Values and both gradients are those of ``plain``, computed in double precision."""
    wide = [side.detach().double().requires_grad_() for side in (student, teacher)]
    found, expected = relation_gap(student, teacher, 1.0, 2.0), plain(*wide)
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)
    slopes = torch.autograd.grad((weights * found).sum(), (student, teacher))
    for slope, by_plain in zip(slopes, torch.autograd.grad((weights * expected).sum(), wide), strict=True):
        torch.testing.assert_close(slope.double(), by_plain, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("block", [1, 200, 2**18], ids=["one shift", "some shifts", "all shifts"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 8, 9, 16, 31])
def test_values_and_gradients_are_those_of_all_triples(monkeypatch, batch, block):
    monkeypatch.setitem(geometry.BLOCK, "cpu", block)
    student, teacher = points(batch), points(batch, seed=1)
    check(student, teacher, torch.ones(batch, dtype=torch.float64))
    check(student, teacher, torch.rand(batch, dtype=torch.float64))


@pytest.mark.parametrize("block", [1, 200, 2**18], ids=["one shift", "some shifts", "all shifts"])
@pytest.mark.parametrize("batch", [2, 3, 4, 5, 8, 9, 16, 31])
def test_so_are_those_of_devices_that_go_through_all_angles(monkeypatch, batch, block):
    monkeypatch.setattr(geometry, "BY_PRODUCTS", ())
    test_values_and_gradients_are_those_of_all_triples(monkeypatch, batch, block)


def test_a_batch_in_which_no_angle_is_looked_at_gives_what_all_angles_give():
    student, teacher = points(64, 100), points(64, 100, seed=1)
    check(student, teacher, torch.rand(64, dtype=torch.float64))


def test_points_may_have_another_dimension_than_the_others():
    student, teacher = points(9, 3), points(9, 6)
    check(student, teacher, torch.ones(9, dtype=torch.float64))


@pytest.mark.parametrize("weights", [torch.ones(7), torch.linspace(0, 1, 7)], ids=["equal", "other"])
def test_gradients_are_those_of_finite_differences(weights):
    def values(student: Tensor, teacher: Tensor) -> Tensor:
        return weights.double() * relation_gap(student, teacher, 1.5, 2.0)

    assert torch.autograd.gradcheck(values, (points(7), points(7, seed=1)))


def test_cosines_that_differ_by_more_than_one_are_on_hubers_line():
    """j and k on one side of i for the student, on two sides for the teacher: 1 - (-1) = 2, huber 1.5."""
    student = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-0.5, 0.0]], dtype=torch.float64, requires_grad=True)
    assert relation_gap(student, teacher, 0.0, 1.0).tolist()[0] == pytest.approx(1.5)
    generator = torch.Generator().manual_seed(3)
    flat = [F.normalize(torch.randn(12, 2, generator=generator, dtype=torch.float64)).requires_grad_() for _ in "st"]
    check(*flat, torch.rand(12, dtype=torch.float64))  # in the plane every second angle is obtuse


@pytest.mark.parametrize("batch", [6, 7])
def test_points_that_coincide_have_no_direction_between_them(batch):
    student, teacher = points(batch), points(batch, seed=1)
    with torch.no_grad():
        student[1], student[4] = student[0], student[3] + 0.3 * COINCIDENT * student[0]
        teacher[2] = teacher[0]
    check(student, teacher, torch.rand(batch, dtype=torch.float64), tolerance=1e-8)
    alike = points(1).repeat(batch, 1).detach().requires_grad_()
    relation_gap(alike, teacher, 1.0, 2.0).sum().backward()
    assert not alike.grad.any()


def test_the_limit_is_where_the_constant_says():
    assert COINCIDENT == 1e-4
    for distance, apart in ((0.5 * COINCIDENT, False), (2 * COINCIDENT, True)):
        student = torch.tensor([[1.0, 0.0], [1.0, distance], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
        relation_gap(student, points(3, 2, 5).detach(), 0.0, 1.0)[2].backward()
        found = relation_gap(student, points(3, 2, 5).detach(), 0.0, 1.0)[0]
        assert bool(torch.autograd.grad(found, student)[0].any()) == apart


@pytest.mark.parametrize("spread", [1.0, 1e-1, 1e-2, 1e-3])
def test_points_that_lie_close_together_cost_no_precision(spread):
    """Single precision against double: the rounding of the points themselves, over the distances, is all there is."""
    centre, generator = points(1, 32).detach(), torch.Generator().manual_seed(2)
    cloud = (centre + spread * torch.randn(24, 32, generator=generator, dtype=torch.float64)).float()
    student, teacher = unit(cloud).requires_grad_(), points(24, 32, 1, torch.float32)
    found, expected = relation_gap(student, teacher, 1.0, 2.0), plain(student.double(), teacher.double())
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
    slope, by_plain = (torch.autograd.grad(each.sum(), student)[0] for each in (found, expected))
    torch.testing.assert_close(slope, by_plain, rtol=1e-3, atol=1e-4 * float(by_plain.abs().max()))


@pytest.mark.parametrize("apart", [0.3, 1e-2, 1e-3])
def test_a_student_that_is_almost_its_teacher_costs_no_precision(apart):
    """Sums over cos^2 cancel to a millionth of themselves: single precision would leave a digit of the values."""
    teacher = points(64, 256, 1, torch.float32).detach()
    student = unit(teacher + apart * points(64, 256, 2, torch.float32).detach()).requires_grad_()
    found, expected = relation_gap(student, teacher, 0.0, 1.0), plain(student.double(), teacher.double(), 0.0, 1.0)
    torch.testing.assert_close(found.double(), expected, rtol=5e-4, atol=0)
    slope, by_plain = (torch.autograd.grad(each.sum(), student)[0] for each in (found, expected))
    torch.testing.assert_close(slope, by_plain, rtol=1e-3, atol=1e-3 * float(by_plain.abs().max()))


def test_squared_distances_are_those_of_differences():
    given = points(6).detach()
    expected = (given[:, None] - given).square().sum(-1)
    torch.testing.assert_close(squared_distances(given), expected, rtol=1e-12, atol=1e-15)
    near = given[:1].repeat(3, 1).float()
    near[1, 0] += 1e-4
    squares, by_differences = squared_distances(near), (near[:, None].double() - near.double()).square().sum(-1)
    torch.testing.assert_close(squares.double(), by_differences, rtol=1e-6, atol=1e-14)


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation gives."""

    found = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = function(*args, **(kwargs or {}))
        sizes = [
            each.untyped_storage().nbytes() // each.element_size()
            for each in tree_leaves(given)
            if isinstance(each, Tensor)
        ]
        self.found = max([self.found, *sizes])
        return given


@pytest.mark.parametrize("weights", [None, "others"])
def test_memory_grows_with_the_square_of_the_batch(monkeypatch, weights):
    monkeypatch.setitem(geometry.BLOCK, "cpu", 1)
    inputs = ConstraintInputs(points(96, 64, 0, torch.float32), points(96, 64, 1, torch.float32).detach())
    with Largest() as largest:
        given = torch.rand(96) if weights else None
        RKD()(inputs).reduce(weights=given).backward()
    assert largest.found <= 8 * 96 * 96  # of B^3 it would be 885,000


@pytest.mark.slow
def test_rkd_at_the_default_batch_takes_a_fraction_of_the_time_that_vectors_between_points_take():
    student, teacher = points(128, 128, 0, torch.float32), points(128, 128, 1, torch.float32).detach()
    inputs, rkd = ConstraintInputs(student, teacher), build_constraint("rkd")
    steps = {
        "ours": lambda: rkd(inputs).reduce().backward(),
        "plain": lambda: plain(unit(student), teacher).mean().backward(),
    }
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(6):
        for name, step in steps.items():
            started = time.process_time()
            step()
            best[name] = min(best[name], time.process_time() - started)
    assert best["ours"] < best["plain"] / 5  # measured on two machines: a tenth to a twentieth
