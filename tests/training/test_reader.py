"""What a step reads: batches on their device, from one process or from several."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.modalities.inputs import load_inputs
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.reader import BatchReader
from sample_tables import sample
from training_toys import CLASSES, CONFIG, COUNT, data

CPU = torch.device("cpu")


def reader(given: TrainingData | None = None, config=CONFIG, **options) -> BatchReader:
    return BatchReader(given or data(), config, CPU, **options)


def test_a_batch_holds_the_columns_of_its_samples():
    given = data(torch.where(torch.arange(COUNT) % 3 == 0, torch.arange(COUNT) % CLASSES, -1))
    read = reader(given)
    assert read.steps == COUNT // CONFIG.batch_size
    batches = list(read.epoch(0))
    for batch, indices in zip(batches, given.inputs.batches, strict=True):
        assert torch.equal(batch.inputs, given.inputs.values[indices])
        assert torch.equal(batch.labels, given.labels[indices])
        assert torch.equal(batch.task_weights, given.task_weights[indices])
        assert torch.equal(batch.kd_weights, given.kd_weights[indices])
        assert batch.labelled.tolist() == [row for row, index in enumerate(indices) if given.labels[index] >= 0]
        for index, partner in zip(indices, batch.teacher, strict=True):
            side, pool = given.teacher, given.teacher.pool[index]
            candidates = side.embeddings[side.rows[side.starts[pool] : side.starts[pool] + side.sizes[pool]]]
            assert (candidates == partner).all(dim=1).any()
    shares = [batch.progress for batch in batches]
    assert shares == pytest.approx([step / read.steps / CONFIG.epochs for step in range(read.steps)])


def test_every_epoch_draws_its_own_partners_and_the_same_ones_again():
    given = data()
    one, again, other = ([batch.teacher for batch in reader(given).epoch(epoch)] for epoch in (0, 0, 1))
    assert all(torch.equal(first, second) for first, second in zip(one, again, strict=True))
    assert not all(torch.equal(first, second) for first, second in zip(one, other, strict=True))


def test_a_bank_holds_the_own_instance_of_every_sample():
    given = data()
    for batch, _ in zip(reader(given, needs_bank=True).epoch(0), range(2), strict=False):
        bank, rows = batch.bank
        own = given.teacher.pool[given.inputs.batches[-1]]
        torch.testing.assert_close(bank[rows], given.teacher.centres[own])
    assert next(reader(given).epoch(0)).bank is None


@pytest.fixture
def sounds(tmp_path) -> TrainingData:
    """Eight sounds much longer than a crop, in which every value tells its sound and its place."""
    rows = []
    for number in range(8):
        ramp = (4000 * number + np.arange(4000)) / 40_000
        soundfile.write(tmp_path / f"{number}.wav", ramp, 8000, subtype="FLOAT")
        rows.append(sample(str(number), "a", "train", "speech", path=f"{number}.wav", duration_s=0.5))
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))
    config = InputConfig(speech={"sample_rate": 8000, "crop_s": 0.1, "eval_s": 0.1})
    ones = torch.ones(8)
    return TrainingData(load_inputs("speech", pd.DataFrame(rows), roots, config), ones.long(), ones, ones)


def test_persistent_workers_read_the_crops_of_every_epoch_as_one_process_does(sounds):
    config = CONFIG.model_copy(update={"batch_size": 4})
    alone, many = reader(sounds, config), reader(sounds, config.model_copy(update={"workers": 2}))
    crops = [[torch.cat([batch.inputs for batch in read.epoch(epoch)]) for epoch in range(3)] for read in (alone, many)]
    assert all(torch.equal(one, other) for one, other in zip(*crops, strict=True))
    assert (alone.workers, many.workers) == (0, 2)
    many.close()
    starts = [{round(float(crop[0]) * 40_000) for crop in epoch} for epoch in crops[1]]
    assert all(len({start // 4000 for start in epoch}) == 8 for epoch in starts)
    assert not starts[0] & starts[1] & starts[2]
    assert starts[0] != starts[1] != starts[2] != starts[0]


def test_a_second_view_is_another_augmentation_and_the_first_stays_what_it_was():
    def noisy(inputs, generator):
        return inputs + torch.rand(inputs.shape, generator=generator)

    first = next(reader(augment=noisy).epoch(0))
    both = next(reader(augment=noisy, views=True).epoch(0))
    assert first.second is None and torch.equal(first.inputs, both.inputs)
    assert both.second.shape == both.inputs.shape and not torch.equal(both.second, both.inputs)
    torch.testing.assert_close(both.second.floor(), both.inputs.floor(), atol=1.0, rtol=0)  # of the same samples


def test_two_views_without_an_augmentation_are_refused():
    with pytest.raises(ValueError, match=r"self_supervised: two views .* set training.augment to true"):
        reader(views=True)
