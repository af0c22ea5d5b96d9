"""A run done again at its commit: what it refuses, and that its numbers come out."""

import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cross_modal_kd import cli
from cross_modal_kd.runs import Agreement, Refused, Repetition
from cross_modal_kd.runs.command import Command
from cross_modal_kd.runs.repetition import Again
from cross_modal_kd.runs.tree import worktree
from cross_modal_kd.tracking import PastRun

PROJECT = Path(__file__).parents[2]


def past(metrics=None, tags=None, params=None, status="FINISHED", name="a run") -> PastRun:
    known = {"kedro.command": "kedro run --env=test", "git.sha": "c" * 40, "git.dirty": "false"}
    tags = {key: value for key, value in (known | (tags or {})).items() if value is not None}
    when = datetime(2026, 11, 26)
    return PastRun("a" * 32, name, "test", status, when, params or {}, tags, metrics or {}, whole=True)


@pytest.fixture
def repository(tmp_path):
    """A repository of one commit, and the commit."""
    folder = tmp_path / "repository"
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "a.yml").write_text("a: 1\n")

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    return folder, git("rev-parse", "HEAD").strip()


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_folder_of_data_is_that_of_the_worktree():
    line = "kedro run --env=test '--params=data_root=/scratch/me,training.seed=1,arms.a.b=[1, 2]'"
    command = Command.of(line)
    assert command.arguments == ["run", "--env=test", "--params=training.seed=1,arms.a.b=[1, 2]"]
    assert (command.env, command.pipelines) == ("test", ["distill"])
    assert command.named == {"training.seed", "arms.a.b"}
    assert Command.of("kedro run --params=data_root=x").arguments == ["run"]


def test_parameters_are_added_as_yaml_that_is_read_as_the_same_value():
    command = Command.of("kedro run --params=a=1").with_params({"b.c": [1, None], "d": "x, y", "e": True})
    assert command.params == 'a=1,b.c=[1,null],d="x, y",e=true'


@pytest.mark.parametrize(
    ("options", "before"),
    [
        ("", ["ingestion"]),
        ("--pipelines=distill", ["ingestion"]),
        ("--pipelines=ingestion,quality", ["ingestion"]),
        ("--pipelines=teacher", ["ingestion", "quality"]),
        ("--pipelines=evaluation", ["ingestion", "quality,teacher,projection,distillation"]),
        ("--pipelines=comparison", ["ingestion", "quality,teacher,projection"]),
        ("--pipelines=robustness", ["ingestion", "quality,teacher,projection,distillation"]),
        ("--pipelines=distill --from-nodes=evaluation.draw_plots", ["ingestion", "distill"]),
        ("--pipelines=quality --tags=x", ["ingestion", "ingestion,quality"]),
    ],
)
def test_what_a_pipeline_starts_from_is_run_before_it(options, before):
    found = Command.of(f"kedro run {options} --env=test --params=a=1").before()
    assert [",".join(each.pipelines) for each in found] == before
    assert all(each.arguments[-2:] == ["--env=test", "--params=a=1"] for each in found)


def test_what_writes_up_other_runs_is_refused():
    with pytest.raises(Refused, match="'results' writes up what other runs have left"):
        Command.of("kedro run --pipelines=results").before()


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({"mlflow.parentRunId": "b" * 32}, "FINISHED", "is a part of the run b{32}: reproduce that one"),
        ({"kedro.command": None}, "FINISHED", "was not made by `kedro run`"),
        ({"kedro.command": "python x.py"}, "FINISHED", "not made by `kedro run`, but by 'python x.py'"),
        ({"git.sha": None}, "FINISHED", "does not say from which commit"),
        (
            {"git.dirty": "true", "git.changes": " M src/a.py\n?? b.py"},
            "FINISHED",
            r" M src/a.py\n.. b.py\n.*--anyway tries\. A run of what is committed",
        ),
        ({"git.dirty": "true"}, "FINISHED", "which files differed was not recorded"),
        ({}, "KILLED", "did not end well .KILLED."),
        ({}, "FINISHED", "this clone does not know the commit c{40}: `git fetch --all`"),
    ],
)
def test_a_run_that_cannot_come_out_is_refused_with_the_reason(repository, tags, status, message):
    with pytest.raises(Refused, match=message):
        Repetition(None, past(tags=tags, status=status), repository[0], repository[0]).run()


