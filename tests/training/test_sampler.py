"""Batches and their order."""

import pytest
import torch

from cross_modal_kd.training.sampler import EpochSampler

COUNT, SIZE = 36, 8


def order(seed: int, epoch: int, size: int = SIZE, labels: torch.Tensor | None = None, **options) -> list[list[int]]:
    sampler = EpochSampler(torch.zeros(COUNT) if labels is None else labels, size, seed, **options)
    sampler.epoch = epoch
    batches = list(sampler)
    assert len(batches) == len(sampler)
    return [[item.row for item in batch] for batch in batches]


def test_seed_and_epoch_decide_the_order():
    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1) != order(1, 1)


def test_a_pass_in_between_changes_nothing():
    sampler = EpochSampler(torch.zeros(COUNT), SIZE, 0)
    first = list(sampler)
    sampler.epoch = 1
    assert list(sampler) != first
    sampler.epoch = 0
    assert list(sampler) == first


def test_every_item_carries_seed_and_epoch():
    sampler = EpochSampler(torch.zeros(COUNT), SIZE, seed=5)
    sampler.epoch = 3
    assert {item.draw for batch in sampler for item in batch} == {(5, 3)}


def test_an_epoch_has_only_full_batches_and_no_sample_twice():
    batches = order(0, 0)
    assert [len(batch) for batch in batches] == [SIZE] * (COUNT // SIZE)
    assert len({index for batch in batches for index in batch}) == COUNT // SIZE * SIZE


def test_fewer_samples_than_a_batch_are_one_smaller_batch():
    (batch,) = order(0, 0, size=100)
    assert sorted(batch) == list(range(COUNT))


def test_labelled_samples_have_their_share_of_every_batch_and_the_others_come_once():
    labels = torch.full((100,), -1)
    labels[:7] = torch.arange(7)
    batches = order(0, 0, 20, labels, labelled_share=0.5)
    assert len(batches) == 5
    assert all(sum(labels[index] >= 0 for index in batch) == 10 for batch in batches)
    seen = torch.tensor(batches).flatten()
    assert set(range(7)) <= set(seen.tolist())
    others = seen[labels[seen] < 0]
    assert len(others.unique()) == len(others) == 50
    assert order(0, 0, 20, labels, labelled_share=0.5) == batches


@pytest.mark.parametrize("labelled", [0, 50, 100])
def test_a_share_that_is_there_anyway_draws_all_alike(labelled):
    labels = torch.where(torch.arange(100) < labelled, 0, -1)
    assert order(0, 0, 20, labels, labelled_share=0.5) == order(0, 0, 20, labels)
