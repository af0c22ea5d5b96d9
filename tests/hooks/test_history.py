"""What a run made outlives the next run, and the console says at the end what came out."""

import json
import shutil

from cross_modal_kd.hooks import history


def test_the_last_runs_are_kept_and_can_be_brought_back(run_kedro_after, monkeypatch):
    root = run_kedro_after.data_root
    shutil.rmtree(root / history.HISTORY)
    weights = root / "06_models/test/distilled/student/model.safetensors"
    metrics = root / "08_reporting/test/metrics.json"
    run_kedro_after("distillation")
    run_kedro_after("evaluation")
    before = {path: path.read_bytes() for path in (weights, metrics)}
    run_kedro_after("distillation", params={"training": {"lr": 0.01}})
    run_kedro_after("evaluation", params={"training": {"lr": 0.01}})
    assert all(path.read_bytes() != content for path, content in before.items())
    kept = sorted((root / history.HISTORY / "test").iterdir())
    assert [kept[0].name, len(kept)] == ["0-before", 5]
    for session in kept[1:3]:
        shutil.copytree(session, root, dirs_exist_ok=True)
    assert all(path.read_bytes() == content for path, content in before.items())
    monkeypatch.setattr(history, "KEEP", 2)
    run_kedro_after("evaluation")
    assert sorted((root / history.HISTORY / "test").iterdir())[0] == kept[-1]


def test_a_run_without_room_for_its_copy_ends_well(run_kedro_after, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history, "_copy", full)
    run_kedro_after("evaluation")
    assert "is not kept" in caplog.text


def test_the_console_says_the_result_its_page_and_where_it_is_tracked(run_kedro_after, caplog, tracking_uri):
    with caplog.at_level("INFO"):
        run_kedro_after("evaluation")
    said = [record.message for record in caplog.records if record.name.endswith("last_words")]
    assert said[0].startswith("result: EER ") and "points" in said[0]
    metrics = json.loads((run_kedro_after.data_root / "08_reporting/test/metrics.json").read_text())
    assert f"{100 * metrics['distilled']['eer']['value']:.1f}" in said[0].replace("\N{NO-BREAK SPACE}", " ")
    assert any(line.startswith("report: ") and line.endswith("report.html") for line in said)
    assert said[-1].startswith("MLflow: run ") and tracking_uri in said[-1] and "mlflow ui" in said[-1]
