"""``kedro run`` tells an error in a paragraph, keeps the traceback in a file, and takes the command that it records."""

import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from cross_modal_kd import cli
from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.tracking import command


@pytest.fixture
def kedro(project_path, tmp_path, monkeypatch):
    """``kedro("--env=test")``: the exit code and what stands on the console; logs go to ``tmp_path``."""
    monkeypatch.chdir(project_path)
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)

    def run(*options: str, data: str = "data"):
        result = CliRunner().invoke(cli.run, ["--env=test", f"--params=data_root={tmp_path / data}", *options])
        return result.exit_code, result.output

    return run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pipelines=distil"], "there is no pipeline 'distil'. Did you mean 'distill'"),
        (["--env=tst"], "there is no environment 'tst'. Did you mean 'test'.*face_speech"),
        (["--env=conf/test"], "there is no environment 'conf/test'. Did you mean 'test'.*face_speech"),
        (["--env=../test"], "there is no environment '../test'. Did you mean 'test'.*face_speech"),
        (["--runner=Threads"], "there is no runner 'Threads'"),
        (["--tags=label"], "no node has the tag 'label'. Did you mean 'labels'. There are: comparison.*, labels"),
        (["--tags=labels"], "no node of __default__ has the tag 'labels'; some of --pipelines=regimes have it"),
        (["--tags=reprot", "--pipelines=evaluation"], "no node has the tag 'reprot'. Did you mean 'report'"),
        (["--nodes=quality.measure_qualty"], "Did you mean 'quality.measure_quality'.*kedro registry describe"),
        (["--from-inputs=sample"], "datasets named .'sample'.*Did you mean 'samples'"),
        (["--nodes=nothing"], "nodes named .'nothing'.*kedro registry describe"),
        (
            ["--pipelines=quality"],
            "samples is missing: there is no .*samples.parquet; `kedro run --pipelines=ingestion`",
        ),
        (
            ["--pipelines=comparison"],
            "projection_mlp, .*, samples, .* are missing: there is no .*; `kedro run --pipelines=ingestion,quality,"
            "teacher,projection` .* makes them",
        ),
        (["--pipelines=comparison", "--params=training.learnrate=1"], "unknown key 'learnrate'"),
        (["--params=training.epochs=x,data_root=/dev/null"], "training.epochs: Input should be a valid integer.*'x'"),
        (["--params=student.margin=0.1,student.margins=1,data_root=/dev/null"], "student: unknown key 'margins'"),
        (["--conf-source=/dev"], r"/dev is no folder of configurations .--conf-source.: expected one that holds base/"),
        (["--params=teacher=null,data_root=/dev/null"], "teacher: is null; give it its keys"),
        (["--params=trainning.epochs=1"], "unknown parameter 'trainning'.*Did you mean 'training'"),
        (["--params=training.learnrate=1"], "training: unknown key 'learnrate'.*expected one of:.*Did you mean 'lr'"),
        (["--params=inputs.imgae=1"], "inputs: unknown key 'imgae'.*Did you mean 'image'"),
        (["--params=distillation.arm=soft_bth"], "distillation.arm: there is no arm 'soft_bth'. Did you mean"),
    ],
)
def test_an_error_of_the_user_is_a_paragraph_and_the_traceback_lies_in_a_file(kedro, tmp_path, options, message):
    code, output = kedro(*options)
    said = output.partition("error: ")[2]
    assert code == 1 and re.search(message, said, re.DOTALL), output
    assert "Traceback" not in output and "pydantic" not in output and len(said.splitlines()) < 8
    log = re.search(r"The traceback is in (.*)", said)[1]
    assert log.startswith(str(tmp_path / "logs")) and "Traceback" in Path(log).read_text()


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"\0" * 5000])
def test_a_damaged_table_is_named_with_what_makes_it(kedro, tmp_path, content):
    file = tmp_path / "data" / "02_intermediate" / "test" / "samples.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    code, output = kedro("--pipelines=quality")
    said = output.partition("error: ")[2]
    assert code == 1 and re.search(f"samples is damaged: {file} cannot be read .*--pipelines=ingestion", said), output


def test_a_table_that_may_not_be_read_is_not_called_damaged(kedro, tmp_path, monkeypatch):
    file = tmp_path / "data" / "02_intermediate" / "test" / "samples.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1")

    def refused(*_: object, **__: object):
        raise PermissionError(13, f"Failed to open local file '{file}'")  # as pyarrow says it

    monkeypatch.setattr("pandas.read_parquet", refused)
    code, output = kedro("--pipelines=quality")
    said = output.partition("error: ")[2]
    assert code == 1 and f"samples: {file} cannot be read (Permission denied)" in said, output
    assert "damaged" not in said and "makes it" not in said and "give yourself the right" in said


