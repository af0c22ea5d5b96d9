"""How a run ends, and that it is alone while it lasts: real sessions, two of them in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cross_modal_kd.hooks.ends import EndsHook, Stopped, check_runner
from cross_modal_kd.storage import HeldError, Lock

SLOW = """
import sys, time
from cross_modal_kd.training import loop
whole = loop.train_epoch
def slow(*args):
    print("epoch", flush=True)
    time.sleep(60)
    return whole(*args)
loop.train_epoch = slow
from kedro.framework.cli import main
sys.argv = ["kedro", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("runner", ["ThreadRunner", "ParallelRunner"])
def test_a_runner_that_gives_other_results_is_refused_before_any_node_runs(run_kedro, runner):
    from kedro import runner as runners

    with pytest.raises(ValueError, match=rf"--runner={runner}.*SequentialRunner"):
        run_kedro("ingestion", runner=getattr(runners, runner)())
    assert not run_kedro.data_root.exists()
    check_runner("<kedro.runner.sequential_runner.SequentialRunner object>")


def test_a_run_is_refused_while_another_holds_the_task_and_reading_needs_no_lock(run_kedro_after, tmp_path):
    root = run_kedro_after.data_root.resolve()
    other = Lock(root / ".locks" / "test", "the task")
    other.acquire("kedro run --env=test")
    with pytest.raises(HeldError, match=r"the task 'test' in .*another run: .*kedro run --env=test"):
        run_kedro_after("projection")
    run_kedro_after("results", params={"results": {"docs_root": str(tmp_path / "docs")}})
    other.release()


def test_the_lock_is_given_back_after_an_error(run_kedro):
    for _ in range(2):
        with pytest.raises(Exception, match="samples"):
            run_kedro("projection")
    assert not list(run_kedro.data_root.rglob(".locks/*/*.json"))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # nobody listens for a run that was refused


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.faults)])
def test_a_signal_ends_the_run_as_killed_and_says_how_to_go_on(distilled, tmp_path, tracking_uri, project_path, number):
    import shutil

    import mlflow

    root = tmp_path / "data"
    shutil.copytree(distilled, root)
    arguments = ["run", "--env=test", "--pipelines=distillation", f"--params=data_root={root},training.seed=7"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments],
        cwd=project_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "500", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line.endswith("epoch\n"):  # a progress bar may stand before it
            break
    process.send_signal(number)
    said.append(process.communicate(timeout=60)[0])
    assert process.returncode == 128 + number, "".join(said)
    flat = "".join("".join(said).split())
    assert f"kedrorun--pipelines=distillation--env=test--params=data_root={root},training.seed=7" in flat
    runs = mlflow.MlflowClient(tracking_uri).search_runs(["1"])
    assert [run.info.status for run in runs] == ["KILLED"]
    assert not list(root.rglob(".locks/*/*.json"))


def test_a_worker_that_inherits_the_handler_dies_of_the_signal_and_the_run_stops_at_its_next_node_at_the_latest():
    hook = EndsHook()
    hook.before_pipeline_run({"runner": "SequentialRunner"})
    assert signal.getsignal(signal.SIGTERM) == hook._stop  # else the signal ends the tests
    try:
        with pytest.raises(Stopped) as stopped:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        assert stopped.value.code == 143
        with pytest.raises(Stopped):
            hook.before_node_run()
        hook._process = -1
        worker = os.fork()
        if worker == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(worker, 0)[1]) == signal.SIGTERM
    finally:
        hook.on_pipeline_error()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_stop_that_a_destructor_swallows_is_not_lost():
    class Swallows:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)

    hook = EndsHook()
    hook.before_pipeline_run({"runner": "SequentialRunner"})
    assert signal.getsignal(signal.SIGTERM) == hook._stop  # else the signal ends the tests
    try:
        with pytest.raises(Stopped):  # noqa: PT012
            swallows = Swallows()
            del swallows
            time.sleep(10)
    finally:
        hook.on_pipeline_error()


def test_what_something_else_wrote_over_a_saved_file_is_not_loaded(tmp_path):
    from kedro.io import DataCatalog
    from kedro_datasets.json import JSONDataset

    from cross_modal_kd.hooks.one_writer import OneWriterHook

    hook = OneWriterHook()
    hook._catalog = DataCatalog({"metrics": JSONDataset(filepath=str(tmp_path / "metrics.json"))})
    hook._catalog.save("metrics", {"eer": 1})
    hook.after_dataset_saved("metrics")
    hook.before_dataset_loaded("metrics")
    Path(tmp_path / "metrics.json").write_text('{"eer": 2}   ')
    with pytest.raises(RuntimeError, match=r"metrics.json is not what this run has saved"):
        hook.before_dataset_loaded("metrics")
    tmp_path.joinpath("metrics.json").unlink()
    with pytest.raises(RuntimeError, match=r"metrics.json is gone, which this run.*removed or renamed.*Put it back"):
        hook.before_dataset_loaded("metrics")
