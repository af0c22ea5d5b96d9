"""A grid of trainings: what is done is not done again, and what has changed is."""

import json

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.grid import Job, grid_jobs, refresh_embeddings, run_grid
from cross_modal_kd.training.checkpoint import save_state

WEIGHT = "student.embedding.1.weight"
STUDENT = StudentConfig(encoder={"library": "timm", "name": "resnet10t"})
TRAINING = TrainingConfig()
SOFT = {"feature": {"kind": "cosine", "margin": 0.2}}
ARMS = ArmsConfig({"none": {}, "soft": {"constraints": SOFT}, "hard": {"constraints": {"f": {"kind": "cosine"}}}})
JOBS = grid_jobs(ComparisonConfig(arms=["none", "soft"], seeds=[0, 1]), ARMS, STUDENT, TRAINING)


class Trainer:
    """Trains in no time and counts; fails at the job it is told to."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.names, self.embedded, self.fail_at = [], [], fail_at

    def train(self, job, checkpoint):
        if len(self.names) == self.fail_at:
            raise KeyboardInterrupt
        self.names.append(f"{job.arm} {job.seed}")
        history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "dev_eer": [0.3, np.nan]})
        about = {"encoder": {"library": "timm", "name": "x"}, "inputs": {}, "dim": 2, "classes": ["a", "b"]}
        return ModelBundle("student", about, {WEIGHT: np.full((2, 1), job.seed, dtype=np.float32)}), history

    def embed(self, job, student, ids=("a", "b")):
        self.embedded.append(job.arm)
        return EmbeddingTable(list(ids), np.full((len(ids), 2), job.seed), "f")

    def run(self, store, jobs=JOBS, data="d"):
        return run_grid(jobs, store, data, self.train, self.embed)


def test_every_job_leaves_a_student_its_embeddings_history_and_metrics(tmp_path):
    outcomes = Trainer().run(tmp_path)
    assert [outcome.job for outcome in outcomes] == JOBS
    last = outcomes[-1]
    assert last.metrics["loss"] == 1 and last.metrics["dev_eer"] == 0.3 and last.metrics["train_seconds"] >= 0
    assert last.student.tensors[WEIGHT].tolist() == [[1], [1]]
    assert last.embeddings.at(["b"]).tolist() == [[1, 1]]
    assert last.history["loss"].tolist() == [2, 1]


def test_every_training_is_a_child_run_that_names_what_tells_it_from_the_others(tmp_path, tracking_uri):
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    with mlflow.start_run(experiment_id="0") as parent:
        Trainer().run(tmp_path / "store")
    children = {
        (run.data.params["arm"], run.data.params["training.seed"]): run.data
        for run in mlflow.MlflowClient(tracking_uri).search_runs(["0"])
        if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    }
    assert len(children) == 4
    soft = children["soft", "1"]
    assert soft.params["constraints.feature.margin"] == "0.2" and soft.params["projection"] == "mlp"
    assert "constraints.feature.margin" not in children["none", "0"].params
    assert soft.metrics["training/dev_eer"] == 0.3
    assert set(soft.metrics) == {"training/dev_eer", "training/epoch", "training/loss", "seconds/training"}


def test_what_a_study_varies_does_not_hide_what_the_arm_is():
    job = Job("soft", ARMS.get("soft"), STUDENT, TRAINING, {"projection": "ab12", "folds": 5})
    assert job.told_apart["projection"] == "mlp" and job.told_apart["condition"] == {"projection": "ab12", "folds": 5}
    assert "condition" not in Job("soft", ARMS.get("soft"), STUDENT, TRAINING).told_apart


def test_what_is_done_is_taken_as_it_is(tmp_path):
    Trainer().run(tmp_path)
    again = Trainer()
    outcomes = again.run(tmp_path)
    assert not again.names and not again.embedded and len(outcomes) == 4


def test_an_interrupted_grid_goes_on_where_it_was(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Trainer(fail_at=2).run(tmp_path)
    again = Trainer()
    again.run(tmp_path)
    assert again.names == ["none 1", "soft 1"]


def test_a_training_that_is_asked_for_twice_is_done_once(tmp_path):
    trainer = Trainer()
    outcomes = trainer.run(tmp_path, [JOBS[0], JOBS[1], JOBS[0]])
    assert trainer.names == ["none 0", "soft 0"] and outcomes[0] == outcomes[2]


def test_metrics_that_were_half_written_do_not_count_as_done(tmp_path, monkeypatch):
    monkeypatch.setattr(json, "dumps", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Trainer().run(tmp_path)
    monkeypatch.undo()
    again = Trainer()
    again.run(tmp_path)
    assert len(again.names) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"config": ArmConfig(constraints={"feature": {"kind": "cosine", "margin": 0.3}})},
        {"student": STUDENT.model_copy(update={"margin": 0.1})},
        {"training": TRAINING.model_copy(update={"seed": 9})},
        {"training": TRAINING.model_copy(update={"lr": 0.1})},
        {"condition": {"share": 0.5}},
    ],
)
def test_whatever_decides_a_result_is_in_its_key(change):
    job = Job("soft", ARMS.get("soft"), STUDENT, TRAINING)
    assert Job(**(vars(job) | change)).key("d") != job.key("d") != job.key("other")
    titled = Job(**(vars(job) | {"config": ARMS.get("soft").model_copy(update={"title": "T"})}))
    assert titled.key("d") == job.key("d")


def test_only_embeddings_of_other_samples_are_made_again(tmp_path):
    outcomes, again = Trainer().run(tmp_path), Trainer()
    refresh_embeddings(outcomes, ["b", "a"], again.embed)
    assert not again.embedded
    refresh_embeddings(outcomes, ["a", "c"], lambda job, student: again.embed(job, student, ("a", "c")))
    assert len(again.embedded) == 4
    assert outcomes[0].embeddings.sample_ids == ["a", "c"]


def test_the_grid_is_arms_by_projections_by_seeds_and_the_student_alone_once_a_seed():
    comparison = ComparisonConfig(arms=["none", "soft"], projections=["mlp", "pca", "own"], seeds=[3, 4])
    jobs = grid_jobs(comparison, ARMS, STUDENT, TRAINING)
    assert [(job.arm, job.config.projection, job.seed) for job in jobs] == [
        (arm, projection, seed)
        for seed in (3, 4)
        for arm, projection in (("none", "mlp"), ("soft", "mlp"), ("soft", "pca"))
    ]
    fewer = grid_jobs(comparison.model_copy(update={"projection_seeds": 1}), ARMS, STUDENT, TRAINING)
    assert [(job.config.projection, job.seed) for job in fewer if job.arm == "soft"] == [
        ("mlp", 3),
        ("pca", 3),
        ("mlp", 4),
    ]
    once = grid_jobs(comparison.model_copy(update={"arm_seeds": {"soft": 1}}), ARMS, STUDENT, TRAINING)
    assert [(job.arm, job.seed) for job in once] == [("none", 3), ("soft", 3), ("soft", 3), ("none", 4)]
    with pytest.raises(ValueError, match="arm 'x' is not in the block 'arms'"):
        grid_jobs(ComparisonConfig(arms=["none", "x"]), ARMS, STUDENT, TRAINING)


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def cut(file):
    file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize("damage", [flip, cut, lambda file: file.unlink()])
@pytest.mark.parametrize("name", ["metrics.json", "history.csv", "student/model.safetensors", "student/config.json"])
def test_a_finished_job_whose_files_are_damaged_is_trained_again_with_a_warning(tmp_path, caplog, damage, name):
    folder = Trainer().run(tmp_path)[0].folder
    damage(folder / name)
    again = Trainer()
    outcomes = again.run(tmp_path)
    assert again.names == ["none 0"] and outcomes[0].metrics["loss"] == 1
    assert name == "metrics.json" or "is trained again" in caplog.text
    assert not Trainer(fail_at=0).run(tmp_path)[0].student.tensors[WEIGHT].any()


@pytest.mark.parametrize("damage", [flip, cut, lambda file: file.unlink()])
def test_damaged_embeddings_of_a_finished_job_are_made_again_and_the_student_is_not(tmp_path, caplog, damage):
    outcomes, again = Trainer().run(tmp_path), Trainer()
    damage(outcomes[0].folder / "embeddings" / "values.safetensors")
    refresh_embeddings(outcomes, ["a", "b"], again.embed)
    assert again.embedded == ["none"] and not again.names and "is embedded again" in caplog.text
    assert outcomes[0].embeddings.at(["b"]).tolist() == [[0, 0]]


def test_the_seconds_of_a_training_that_was_interrupted_are_the_whole_time(tmp_path):
    class Resumed(Trainer):
        def train(self, job, checkpoint):
            if not checkpoint.exists():
                save_state(checkpoint, {"progress": {"history": [{"seconds": 40.0}, {"seconds": 2.0}]}})
                raise KeyboardInterrupt
            return super().train(job, checkpoint)

    with pytest.raises(KeyboardInterrupt):
        Resumed().run(tmp_path, JOBS[:1])
    (outcome,) = Resumed().run(tmp_path, JOBS[:1])
    assert 42 <= outcome.metrics["train_seconds"] < 60
