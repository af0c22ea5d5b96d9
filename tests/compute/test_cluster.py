"""Work as tasks: the same results, a dead worker is replaced, an error is the work's own, nothing waits for ever."""

import os
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import ray_work
from cross_modal_kd.compute import LOCAL, EngineError, engine_of
from cross_modal_kd.config import (
    ArmsConfig,
    ComputeConfig,
    EncoderConfig,
    IngestionConfig,
    InputConfig,
    StudentConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle, create_encoder
from cross_modal_kd.quality import measure_samples, table
from cross_modal_kd.samples import Roots, inspect_rows, inspection
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.grid import grid_jobs, run_grid
from cross_modal_kd.training import teacher
from quality_tables import MEASURES, SOURCES, TASK, emoji_samples

STUDENT = StudentConfig(encoder={"library": "timm", "name": "resnet10t"})
ARMS = ArmsConfig({"none": {}, "soft": {"constraints": {"feature": {"kind": "cosine", "margin": 0.2}}}})
JOBS = grid_jobs(ComparisonConfig(arms=["none", "soft"], seeds=[0, 1]), ARMS, STUDENT, TrainingConfig())

ROWS = pd.DataFrame({"value": range(7)}, index=[3, 1, 4, 15, 9, 2, 6])


def test_nothing_of_ray_is_needed_by_default():
    assert engine_of(ComputeConfig()) is LOCAL
    done = []
    assert [index for index, _ in LOCAL.over(ray_work.counts, ROWS, 3, done.append)] == [3, 4, 9, 6]
    assert sum(done) == 7 and list(LOCAL.each(str, [1, 2])) == ["1", "2"]


def test_without_ray_the_configuration_says_what_to_install(monkeypatch):
    monkeypatch.setattr("cross_modal_kd.config.compute.find_spec", lambda _: None)
    with pytest.raises(ValidationError, match=r"engine\n.*pip install '\.\[cluster\]'"):
        ComputeConfig(engine="ray")
    ComputeConfig()


@pytest.mark.parametrize("address", ["cluster", "http://a:1", "ray://", ""])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValidationError, match="address"):
        ComputeConfig(address=address)


@pytest.mark.parametrize("address", ["auto", None, "ray://head:10001", "10.0.0.5:6379"])
def test_addresses_are_those_that_ray_takes(address):
    assert ComputeConfig(address=address).address == address


@pytest.mark.slow
def test_rows_are_worked_on_in_parts_and_none_is_lost(ray_of_two_cores):
    done = []
    found = list(engine_of(ray_of_two_cores).over(ray_work.counts, ROWS, 3, done.append))
    assert sorted(index for index, _ in found) == sorted([3, 4, 15, 2, 6]) and sum(done) == 7


@pytest.mark.slow
def test_a_task_whose_worker_is_killed_is_done_again(ray_of_two_cores, tmp_path):
    marker = tmp_path / "died"
    found = engine_of(ray_of_two_cores).each(partial(ray_work.dies_once, marker), range(3))
    assert sorted(found) == [0, 10, 20] and marker.exists()


@pytest.mark.slow
def test_workers_that_always_die_end_the_run_in_words(ray_of_two_cores):
    with pytest.raises(EngineError, match=r"has died 2 times.*compute\.retries is 1.*goes on from there"):
        list(engine_of(ray_of_two_cores).each(ray_work.dies, [1]))


@pytest.mark.slow
@pytest.mark.parametrize(("key", "asked"), [("task_cpus", 64.0), ("task_gpus", 1.0)])
def test_more_than_the_cluster_has_is_refused_and_not_waited_for(ray_of_two_cores, key, asked):
    engine = engine_of(ray_of_two_cores.model_copy(update={key: asked}))
    with pytest.raises(EngineError, match=rf"compute\.{key} is {asked:g}, and the cluster has"):
        list(engine.each(str, [1], on_gpu=True))


def test_what_cannot_be_sent_is_said_in_words(ray_of_two_cores):
    engine, lock = engine_of(ray_of_two_cores), threading.Lock()
    for work, items in ((lambda item, held=lock: item, [1]), (str, [1, lock])):
        with pytest.raises(
            EngineError, match=r"cannot be sent to other processes \(cannot pickle '_thread.lock' object\)"
        ):
            list(engine.each(work, items))


def test_what_a_task_has_made_and_cannot_be_sent_is_said_in_words_and_its_own_fault_stays_its_own(ray_of_two_cores):
    engine = engine_of(ray_of_two_cores)
    with pytest.raises(EngineError, match=r"what a task has made cannot be sent .*_thread\.lock.*engine to local"):
        list(engine.each(ray_work.gives_a_lock, [1]))
    with pytest.raises(TypeError, match=r"^1 is no text$"):
        list(engine.each(ray_work.fails_by_its_own_fault, [1]))


