"""EmbeddingTableDataset: round trips, and refusals."""

import json

import numpy as np
import pytest
from kedro.io import DatasetError

from cross_modal_kd.datasets import EmbeddingTableDataset
from cross_modal_kd.samples.embeddings import EmbeddingTable


@pytest.fixture
def dataset(tmp_path) -> EmbeddingTableDataset:
    return EmbeddingTableDataset(filepath=str(tmp_path / "embeddings"), made_by="teacher")


def test_a_table_comes_back_as_it_was(dataset):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    dataset.save(EmbeddingTable(["b", "a", "ü"], values, "f" * 64))

    loaded = dataset.load()
    assert (loaded.sample_ids, loaded.fingerprint) == (["b", "a", "ü"], "f" * 64)
    np.testing.assert_array_equal(loaded.at(["ü", "b"]), values[[2, 0]])


def test_values_in_another_memory_order_are_stored_as_they_look(dataset):
    values = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    dataset.save(EmbeddingTable(["a", "b"], values, "f"))
    np.testing.assert_array_equal(dataset.load().values, values)


def test_a_missing_table_is_named_with_the_pipeline_that_makes_it(dataset):
    with pytest.raises(DatasetError, match=r"table\.json is missing; `kedro run --pipelines=teacher` .*makes it"):
        dataset.load()


def test_files_that_do_not_fit_together_are_refused(dataset, tmp_path):
    dataset.save(EmbeddingTable(["a", "b"], np.ones((2, 3), np.float32), "f"))
    table = tmp_path / "embeddings" / "table.json"
    table.write_text(json.dumps({"sample_ids": ["a"], "fingerprint": "f"}))
    with pytest.raises(DatasetError, match=r"values\.safetensors does not hold the embeddings of table\.json.*N = 1"):
        dataset.load()


def test_what_is_not_a_table_is_refused(dataset):
    with pytest.raises(DatasetError, match="takes an EmbeddingTable, found ndarray"):
        dataset.save(np.ones((2, 3)))