def test_outside_of_a_clone_it_is_refused(tmp_path):
    with pytest.raises(Refused, match="is no git repository"):
        Repetition(None, past(), tmp_path, tmp_path).run()


def test_anyway_goes_past_uncommitted_changes_to_the_commit(repository):
    with pytest.raises(Refused, match="does not know the commit"):
        Repetition(None, past(tags={"git.dirty": "true"}), repository[0], repository[0]).run(anyway=True)


def test_the_worktree_has_the_commit_alone_and_is_gone_afterwards(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder, commit = repository
    (folder / "conf" / "a.yml").write_text("a: 2\n")
    with worktree(folder / "conf", commit, keep=False) as tree:
        assert (tree / "a.yml").read_text() == "a: 1\n"
        assert not tree.is_relative_to(folder)
    listed = subprocess.run(["git", "worktree", "list"], cwd=folder, capture_output=True, text=True).stdout
    assert not tree.exists() and len(listed.splitlines()) == 1
    with pytest.raises(ZeroDivisionError), worktree(folder, commit, keep=False) as tree:
        raise ZeroDivisionError
    assert not tree.parent.exists()
    with worktree(folder, commit, keep=True) as tree:
        pass
    assert (tree / "conf" / "a.yml").is_file()


def test_raw_data_is_read_where_it_lies_and_outlives_the_worktree(repository, tmp_path):
    folder, commit = repository
    raw = tmp_path / "elsewhere" / "data" / "01_raw" / "birds"
    raw.mkdir(parents=True)
    (raw / "a.png").write_text("a")
    run = past(params={"sources.birds.root": "data/01_raw/birds", "sources.voices.root": "package:voices"})
    with worktree(folder, commit, keep=False) as tree:
        Again(run, Command(["run"]), tree, tmp_path / "elsewhere", lambda _: None)._link()
        assert (tree / "data" / "01_raw" / "birds" / "a.png").read_text() == "a"
        with pytest.raises(Refused, match="sources.birds.root: the raw data is not in .*--data FOLDER"):
            (tree / "data" / "01_raw" / "birds").unlink()
            Again(run, Command(["run"]), tree, tmp_path, lambda _: None)._link()
        Again(run, Command(["run"]), tree, tmp_path / "elsewhere", lambda _: None)._link()
    assert (raw / "a.png").read_text() == "a"


def test_parameters_that_the_commit_does_not_give_are_taken_from_the_run(monkeypatch, tmp_path):
    said = []
    resolved = '{"training": {"lr": 0.1, "epochs": 3, "seed": 0, "warm": null}, "other": 1}'
    monkeypatch.setattr("cross_modal_kd.runs.repetition.answer", lambda *_: resolved)
    run = past(params={"training.lr": "0.2", "training.epochs": "3.0", "training.seed": "5", "training.warm": "null"})
    again = Again(run, Command.of("kedro run --params=training.seed=5"), tmp_path, tmp_path, said.append)
    assert again._from_elsewhere() == {"training.lr": 0.2}
    assert said == ["training.lr=0.2: the commit says 0.1; taken from what the run has logged"]


# -- number by number -------------------------------------------------------------------------------------------------


def test_each_number_is_exact_within_different_or_missing():
    before = past({"a": 0.5, "b": 0.5, "c": 0.5, "d": 1.0, "seconds/x": 1.0, "system/cpu": 3.0, "f": 2e6})
    after = past({"a": 0.5, "b": 0.5 + 1e-9, "c": 0.6, "e": 1.0, "seconds/x": 2.0, "f": 2e6 + 1})
    found = Agreement.of([before], [after], 1e-6)
    assert {number.name: number.verdict for number in found.numbers} == {
        **{"a": "exact", "b": "within", "c": "different", "d": "missing", "e": "missing", "f": "within"}
    }
    assert not found.agrees
    assert re.search(r"different +c +0.5 then, 0.6 now \(\+0.1\)", found.words())
    assert "DOES NOT AGREE: 1 of 6 numbers are exactly the same, 2 agree within 1e-06, 1 differ, 2 are" in found.words()


def test_an_infinite_number_is_near_no_other():
    inf = float("inf")
    found = Agreement.of([past({"a": inf, "b": inf, "c": 1.0})], [past({"a": 1.0, "b": inf, "c": -inf})], 1e-6)
    expected = {"a": "different", "b": "exact", "c": "different"}
    assert {number.name: number.verdict for number in found.numbers} == expected


def test_it_agrees_where_all_do_and_what_differs_beside_the_numbers_is_told():
    tags = {"version.torch": "2.14", "device.threads": "1", "data.samples": "5a"}
    before = past({"a": 0.5}, tags)
    assert Agreement.of([before], [before], 0).agrees
    assert not Agreement.of([past()], [past()], 0).agrees  # nothing was compared
    after = past({"a": 0.7}, tags | {"version.torch": "2.15", "device.threads": "4", "data.samples": "6b"}, {"x": "1"})
    words = Agreement.of([before], [after], 0).words()
    for cause in (
        "version.torch: 2.14 then, 2.15 now",
        "device.threads: 1 then, 4 now",
        "parameter x: none then, 1 now",
    ):
        assert cause in words
    assert "data.samples: 5a then, 6b now" in words
    assert "None is known: commit, parameters" in Agreement.of([before], [past({"a": 0.7}, tags)], 0).words()


def test_runs_below_the_run_are_paired_by_their_names():
    below = [past({"eer": 0.1}, name="rkd, seed 0"), past({"eer": 0.2}, name="kd, seed 0")]
    found = Agreement.of([past({"a": 1.0}), *below], [past({"a": 1.0}), *below[::-1]], 0)
    assert [number.name for number in found.numbers] == ["a", "kd, seed 0: eer", "rkd, seed 0: eer"]
    assert found.agrees


def test_a_run_that_is_not_there_has_the_exit_code_of_what_was_not_done(tracking_uri):
    result = CliRunner().invoke(cli.cli, ["reproduce", "nothing"])
    assert result.exit_code == 2 and "has the id or the name 'nothing'" in result.output


# -- the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_the_small_task_comes_out_again_in_a_clone(tmp_path):
    """A run in a clone with data of its own place, done again; with a wrong fingerprint it is refused."""
    from mlflow import MlflowClient

    if not (PROJECT / ".git").exists():
        pytest.skip("this is no git clone")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", PROJECT, clone], check=True)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "KEDRO_"))}
    environment |= {"MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(clone / "src")}

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    params = f"--params=data_root={tmp_path / 'data'},training.seed=3,training.epochs=1,projection.epochs=1"
    code, output = run("kedro", "run", "--env=test", params)
    assert code == 0, output
    run_id = re.search(r"MLflow: run ([0-9a-f]{32})", output)[1]

    code, output = run("cross_modal_kd", "reproduce", run_id[:10])
    assert code == 0, output
    assert re.search(r"AGREES: (\d+) of \1 numbers are exactly the same", output), output
    assert re.search(r"exact +metrics/distilled.eer ", output) and "data.samples: the same" in output
    listed = subprocess.run(["git", "worktree", "list"], cwd=clone, capture_output=True, text=True).stdout
    assert len(listed.splitlines()) == 1
    client = MlflowClient(uri)
    assert len(client.search_runs([client.get_run(run_id).info.experiment_id])) == 1, "it is tracked elsewhere"

    client.set_tag(run_id, "data.samples", "0" * 32)
    code, output = run("cross_modal_kd", "reproduce", run_id)
    assert code == 2 and "the data is another than that of run" in output, output
