"""RandAugment of images: drawn from seed, epoch and sample alone, by any number of workers; never at evaluation."""

import numpy as np
import pandas as pd
import pytest
import torch

from cross_modal_kd.config import SourcesConfig, TrainingConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.modalities.inputs import Item, load_inputs
from cross_modal_kd.samples import Roots, conform
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.reader import BatchReader
from own_folders import image

COUNT = 12


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rows = [
        {"sample_id": f"s/{number}", "modality": "image", "label": "a", "source": "s", "path": f"{number}.png"}
        for number in range(COUNT)
    ]
    for number in range(COUNT):
        image(root / f"{number}.png", number, 0)
    return conform(pd.DataFrame(rows)), Roots(SourcesConfig({"s": {"layout": "folder", "root": str(root)}}))


def inputs(world, block, cache_mb=10.0, rows=None):
    samples, roots = world
    chosen = samples if rows is None else samples.iloc[rows]
    found = load_inputs("image", chosen, roots, InputConfig(image={"size": 20}, cache_mb=cache_mb))
    return (
        found if block is None else found.augmented(TrainingConfig(augmentation={"image": block}).augmentation["image"])
    )


RAND = {"rand_augment": {"operations": 2, "magnitude": 9}}


def test_an_image_is_changed_by_seed_epoch_and_sample_alone(world):
    made = inputs(world, RAND)
    _, first = made.__getitems__([Item(row, (0, 0)) for row in range(COUNT)])
    _, other_way = inputs(world, RAND, cache_mb=0, rows=[5, 3]).__getitems__([Item(1, (0, 0)), Item(0, (0, 0))])
    assert torch.equal(other_way, first[[3, 5]])  # another process, order, batch and subset
    for draw in ((1, 0), (0, 1)):
        _, again = made.__getitems__([Item(row, draw) for row in range(COUNT)])
        assert (again != first).flatten(1).any(dim=1).sum() > COUNT // 2
    assert first.dtype == torch.uint8 and first.shape == (COUNT, 3, 20, 20)


def test_evaluation_and_a_block_without_it_leave_images_as_they_are(world):
    plain = inputs(world, None).__getitems__([Item(row) for row in range(COUNT)])[1]
    assert torch.equal(inputs(world, RAND).__getitems__([Item(row) for row in range(COUNT)])[1], plain)
    unchanged = inputs(world, {"mixup": 0.2}).__getitems__([Item(row, (0, 0)) for row in range(COUNT)])[1]
    assert torch.equal(unchanged, plain)


def test_what_else_torch_draws_is_left_alone(world):
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    inputs(world, RAND).__getitems__([Item(0, (0, 0))])
    assert torch.equal(torch.rand(3), expected)


def test_strength_and_number_of_operations_count(world):
    items = [Item(row, (0, 0)) for row in range(COUNT)]
    plain = inputs(world, None).__getitems__(items)[1].float()

    def change(**options):
        return (inputs(world, {"rand_augment": options}).__getitems__(items)[1].float() - plain).abs().mean()

    assert change(operations=1, magnitude=1) < change(operations=3, magnitude=20)


@pytest.mark.slow
def test_any_number_of_workers_reads_the_same_batches(world):
    def batches(workers):
        ones = torch.ones(COUNT)
        given = TrainingData(inputs(world, RAND, cache_mb=0), torch.arange(COUNT) % 3, ones, ones)
        config = TrainingConfig(batch_size=4, workers=workers, compute={"accelerator": "cpu"})
        reader = BatchReader(given, config, torch.device("cpu"), mixup=0.4)
        found = [(batch.inputs, batch.mixed.share) for batch in reader.epoch(0)]
        reader.close()
        return found

    for (one, share), (other, same) in zip(batches(0), batches(2), strict=True):
        assert torch.equal(one, other) and share == same


def test_grey_images_too(world):
    samples, roots = world
    made = load_inputs("image", samples, roots, InputConfig(image={"size": 16, "channels": 1}))
    block = TrainingConfig(augmentation={"image": RAND}).augmentation["image"]
    pixels = made.augmented(block).__getitems__([Item(row, (0, 0)) for row in range(COUNT)])[1]
    assert pixels.shape == (COUNT, 1, 16, 16) and np.isfinite(pixels.float()).all()
