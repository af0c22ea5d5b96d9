"""What a server that is gone for good was not told is kept in a file, and one command sends it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cross_modal_kd.tracking import outbox
from cross_modal_kd.tracking.outbox import Outbox
from cross_modal_kd.tracking.run import TrackedRun
from cross_modal_kd.tracking.unsent import UnsentError, main, save_unsent, send_unsent


@pytest.fixture
def away(monkeypatch):
    """Every call to the server fails, until the list is cleared."""
    from mlflow import MlflowClient

    monkeypatch.setattr(outbox, "DELAYS", (0.0,))
    monkeypatch.setattr(outbox, "LAST_DELAYS", (0.0,))
    fails = [True]
    for name in ("log_batch", "set_tag", "log_inputs", "log_artifact", "log_dict", "set_terminated"):
        real = getattr(MlflowClient, name)

        def call(self, *args, _real=real, **options):
            if fails:
                raise ConnectionError("gone")
            return _real(self, *args, **options)

        monkeypatch.setattr(MlflowClient, name, call)
    return fails


@pytest.fixture
def run(tracking_uri):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    made = client.create_run(client.create_experiment("unsent"))
    return TrackedRun(made.info.run_id, tracking_uri, Outbox(tracking_uri))


def test_everything_that_a_run_says_is_kept_and_sent_later(run, away, tmp_path, caplog):
    from mlflow import MlflowClient

    table = tmp_path / "table.csv"
    table.write_text("a,b\n")
    run.metrics({"training/x.loss": 0.25}, step=3)
    run.params({"training": {"seed": 1, "long": "x" * 7000}})
    run.params_and_file({"arm": "none"})
    run.tag("task", "t")
    run.artifact(table, "tables")
    run.data("samples", "abc", 7, table)
    file = tmp_path / "logs" / "unsent.json"
    run.outbox.close(file)
    assert f"python -m cross_modal_kd.tracking.unsent {file}" in caplog.text and "lost" not in caplog.text

    with pytest.raises(ConnectionError):
        send_unsent(file)
    assert file.exists()
    away.clear()
    assert main([str(file)]) == 0 and not file.exists()
    found = MlflowClient(run.tracking_uri).get_run(run.run_id)
    assert found.data.metrics == {"training/x.loss": 0.25}
    assert MlflowClient(run.tracking_uri).get_metric_history(run.run_id, "training/x.loss")[0].step == 3
    assert found.data.params["training.seed"] == "1" and found.data.params["arm"] == "none"
    assert found.data.tags["task"] == "t" and found.data.tags["data.samples"] == "abc"
    assert found.inputs.dataset_inputs[0].dataset.digest == "abc"
    assert [each.path for each in MlflowClient(run.tracking_uri).list_artifacts(run.run_id, "tables")] == [
        "tables/table.csv"
    ]


def test_what_was_sent_is_not_sent_again(run, away, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    file = tmp_path / "unsent.json"
    run.tag("first", "1")
    run.tag("second", "2")
    run.outbox.close(file)
    away.clear()
    real = MlflowClient.set_tag

    def once(self, run_id, name, value):
        if name == "second":
            raise ConnectionError("gone again")
        real(self, run_id, name, value)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_tag", once)
        assert main([str(file)]) == 1
    assert [call["args"][1] for call in json.loads(file.read_text())["calls"]] == ["second"]
    assert main([str(file)]) == 0
    assert {"first", "second"} <= set(MlflowClient(run.tracking_uri).get_run(run.run_id).data.tags)


def test_a_file_that_is_gone_does_not_hold_up_the_end_of_the_run(run, away, tmp_path, caplog):
    from mlflow import MlflowClient

    file = tmp_path / "unsent.json"
    run.artifact(tmp_path / "not there", None)
    run.send("its end", lambda client: client.set_terminated(run.run_id, "FINISHED"))
    run.outbox.close(file)
    away.clear()
    assert main([str(file)]) == 0
    assert "log_artifact is passed over" in caplog.text
    assert MlflowClient(run.tracking_uri).get_run(run.run_id).info.status == "FINISHED"


def test_a_file_is_sent_as_it_was_at_the_end_of_its_run(run, away, tmp_path):
    """The next run writes to the same place."""
    from mlflow import MlflowClient

    table, file = tmp_path / "metrics.json", tmp_path / "unsent.json"
    table.write_text("of run A")
    run.artifact(table)
    run.outbox.close(file)
    table.write_text("of run B")
    save_unsent(file, run.tracking_uri, [("a tag", lambda client: client.set_tag(run.run_id, "later", "1"))])
    away.clear()
    assert main([str(file)]) == 0 and not file.with_suffix(".files").exists()
    (tmp_path / "got").mkdir()
    got = MlflowClient(run.tracking_uri).download_artifacts(run.run_id, "metrics.json", str(tmp_path / "got"))
    assert Path(got).read_text() == "of run A"


def test_a_file_is_added_to(tmp_path):
    file = tmp_path / "unsent.json"
    for name in "ab":
        save_unsent(file, "sqlite:///x.db", [("a tag", lambda client, name=name: client.set_tag("1", name, name))])
    assert [call["args"] for call in json.loads(file.read_text())["calls"]] == [["1", "a", "a"], ["1", "b", "b"]]


def test_a_message_that_asks_the_server_first_is_lost_and_counted(tmp_path):
    file = tmp_path / "unsent.json"
    assert save_unsent(file, "sqlite:///x.db", [("a child run", lambda client: client.create_run("1"))]) == 1
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"tracking_uri": "x", "calls": [{"call": "delete_run"}]}'])
def test_another_file_is_refused(tmp_path, content):
    file = tmp_path / "other.json"
    file.write_text(content)
    with pytest.raises(UnsentError, match="other.json: expected what a run could not send"):
        send_unsent(file)


@pytest.mark.slow
def test_the_command_says_how_it_is_used():
    found = subprocess.run(
        [sys.executable, "-m", "cross_modal_kd.tracking.unsent"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1 and "FILE" in found.stderr