@pytest.mark.slow
def test_a_grid_of_tasks_leaves_what_one_of_this_process_leaves(ray_of_two_cores, tmp_path, caplog):
    run = partial(run_grid, JOBS, data="d", train=ray_work.train, embed=ray_work.embed)
    here = run(store=tmp_path / "here")
    there = run(store=tmp_path / "there", engine=engine_of(ray_of_two_cores))
    assert [each.job for each in there] == [each.job for each in here] == JOBS
    assert [each.folder.name for each in there] == [each.folder.name for each in here]
    for one, other in zip(here, there, strict=True):
        pd.testing.assert_frame_equal(one.history, other.history)
        np.testing.assert_array_equal(one.embeddings.values, other.embeddings.values)
        np.testing.assert_array_equal(one.student.tensors[ray_work.WEIGHT], other.student.tensors[ray_work.WEIGHT])
        assert {**one.metrics, "train_seconds": 0} == {**other.metrics, "train_seconds": 0}
    with caplog.at_level("INFO"):
        assert run(store=tmp_path / "there", engine=engine_of(ray_of_two_cores)) == there
    assert caplog.text.count("is done, taken as it is") == 4


@pytest.mark.slow
def test_tasks_are_child_runs_of_the_run_that_asks_for_them(ray_of_two_cores, tmp_path, tracking_uri):
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    with mlflow.start_run(experiment_id="0") as parent:
        run_grid(JOBS[:2], tmp_path / "store", "d", ray_work.train, ray_work.embed, engine_of(ray_of_two_cores))
    children = mlflow.MlflowClient(tracking_uri).search_runs(
        ["0"], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert {(run.data.params["arm"], run.info.status) for run in children} == {
        ("none", "FINISHED"),
        ("soft", "FINISHED"),
    }
    assert all(run.data.metrics["training/dev_eer"] == 0.3 for run in children)


@pytest.mark.slow
def test_an_error_of_the_data_arrives_as_itself_with_the_workers_traceback_and_is_not_tried_again(
    ray_of_two_cores, tmp_path
):
    engine = engine_of(ray_of_two_cores)
    with pytest.raises(ValueError, match=r"^image 7 of seed 0 is damaged: take it out of the folder$") as raised:
        run_grid(JOBS[1:2], tmp_path, "d", ray_work.train_unless_damaged, ray_work.embed, engine)
    assert "train_unless_damaged" in str(raised.value.__cause__)


@pytest.mark.slow
def test_inspection_and_quality_and_embeddings_are_the_same_tables(ray_of_two_cores, tmp_path, monkeypatch):
    engine, samples = engine_of(ray_of_two_cores), emoji_samples()
    monkeypatch.setattr(table, "TASK", 7)
    monkeypatch.setattr(inspection, "TASK", 7)
    monkeypatch.setattr(teacher, "TASK", 7)
    roots, ingestion = Roots(SOURCES), IngestionConfig()
    look = partial(ray_work.look, roots, ingestion)
    candidates = samples.drop(columns=["sha256", "width", "height"], errors="ignore")
    for one, other in zip(
        inspect_rows(candidates, look, ingestion), inspect_rows(candidates, look, ingestion, engine=engine), strict=True
    ):
        pd.testing.assert_frame_equal(one, other)
    here = measure_samples(samples, MEASURES, roots)
    pd.testing.assert_frame_equal(measure_samples(samples, MEASURES, roots, engine=engine), here)
    cached = [measure_samples(samples, MEASURES, roots, cache=tmp_path, engine=engine) for _ in range(2)]
    for each in cached:
        pd.testing.assert_frame_equal(each, here)
    task, inputs = TASK.model_copy(update={"teacher": "image"}), InputConfig(image={"size": 16})
    encoder = EncoderConfig(library="timm", name="test_resnet")
    about = {"encoder": encoder.model_dump()}
    bundle = ModelBundle("pretrained", about, create_encoder(encoder, inputs).state_dict())
    one, other = (
        teacher.embed_teacher(samples, task, SOURCES, inputs, bundle, tmp_path / name, "cpu", who)
        for name, who in (("here", LOCAL), ("there", engine))
    )
    assert one.sample_ids == other.sample_ids and one.fingerprint == other.fingerprint
    np.testing.assert_allclose(one.values, other.values, atol=1e-6)


ENDS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(77))
from cross_modal_kd.compute import engine_of
from cross_modal_kd.config import ComputeConfig
assert list(engine_of(ComputeConfig(engine="ray", address=None)).each(str, [1])) == ["1"]
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""


@pytest.mark.slow
def test_a_run_with_a_ray_of_its_own_still_hears_that_it_is_to_end():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run([sys.executable, "-c", ENDS], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 77, done.stderr
