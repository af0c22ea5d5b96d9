"""The notes beside reported files: whole with several writers, begun afresh where they are damaged."""

import json
import subprocess
import sys

import pytest

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.provenance import (
    FILE,
    ProvenanceHook,
    digests,
    known_labels,
    note,
    other_labels,
    other_students,
)
from cross_modal_kd.tracking import set_this_run, this_run

WRITER = """
import sys
from pathlib import Path
from cross_modal_kd.hooks.provenance import note
folder = Path(sys.argv[1])
for number in range(30):
    file = folder / f"{sys.argv[2]}-{number}.csv"
    file.write_text(file.name)
    note(folder, file, {"command": "kedro run"})
"""


def test_several_writers_lose_no_entry(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(json.loads((tmp_path / FILE).read_text())) == 90


@pytest.mark.parametrize("damage", [b"", b'{"a.csv": {', b"[1]", b"\xff\xfe\x00"])
def test_damaged_notes_are_set_aside_with_a_warning(tmp_path, damage, caplog):
    (tmp_path / FILE).write_bytes(damage)
    file = tmp_path / "b.csv"
    file.write_text("1")
    note(tmp_path, file, {"command": "kedro run"})
    assert list(json.loads((tmp_path / FILE).read_text())) == ["b.csv"]
    (aside,) = tmp_path.glob("*.damaged")
    assert aside.read_bytes() == damage and aside.name in caplog.text


def test_students_that_were_made_with_other_parameters_are_warned_of(tmp_path):
    """The page of `evaluation` alone would show this run's parameters beside another's students."""
    (tmp_path / "distilled").mkdir()
    history = tmp_path / "distilled" / "history.csv"
    history.write_text("epoch\n1\n")
    arms = {"rkd": {"weight": 1}, "other": {"weight": 2}}
    made = {
        "student": {"encoder": {"name": "resnet18"}},
        "training": {"epochs": 4},
        "distillation": {"arm": "rkd"},
        "arms": arms,
    }
    command = "kedro run --pipelines=distill --params=..."
    note(tmp_path, history, {"command": command, "blocks": digests(made)})
    inputs = {"distilled.student", "student_alone.student", "samples"}

    def said(read=inputs, **changed):
        return list(other_students(tmp_path, read, digests({**made, **changed})))

    (words,) = said(training={"epochs": 5}, student={"encoder": {"name": "resnet34"}})
    assert f"'distilled' was made by `{command}`, with other parameters (student, training)" in words
    assert not said(evaluation={"bootstrap": 7}, data_root="x", sources_of_others={})
    assert not said(arms={**arms, "other": {"weight": 3}}) and len(said(arms={"rkd": {"weight": 9}})) == 1
    assert not said({"samples"}, training={}) and len(said(distillation={"arm": "x"})) == 1


def test_students_are_not_trained_with_projections_that_were_fitted_on_other_labels(tmp_path, monkeypatch):
    """Prototypes that labels had made would answer for a student of which the page says that it was told none."""
    from kedro.pipeline import Pipeline

    share = "distillation.labelled.share"
    all_known, half, none = (known_labels(each) for each in ({}, {share: 0.5}, {share: 0.0}))
    assert (all_known, half, none) == ({"share": 1.0}, {"share": 0.5, "draw": 0}, {"share": 0.0})
    assert known_labels({share: "x"}) == {"share": "x", "draw": 0}, "whoever reads it says what is wrong"
    assert not other_labels(tmp_path, none), "nothing is noted"
    (history := tmp_path / "projection_history.csv").write_text("epoch\n0\n")
    note(tmp_path, history, {"command": "kedro run --pipelines=projection", "labelled": all_known})
    assert not other_labels(tmp_path, all_known)
    for labels in (half, none, {"share": 0.5, "draw": 1}):
        said = other_labels(tmp_path, labels)
        assert "`kedro run --pipelines=projection` with distillation.labelled: share 1.0, and" in said
    hook, pipeline = ProvenanceHook(), Pipeline([])
    hook._labels = none

    def read(*inputs, made=()):
        monkeypatch.setattr(pipeline, "inputs", lambda: set(inputs))
        monkeypatch.setattr(pipeline, "all_outputs", lambda: set(made))
        return list(hook._found(pipeline, tmp_path))

    for given in (
        {"inputs": ["projection_mlp"], "made": ["distilled.student"]},
        {"inputs": ["projection_pca", "params:comparison", "params:teacher"]},
        {"inputs": ["projection_pca", "params:regimes"]},
    ):
        with pytest.raises(ConfigError, match=r"share 1.0, and this run's is: share 0.0.*run `kedro run --pipelines=p"):
            read(*given["inputs"], made=given.get("made", ()))
    assert len(read("projection_pca", "params:comparison")) == 1, "`robustness` trains nothing"
    assert not read("samples", made=["distilled.student"])


def test_the_pages_of_the_run_are_told_of_such_students_and_so_are_the_notes(tmp_path, monkeypatch):
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro_datasets.text import TextDataset

    from cross_modal_kd.datasets import DirectoryDataset

    hook, pipeline = ProvenanceHook(), Pipeline([])
    monkeypatch.setattr(pipeline, "inputs", lambda: {"distilled.student"})
    (tmp_path / "distilled").mkdir()
    (history := tmp_path / "distilled" / "history.csv").write_text("epoch\n1\n")
    note(tmp_path, history, {"command": "kedro run", "blocks": digests({"training": {"epochs": 4}})})
    hook._blocks = digests({"training": {"epochs": 5}})
    robustness = TextDataset(filepath=str(tmp_path / "robustness.csv"))
    catalog = DataCatalog({"reporting_folder": DirectoryDataset(filepath=str(tmp_path)), "robustness": robustness})
    try:
        hook.before_pipeline_run({"runtime_params": {}, "env": None}, pipeline, catalog)
        (remark,) = this_run().remarks
        assert "'distilled' was made by `kedro run`, with other parameters (training)" in remark
        catalog.save("robustness", "a\n1\n")
        hook.after_dataset_saved("robustness", None)
    finally:
        set_this_run(None)
    assert json.loads((tmp_path / FILE).read_text())["robustness.csv"]["remarks"] == [remark]


def test_where_data_lies_is_no_other_parameter():
    one, two = ({"sources": {"a": {"layout": "folder", "root": root}}} for root in ("data", "/project/data"))
    assert digests(one) == digests(two) != digests({"sources": {"a": {"layout": "emoji", "root": "data"}}})
