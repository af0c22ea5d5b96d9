"""Flat values, facts about a run, and what happens where no run is open or two are opened together."""

import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.tracking import (
    as_metrics,
    as_params,
    command,
    fingerprint,
    git_facts,
    mlflow_session,
    run_name,
    without_other_arms,
)


def test_two_runs_that_make_the_database_together_both_go_on(monkeypatch):
    monkeypatch.setattr(mlflow_session, "sleep", lambda seconds: None)
    answers = [RuntimeError("table runs already exists"), RuntimeError("index ... already exists"), "client"]

    def connect():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert mlflow_session.ready(connect, "sqlite:///x.db") == "client"
    for uri, error in (("sqlite:///x.db", "no such folder"), ("http://x", "table runs already exists")):
        answers = [RuntimeError(error), "client"]
        with pytest.raises(RuntimeError, match=error):
            mlflow_session.ready(connect, uri)


def test_a_database_whose_making_was_cut_off_is_made_again(tmp_path, monkeypatch):
    """On a full disk MLflow leaves half its tables, and can then neither go on nor begin again."""
    import mlflow

    whole = mlflow.MlflowClient

    def cut_off(uri):
        Path(uri.removeprefix("sqlite:///")).write_bytes(b"half of the tables")
        raise OSError(28, "database or disk is full")

    monkeypatch.setattr(mlflow, "MlflowClient", cut_off)
    with pytest.raises(OSError, match="full"):
        mlflow_session._make_whole(tmp_path / "mlflow.db")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(mlflow, "MlflowClient", whole)
    mlflow_session._make_whole(tmp_path / "mlflow.db")
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]
    made = (tmp_path / "mlflow.db").stat()
    mlflow_session._make_whole(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").stat() == made
    assert mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_experiment_by_name("Default") is not None


def test_long_values_are_cut_and_keep_their_hash():
    first, second = (as_params({"text": "x" * 600 + end})["text"] for end in "ab")
    assert len(first) == len(second) <= 500
    assert first != second


def test_names_are_made_of_what_mlflow_takes():
    assert as_params({"a": {"b@c": [{"d": None}]}}) == {"a.b_c.0.d": "null"}
    assert as_metrics({"x": True, "y": math.inf, "z": {"value": 1}}, "m/") == {"m/z": 1.0}


def test_fingerprints_see_values_order_and_columns_but_not_the_index():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert fingerprint(table) == fingerprint(table.set_axis([5, 6]))
    for other in (table.iloc[::-1], table.rename(columns={"a": "c"}), table.assign(a=[1, 3])):
        assert fingerprint(other) != fingerprint(table)
    with pytest.raises(TypeError, match="found int"):
        fingerprint(3)


def test_git_facts_are_the_commit_and_whether_files_differ_from_it(tmp_path):
    def git(*arguments):
        settings = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        return subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert git_facts(tmp_path) == {}
    git("init", "-b", "trunk")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    clean = git_facts(tmp_path)
    assert clean["git.sha"] == git("rev-parse", "HEAD").stdout.strip()
    assert (clean["git.dirty"], clean["git.branch"]) == ("false", "trunk")
    (tmp_path / "file").write_text("2")
    assert git_facts(tmp_path)["git.dirty"] == "true"


def test_a_file_that_git_does_not_know_counts_where_a_run_reads_some(tmp_path):
    def git(*arguments):
        settings = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for name in ("src/a.py", "conf/base/parameters.yml", "data/README.md"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".gitignore").write_text("data/08*\n")
    git("add", ".")
    git("commit", "-m", "first")
    for name in ("found.csv", "pictures/dog.png", "data/08_reporting/page.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    clean = git_facts(tmp_path)
    assert clean["git.dirty"] == "false"
    assert "git.changes" not in clean
    (tmp_path / "conf" / "mine").mkdir()
    for name in ("src/b.py", "conf/mine/parameters.yml", "data/new.csv"):
        (tmp_path / name).write_text("")
    assert git_facts(tmp_path)["git.changes"] == "?? conf/mine/\n?? data/new.csv\n?? src/b.py"


def test_the_command_holds_everything_that_was_asked_for():
    asked = {"pipeline_names": ["a", "b"], "env": "e", "from_nodes": ["n"], "only_missing_outputs": True}
    asked |= {"runtime_params": {"x": {"y": 1}, "z": "two words"}}
    assert command(asked) == (
        "kedro run --pipelines=a,b --env=e --from-nodes=n --only-missing-outputs '--params=x.y=1,z=two words'"
    )


def test_logging_without_a_run_does_nothing_and_does_not_import_mlflow():
    code = (
        "import sys; import cross_modal_kd.settings\n"
        "from cross_modal_kd.tracking import child_run, epoch_logger\n"
        "epoch_logger('x')({'loss': 1.0}, 0)\n"
        "with child_run('y') as run: assert run is None\n"
        "assert 'mlflow' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


ARMS = {"none": {"a": 1}, "rkd": {"a": 2}, "soft": {"a": 3}, "hard": {"a": 4}}


@pytest.mark.parametrize(
    ("block", "used"),
    [
        ({"distillation": {"baseline": "none", "arm": "rkd"}}, {"none", "rkd"}),
        ({"distillation.arm": "soft"}, {"soft"}),
        ({"comparison": {"arms": ["none", "hard"], "hard_of": {"soft": "rkd"}}}, {"none", "hard"}),
        ({"regimes": {"baseline": "none", "width": {"arms": ["none", "rkd"]}, "noise": {"arms": ["hard"]}}},
         {"none", "rkd", "hard"}),
        ({"tuning": {"space": {"soft": {"constraints.feature.weight": {"low": 1}}}}}, {"soft"}),
        ({"training": {"seed": 0}}, set(ARMS)),
    ],
)  # fmt: skip
def test_arms_that_the_run_does_not_use_are_not_among_its_parameters(block, used):
    kept = without_other_arms({"arms": ARMS, **block})
    assert set(kept["arms"]) == used
    assert {name: kept[name] for name in block} == block


@pytest.mark.parametrize(("reads", "kept"), [(False, {"rkd", "none"}), (True, set(ARMS))])
def test_a_run_that_leaves_the_comparison_alone_does_not_log_its_arms(reads, kept):
    blocks = {"distillation": {"arm": "rkd", "baseline": "none"}, "comparison": {"arms": list(ARMS)}}
    found = without_other_arms({"arms": ARMS, **blocks, "robustness": {"from_comparison": reads}})
    assert set(found["arms"]) == kept & set(ARMS) and ("comparison" in found) == reads


def test_runs_that_differ_in_task_arm_seed_or_in_what_was_changed_are_called_otherwise():
    def named(task="near_twins", arm="rkd", seed=0, **changed):
        params = {"distillation": {"arm": arm, "baseline": "none"}, "training": {"seed": seed}}
        return run_name(task, "distill", params, changed)

    assert named() == "rkd, seed 0, near_twins"
    names = [named(), named("face_speech"), named(arm="soft"), named(seed=1), named(training={"epochs": 3})]
    assert len(set(names)) == len(names)
    assert named(training={"seed": 0}, data_root="/x", distillation={"arm": "rkd"}) == named()
    assert len(named(text="x" * 999)) <= 250


def test_the_ends_of_an_interval_stand_apart_from_the_metrics():
    value = {"eer": {"value": 0.1, "low": 0.05, "high": 0.2}, "low": 1}
    assert as_metrics(value, "m/") == {"m/eer": 0.1, "interval/m/eer.low": 0.05, "interval/m/eer.high": 0.2, "m/low": 1}
