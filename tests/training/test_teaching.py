"""What of its samples a teacher reads, and whether it tells them apart."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import InputConfig, TaskConfig
from cross_modal_kd.metrics import alike_rows
from cross_modal_kd.models import ModelBundle, Reading
from cross_modal_kd.samples import EmbeddingTable, SamplesError
from cross_modal_kd.tracking import ThisRun, set_this_run, this_run
from cross_modal_kd.training.teaching import (
    count_told,
    not_read,
    not_read_by_student,
    remark,
    require_told_apart,
)
from text_models import write_text_model

TASK = TaskConfig(name="t", title="T", kind="classification", student="image", teacher="text", pairing="label")


@pytest.fixture
def run():
    set_this_run(ThisRun("kedro run", Path(), ("of before",)))
    yield
    set_this_run(None)


def samples_of(texts, labels=None, groups=None):
    ids = [f"s{place}" for place in range(len(texts))]
    labels = labels or [f"l{place % 3}" for place in range(len(texts))]
    table = pd.DataFrame({"sample_id": ids, "text": texts, "label": labels, "group": groups or ids, "sha256": texts})
    return table.assign(modality="text", split="train", path=None, domain=None, source="made")


def bundle(folder, length=8):
    encoder = {"library": "sentence_transformers", "name": str(folder)}
    return ModelBundle("pretrained", {"encoder": encoder, "inputs": InputConfig(text={"length": length}).model_dump()})


def test_rows_are_alike_whatever_their_length_and_wherever_they_stand():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20_000, 8)).astype(np.float32)
    found = alike_rows(np.concatenate([rows, 2 * rows + 1e-7, rows[:3]]))
    assert len(set(found)) == len(rows)
    np.testing.assert_array_equal(found[: len(rows)], found[len(rows) : 2 * len(rows)])
    assert alike_rows(np.zeros((0, 3))).tolist() == [] and alike_rows(np.ones((1, 3))).tolist() == [0]
    assert len(set(alike_rows(rows[:5] + 1e-3 * np.arange(5)[:, None]))) == 5


def test_what_a_text_teacher_does_not_read_is_counted(tmp_path):
    folder = write_text_model(tmp_path / "mini")
    texts = ["a red cat", "red " * 10, "red " * 11, "😀", "zebra", "a zebra"]
    cut, unknown = not_read(samples_of(texts), "text", bundle(folder), InputConfig())
    assert "the first 10 word pieces of a sample, and 1 of the 6 texts are longer (the longest has 11)" in cut
    assert "name an encoder that reads more (teacher.encoder.name)" in cut
    assert "knows no sign of 2 of the 6 texts (the first is '\U0001f600')" in unknown
    assert not_read(samples_of(texts[:2]), "text", bundle(folder), InputConfig()) == []


def test_what_a_student_of_texts_does_not_read_is_counted():
    (said,) = not_read_by_student(samples_of(["short", "Stra\u00dfen!"]), "text", InputConfig(text={"length": 8}))
    assert said.startswith("the student reads the first 8 bytes of a sample, and 1 of the 2 texts are longer")
    assert said.endswith("let it read more (inputs.text.length)")
    assert not_read_by_student(samples_of(["short"]), "image", InputConfig()) == []


def test_nothing_is_said_of_what_is_read_whole():
    reading = Reading("bytes", np.array([3, 4]), 4, np.array([False, False]))
    assert reading.remarks("it", "texts", ["abc", "abcd"], "read more") == []
    assert not Reading("bytes", np.array([9]), None, np.array([False])).cut.any()


def test_a_remark_stands_beside_the_results_and_is_said_once(run, caplog):
    with caplog.at_level(logging.WARNING):
        remark(["it is so", "it is so"])
        remark(["it is so"])
    assert [record.message for record in caplog.records] == ["it is so"]
    assert this_run().remarks == ("of before", "It is so.")


def test_samples_that_differ_and_are_one_to_the_teacher_are_counted():
    texts = ["a", "b", "c", "d", "a"]
    values = np.array([[1, 0], [2, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float32)
    told = count_told(samples_of(texts, ["x", "y", "y", "z", "x"]), values)
    assert (told.contents, told.alike, told.vectors, told.labels) == (4, 2, 3, 3)
    assert (told.lost, told.first_lost) == (1, "x")


def test_views_of_one_instance_may_have_one_embedding():
    values = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    told = count_told(samples_of(["a", "b", "c", "d"], ["x", "x", "y", "y"], ["g", "g", "h", "h"]), values)
    assert (told.alike, told.lost) == (0, 0)
    session = samples_of(["a", "b", "c", "d"], ["x", "x", "y", "y"]).assign(group=None, domain=["v", "v", "w", "w"])
    assert count_told(session, values).alike == 0


def test_copies_are_not_the_teachers_fault():
    told = count_told(samples_of(["a", "a", "b"], ["x", "y", "z"]), np.eye(2, dtype=np.float32)[[0, 0, 1]])
    assert (told.contents, told.alike, told.lost) == (2, 0, 0)


def test_a_teacher_to_which_all_is_one_is_refused_with_the_cause(tmp_path):
    folder, samples = write_text_model(tmp_path / "mini"), samples_of(["\u1230", "\u1231", "\u1232"])
    table = EmbeddingTable(samples["sample_id"].tolist(), np.ones((3, 4)), "")
    with pytest.raises(SamplesError, match=r"the 3 different texts .* are all the same: .*knows no sign of 3 of the 3"):
        require_told_apart(samples, TASK, table, bundle(folder))


def test_of_a_teacher_to_which_many_are_one_is_warned(tmp_path, run):
    folder = write_text_model(tmp_path / "mini")
    samples = samples_of([f"{number} red" for number in range(30)])
    values = np.eye(30, dtype=np.float32)
    table = EmbeddingTable(samples["sample_id"].tolist(), values, "")
    require_told_apart(samples, TASK, table, bundle(folder))
    assert this_run().remarks == ("of before",)
    values[:6] = values[0]
    require_told_apart(samples, TASK, EmbeddingTable(table.sample_ids, values, ""), bundle(folder))
    assert "to the teacher 6 of the 30 different texts of the train split" in this_run().remarks[-1].lower()
