"""``kedro run --pipeline=score`` on the small student that the test task trains."""

from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.hooks.project_folder import anchored
from cross_modal_kd.student import StudentModel

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def pictures(tmp_path) -> Path:
    raw = pd.read_parquet(PROJECT / "data" / "01_raw" / "emoji" / "images.parquet").head(3)
    (tmp_path / "pictures").mkdir()
    for row in raw.itertuples():
        (tmp_path / "pictures" / f"{row.code}_{row.style}.png").write_bytes(row.png)
    (tmp_path / "pictures" / "damaged.png").write_bytes(b"\x89PNG")
    return tmp_path / "pictures"


def test_files_are_scored_into_the_catalog(run_kedro_after, pictures, caplog):
    run_kedro_after("score", params={"score": {"inputs": [str(pictures)], "top_k": 2, "device": "cpu"}})
    file = run_kedro_after.data_root / "07_model_output" / "test" / "predictions.csv"
    table = pd.read_csv(file, dtype=str).set_index("file")  # a label of digits is a text
    assert len(table) == 4 and table["error"].notna().sum() == 1 and "1 of 4 files could not be read" in caplog.text
    folder = run_kedro_after.data_root / "06_models" / "test" / "distilled" / "packaged"
    answers = StudentModel.load(folder, "cpu").predict(sorted(pictures.glob("1*.png")), top_k=2)
    assert [table.loc[each.name, "label"] for each in answers] == [each.label for each in answers]
    assert [table.loc[each.name, "label_2"] for each in answers] == [each.top[1][0] for each in answers]
    with pytest.raises(ValueError, match="none of the 1 files could be read; the first, .*damaged.png: "):
        run_kedro_after("score", params={"score": {"inputs": [str(pictures / "damaged.png")]}})


@pytest.mark.parametrize(
    ("score", "message"),
    [({}, "score.inputs names nothing: give files"), ({"inputs": ["nowhere"]}, "score.inputs: there is no nowhere")],
)
def test_what_cannot_be_scored_stops_before_the_first_node(run_kedro, score, message):
    with pytest.raises(ValueError, match=message):
        run_kedro("score", params={"score": score})


def test_without_a_packaged_student_it_says_what_makes_one(run_kedro, pictures):
    with pytest.raises(Exception, match="(?s)distilled.packaged.*deployment"):
        run_kedro("score", params={"score": {"inputs": [str(pictures)]}})


def test_relative_inputs_start_at_the_projects_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = anchored({"score": {"inputs": ["photos", "/a"]}}, Path("/project"))
    assert found["score"]["inputs"] == ["/project/photos", "/a"]
