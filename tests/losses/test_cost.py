"""What a constraint works out, counted and not timed.

A cost above 5 % of a step came from angles looked at one by one (rkd), and from products and norms of all prototypes
that are the same at every step (the classifier level).
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cross_modal_kd.losses import ConstraintInputs, build_constraint, squares, teacher_logits, unit
from cross_modal_kd.losses.squares import SquaredGaps, Squares

BATCH, DIM, CLASSES = 128, 32, 200
PRODUCTS = ("mm", "addmm", "bmm")


class Work(TorchDispatchMode):
    """Elements that operations write in passes, by their shape; and the shapes of matrix products."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[tuple[int, ...], int] = {}
        self.products: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = function(*args, **(kwargs or {}))
        for each in tree_leaves(given):
            if isinstance(each, Tensor) and not function.is_view:
                self.written[tuple(each.shape)] = self.written.get(tuple(each.shape), 0) + each.numel()
        if function.overloadpacket.__name__.strip("_") in PRODUCTS:
            self.products.append(tuple(given.shape))
        return given


def batch(**options) -> ConstraintInputs:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(BATCH, DIM, generator=generator) for _ in range(2))
    rows = [unit(torch.randn(CLASSES, DIM, generator=generator)) for _ in range(2)]
    logits = torch.randn(BATCH, CLASSES, generator=generator).requires_grad_()
    numbers = torch.arange(BATCH)
    given = {"labels": numbers, "prototypes": rows[0], "student_logits": logits, "bank": rows[1], "bank_rows": numbers}
    return ConstraintInputs(student.requires_grad_(), unit(teacher), **given, scale=16.0, **options)


def as_trained() -> ConstraintInputs:
    """As a training whose projection stands still gives it."""
    given = batch(normalised=True)
    return replace(given, teacher_logits=teacher_logits(given.teacher, given.prototypes, given.scale))


def work_of(kind: str, inputs: ConstraintInputs) -> Work:
    with Work() as work:
        build_constraint(kind)(inputs).reduce().backward()
    return work


@pytest.mark.parametrize("kind", ["classifier", "classifier_kl", "classifier_ce", "contrastive_bank"])
def test_of_all_prototypes_there_is_one_product_and_one_for_the_gradient(kind):
    work = work_of(kind, as_trained())
    assert sorted(work.products) == [(BATCH, DIM), (BATCH, CLASSES)]
    assert (CLASSES, DIM) not in work.written  # they are normalised already


def test_hintons_needs_no_product_where_the_teacher_has_answered():
    assert not work_of("hinton_kd", as_trained()).products


def test_the_count_sees_what_it_is_to_see():
    work = work_of("classifier", batch())
    assert sorted(work.products) == [(BATCH, DIM), (BATCH, CLASSES), (BATCH, CLASSES)]
    assert work.written[CLASSES, DIM]


def test_labelled_samples_need_no_answer_of_the_teacher():
    given = batch(normalised=True)
    assert len(work_of("classifier_ce", given).products) == 2
    given.labels[5] = -1
    assert len(work_of("classifier_ce", given).products) == 3


def test_rkd_passes_over_no_angles_one_by_one():
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(BATCH, 128, generator=generator) for _ in range(2))
    work = work_of("rkd", ConstraintInputs(student.requires_grad_(), unit(teacher)))
    angles = BATCH**2 * (BATCH // 2)
    assert sum(work.written.values()) < 4 * angles  # 17 passes over all of them before
    assert max(work.written, key=lambda shape: torch.Size(shape).numel()) in {(BATCH, BATCH), (BATCH, 128)}
    assert len(work.products) <= 18


def test_only_vertices_where_cosines_may_differ_by_more_than_one_are_gone_through():
    """All angles of a regular simplex are of 60 degrees; one vertex sees two of its points on opposite sides."""
    far, near = torch.eye(12, dtype=torch.float64), torch.eye(12, dtype=torch.float64)
    near[0] = (near[1] + near[2]) / 2
    near[3] = near[1] + 0.05 * near[4]
    sides = [Squares.of((each[:, None] - each).square().sum(-1), 1e-8) for each in (far, near)]
    doubtful = SquaredGaps(*sides).doubtful().tolist()
    assert 0 in doubtful and len(doubtful) < 12
    cosines = [_cosines(each) for each in (far, near)]
    beyond = _vertices(cosines[0] - cosines[1])
    assert beyond and beyond <= set(doubtful)


@pytest.mark.parametrize("few", [squares.FEW, 0], ids=["looked for", "not looked for"])
@pytest.mark.parametrize("dim", [2, 5, 8, 16])
def test_of_many_obtuse_angles_those_that_differ_by_more_than_one_are_found(monkeypatch, few, dim):
    monkeypatch.setattr(squares, "FEW", few)
    generator = torch.Generator().manual_seed(dim)
    points = [unit(torch.randn(24, dim, generator=generator, dtype=torch.float64)) for _ in range(2)]
    sides = [Squares.of((each[:, None] - each).square().sum(-1), 1e-8) for each in points]
    mine, theirs = (_cosines(each) for each in points)
    for cosines, side in zip((mine, theirs), sides, strict=True):
        obtuse = (cosines < 0).any(2).T  # as [j, i]
        assert obtuse.sum() > 0 and (side.obtuse() >= obtuse).all() and side.obtuse().sum() < 1.2 * obtuse.sum()
    doubtful, beyond = set(SquaredGaps(*sides).doubtful().tolist()), _vertices(mine - theirs)
    assert doubtful == beyond if few else doubtful == set(range(24))
    assert dim == 16 or beyond


def _vertices(gaps: Tensor) -> set[int]:
    return set((gaps.abs() > 1).any((1, 2)).nonzero()[:, 0].tolist())


def _cosines(points: Tensor) -> Tensor:
    vectors = unit(points[None] - points[:, None])
    return vectors @ vectors.transpose(1, 2)


@pytest.mark.parametrize("kind", ["classifier_kl", "classifier_ce", "hinton_kd", "contrastive_bank"])
def test_what_is_worked_out_once_changes_no_bit(kind):
    found = []
    for normalised in (False, True):
        given = batch()
        if normalised:
            once = {name: unit(getattr(given, name)) for name in ("prototypes", "bank")}
            answer = teacher_logits(given.teacher, given.prototypes, given.scale)
            given = replace(given, normalised=True, teacher_logits=answer, **once)
        value = build_constraint(kind, 0.1)(given).reduce()
        asked = given.student_logits if kind == "hinton_kd" else given.student
        found.append((value, torch.autograd.grad(value, asked)[0]))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