def test_what_is_no_yaml_is_shown_by_its_line(project_path, tmp_path, monkeypatch):
    shutil.copytree(project_path / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "test" / "parameters.yml").write_text("training:\n  epochs: 1\n\tseed: 2\n")
    monkeypatch.chdir(project_path)
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    result = CliRunner().invoke(cli.run, ["--env=test", f"--conf-source={tmp_path / 'conf'}"])
    assert result.exit_code == 1
    assert re.search(r"error: .*parameters.yml, line 3, column 1: .*'\\t'", result.output), result.output


def test_two_errors_have_two_files(kedro, tmp_path):
    kedro("--pipelines=a")
    kedro("--pipelines=a")
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_what_cannot_be_made_is_named_with_what_to_do(kedro, tmp_path):
    (tmp_path / "file").write_text("")
    code, output = kedro("--pipelines=ingestion", data="file/below")
    assert code == 1 and "Traceback" not in output
    assert re.search(
        r"data_root .*below: expected a folder .*, found the file .*; name another, `--params=data_root=", output
    ), output


def _raise(error: BaseException):
    def callback():
        raise error

    return cli.Run("run", callback=callback)


def test_a_run_that_is_stopped_by_a_key_says_how_to_go_on(capsys):
    with pytest.raises(SystemExit) as stopped:
        _raise(KeyboardInterrupt()).main([])
    assert stopped.value.code == 1
    assert "What is done is kept; the same command goes on with it\n" in capsys.readouterr().err


def test_a_fault_of_the_program_is_shown_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    result = CliRunner().invoke(_raise(KeyError("x")), [])
    assert isinstance(result.exception, KeyError) and cli.REPORTED in result.output


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "/data/x"), r"the disk is full \(/data/x\): make room"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), r"found in \['/tmp'\]: .*set TMPDIR"),
        (PermissionError(13, "Permission denied", "/x"), "/x'?: give yourself the right"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "memory is full (?s:.*)inputs.cache_mb",
        ),
        (MemoryError("std::bad_alloc"), "the memory is full (?s:.*)training.batch_size"),
    ],
)
def test_errors_of_the_machine_say_what_to_do(tmp_path, monkeypatch, error, words):
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    result = CliRunner().invoke(_raise(error), [])
    assert result.exit_code == 1 and re.search(words, result.output)


def test_a_wrong_value_that_is_found_late_is_told_without_pydantics_words(tmp_path, monkeypatch):
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    with pytest.raises(ValidationError) as raised:
        TrainingConfig(epochs=0)
    result = CliRunner().invoke(_raise(raised.value), [])
    assert result.exit_code == 1 and "TrainingConfig: epochs: Input should be greater" in result.output
    assert "https://" not in result.output


def test_without_a_terminal_of_its_own_an_error_stays_an_exception(tmp_path, monkeypatch):
    """In a notebook, and from Python."""
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    with pytest.raises(click.ClickException, match="the disk is full"):
        _raise(OSError(28, "No space left on device")).main([], standalone_mode=False)


def test_a_log_that_cannot_be_written_in_the_project_is_written_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "logs").write_text("")
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    file = cli.write_log(ValueError("x"))
    assert file.read_text().strip().endswith("ValueError: x") and tmp_path / "logs" not in file.parents


@pytest.mark.parametrize("words", ["compare aaaa bbbb", "reproduce aaaa", "new-task birds .", "run", "predict a.png"])
def test_a_command_that_finds_nothing_leaves_nothing(words, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("KEDRO_LOGGING_CONFIG", raising=False)
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "cross_modal_kd", *words.split()], cwd=here, capture_output=True, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    assert done.returncode and "error: " in done.stderr and "Traceback (" not in done.stderr
    assert "Using" not in done.stdout + done.stderr  # Kedro's logging configuration
    assert not list(here.iterdir()), list(here.iterdir())
    kept = list(temporary.glob("kedro-run-*"))
    assert len(kept) == (words == "run"), kept
    if words == "run":
        assert f"{here} lies in no project (no conf/base)" in done.stderr


def test_a_log_in_the_project_leaves_no_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    assert cli.write_log(ValueError("x")).parent == tmp_path / "logs"
    assert not list((tmp_path / "temporary").iterdir())


VALUES = {
    "training": {"patience": None, "lr": 1e-05, "epochs": 3},
    "comparison": {"seeds": [0, 1, 2], "arms": ["none", "a, b"], "arm_seeds": {}},
    "sources": {"mine": {"root": "/a b/it's, [here]=1", "options": None}},
    "quality": {"on": True, "words": ["null", "1e-3", "yes", "~", "", "01", "a: b", "#x", "a\nb", 'say "x"']},
    "distillation": {"arm": "\\", "baseline": "a\\", "other": ['\\"', "x"]},
    "data_root": "relative/path",
}


