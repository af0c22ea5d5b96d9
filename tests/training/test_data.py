"""The training split: what fits together, and the partners that are drawn for a batch."""

import tracemalloc

import numpy as np
import pytest
import torch

from cross_modal_kd.training.data import TeacherSide, TrainingData
from training_toys import COUNT, ArrayInputs, data


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"labels": torch.zeros(3)}, f"labels: expected {COUNT} values, found 3"),
        ({"kd_weights": torch.zeros(1)}, f"kd_weights: expected {COUNT} values, found 1"),
        ({"labelled_share": 1.5}, "labelled_share: expected a share"),
    ],
)
def test_what_does_not_fit_the_inputs_is_told(update, message):
    with pytest.raises(ValueError, match=message):
        TrainingData(**(vars(data()) | update))


def test_one_sample_is_no_training_split():
    one = torch.zeros(1)
    with pytest.raises(ValueError, match=r"the training split has 1 sample\(s\); at least 2"):
        TrainingData(ArrayInputs(torch.zeros(1, 2)), one.long(), one, one)


@pytest.mark.parametrize(("value", "found"), [(4, "0 to 4"), (-2, "-2 to 3")])
def test_a_label_without_class_is_told_before_the_training(value, found):
    labels = torch.arange(COUNT) % 4
    labels[5] = value
    with pytest.raises(ValueError, match=rf"labels: expected -1 \(no label\) to 3, found {found}"):
        data(labels).check_labels(4)
    data().check_labels(4)


def test_draw_gives_candidates_only_and_reaches_them_all():
    candidates = [np.array([4]), np.array([0, 2, 7]), np.array([0, 2, 7]), np.array([1, 3, 5, 6, 8])]
    side = TeacherSide.from_candidates(np.zeros((9, 2)), candidates)
    generator = torch.Generator().manual_seed(0)
    drawn: list[set[int]] = [set(), set(), set(), set()]
    for _ in range(200):
        for sample, row in enumerate(side.draw(torch.arange(4), generator).tolist()):
            drawn[sample].add(row)
    assert drawn == [set(rows.tolist()) for rows in candidates]


def test_draws_are_even():
    side = TeacherSide.from_candidates(np.zeros((3, 2)), [np.array([0, 1, 2])])
    drawn = side.draw(torch.zeros(30_000, dtype=torch.long), torch.Generator().manual_seed(0))
    assert torch.bincount(drawn).float().div(10_000).sub(1).abs().max() < 0.05


def test_the_largest_draw_stays_inside_every_pool(monkeypatch):
    sizes = [1, 2, 3, 5, 7, 1000, 65_537]
    side = TeacherSide.from_candidates(np.zeros((70_000, 1)), [np.arange(size) for size in sizes])
    largest = torch.tensor(1.0).nextafter(torch.tensor(0.0))
    monkeypatch.setattr(torch, "rand", lambda count, **_: largest.expand(count))
    assert side.draw(torch.arange(len(sizes)), None).tolist() == [size - 1 for size in sizes]


def test_equal_candidates_share_a_pool():
    side = TeacherSide.from_candidates(np.zeros((3, 2)), [np.array([0, 1]), np.array([2]), np.array([0, 1])])
    assert side.pool.tolist() == [0, 1, 0]
    assert side.sizes.tolist() == [2, 1]


def padded(side: TeacherSide) -> torch.Tensor:
    """Centres by one table of all pools, as wide as the largest."""
    places = torch.arange(int(side.sizes.max()))[None, :]
    valid = places < side.sizes[:, None]
    rows = side.rows[(side.starts[:, None] + places).clamp(max=len(side.rows) - 1)]
    return (side.embeddings[rows] * valid[:, :, None]).sum(dim=1) / side.sizes[:, None]


@pytest.mark.parametrize("block", [1, 40, 2**16])
def test_centres_are_the_means_of_the_pools_however_many_are_taken_at_a_time(monkeypatch, block):
    monkeypatch.setattr("cross_modal_kd.training.data.BLOCK", block)
    rng = np.random.default_rng(0)
    sizes = [*rng.integers(1, 90, 60).tolist(), 700, 1, 513]
    side = TeacherSide.from_candidates(
        rng.normal(size=(900, 24)), [rng.choice(900, size, replace=False) for size in sizes]
    )
    for pool, size in enumerate(side.sizes.tolist()):
        rows = side.rows[side.starts[pool] : side.starts[pool] + size]
        assert torch.allclose(side.centres[pool], side.embeddings[rows].double().mean(dim=0).float(), atol=1e-6)
    if block == 2**16:  # all pools at a time: to the last bit as by one table of them
        assert torch.equal(side.centres, padded(side))


def test_one_large_pool_among_many_small_ones_costs_no_more_than_its_rows():
    many = 20_000
    pool, starts = np.arange(many + 1), np.concatenate([np.arange(many + 1), [many + many]])
    tracemalloc.start()
    side = TeacherSide.from_pools(np.zeros((many, 2), np.float32), pool, np.arange(2 * many) % many, starts)
    assert side.centres.shape == (many + 1, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(side.rows) == 2 * many and peak < 200 * many  # bytes; a table of the pools would have 3.2 GB