def test_the_recorded_command_asks_for_the_same_again():

    asked = {
        "pipeline_names": ["b", "a"],
        "env": "test",
        "tags": ("x",),
        "node_names": ("a b", "c"),
        "runner": "MyRunner",
    }
    asked |= {
        "load_versions": {"x": "2026-01-01T00.00.00.000Z"},
        "only_missing_outputs": True,
        "runtime_params": VALUES,
    }
    typed = shlex.split(command(asked))
    assert typed[:2] == ["kedro", "run"]
    found = cli.run.make_context("run", typed[2:]).params
    assert found["params"] == VALUES
    assert (found["pipelines"], found["env"], found["runner"]) == (["a", "b"], "test", "MyRunner")
    assert (found["tags"], found["node_names"], found["only_missing_outputs"]) == (["x"], ["a b", "c"], True)
    assert found["load_versions"] == asked["load_versions"]
    assert "None" not in command(asked) and "True" not in command(asked)


@pytest.mark.parametrize(("words", "helps"), [("no space left", True), ("damaged; `kedro run -p x` makes it", False)])
def test_kedros_advice_is_in_the_error_where_it_helps_and_nowhere_else(monkeypatch, caplog, words, helps):
    def fails(**_):
        logging.getLogger("kedro.runner.sequential_runner").warning(
            "There are 2 nodes that have not run.\nYou can resume the pipeline run from the nearest nodes with "
            'persisted inputs by adding the following argument to your previous command:\n  --from-nodes "a, b"\n'
        )
        raise OSError(words)

    monkeypatch.setattr(cli.run, "callback", fails)
    with cli.run.make_context("run", []) as context, pytest.raises(cli.Told) as raised:
        cli.run.invoke(context)
    assert ('--from-nodes "a, b" goes on from there' in str(raised.value)) == helps
    assert "You can resume" not in caplog.text


def test_what_kedro_says_to_no_hook_is_in_the_command_too(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(cli.run, "callback", lambda **_: seen.append(command({"runtime_params": {"a": 1}})))
    given = [f"--conf-source={tmp_path}", "--async", "--runner-params=max_workers=4,is_async=true"]
    for typed in (given, []):
        with cli.run.make_context("run", [*typed, "--params=a=1"]) as context:
            cli.run.invoke(context)
    again = shlex.split(seen[0])
    assert again == ["kedro", "run", *given, "--params=a=1"] and seen[1] == "kedro run --params=a=1"
    found = cli.run.make_context("run", again[2:]).params
    assert found["conf_source"] == str(tmp_path) and found["is_async"]
    assert found["runner_params"] == {"max_workers": 4, "is_async": True}


def test_kedros_own_runner_is_not_in_the_command():
    assert command({"runner": "<kedro.runner.sequential_runner.SequentialRunner object at 0x7f>"}) == "kedro run"
    assert command({"runner": "<mine.Careful object at 0x7f>"}) == "kedro run --runner=Careful"


@pytest.mark.parametrize("typed", ["a", "=1", "a=[1", "a={b: 1"])
def test_a_parameter_that_cannot_be_read_is_refused(typed):
    with pytest.raises(cli.Told, match="--params"):
        cli.run.make_context("run", [f"--params={typed}"])


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("training.lr=0,005", "found training.lr=0,005; a number has a decimal point: training.lr=0.005"),
        ("a=b,training.lr=-1,5e-3", "decimal point: training.lr=-1.5e-3 (and a list brackets: training.lr=[-1,5e-3])"),
        ("score.inputs=a,b", "found score.inputs=a,b; a list has brackets: score.inputs=[a,b]"),
        ("a.b=1,c=2,a.b=3", "--params: a.b is given 2 times, and one value counts: leave one"),
        ("005", "--params: expected key=value, several parted by commas; found '005'"),
        (
            "x=a],b",
            "expected key=value, several parted by commas; found 'b'",
        ),  # a list was meant, of which it is unknown
    ],
)
def test_a_comma_within_a_value_is_told_with_what_was_meant(typed, message):
    with pytest.raises(cli.Told) as told:
        cli.run.make_context("run", [f"--params={typed}"])
    assert told.value.message.startswith("--params: ") and told.value.message.endswith(message)


@pytest.mark.slow
def test_the_installed_package_tells_it_too(project_path):
    done = subprocess.run(
        [sys.executable, "-m", "cross_modal_kd", "--env=test", "--pipelines=distil"],
        cwd=project_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "Did you mean 'distill'" in done.stderr and "Traceback (most" not in done.stderr
