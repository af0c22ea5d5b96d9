"""A grid of trainings: each one a folder that is written once and never trained again (imports torch lazily)."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.compute import LOCAL, Engine
from cross_modal_kd.config import ArmConfig, ArmsConfig, StudentConfig, TrainingConfig
from cross_modal_kd.models import ModelBundle, load_bundle, save_bundle
from cross_modal_kd.samples import EmbeddingTable, load_table, save_table
from cross_modal_kd.storage import SUMS, NotReadableError, csv_text, read_csv, verify, write_whole
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.headline import remember_run
from cross_modal_kd.tracking import as_metrics, child_run

logger = logging.getLogger(__name__)

DONE = "metrics.json"


@dataclass(frozen=True)
class Job:
    """One training of a grid.

    Attributes:
        arm: its name in the block ``arms``.
        config: the arm, with the projection that it is trained under here.
        student: the student's network.
        training: with the seed of this training.
        condition: what a study varies beside the arm and the seed (a share, a level), by name.
    """

    arm: str
    config: ArmConfig
    student: StudentConfig
    training: TrainingConfig
    condition: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """Of the student's start and of the order of its batches."""
        return self.training.seed

    @property
    def told_apart(self) -> dict[str, Any]:
        """What tells this training from the others of its grid, by the names of the parameters."""
        seeded = {"training": {"seed": self.seed, "epochs": self.training.epochs}}
        varied = {"condition": dict(self.condition)} if self.condition else {}
        return {"arm": self.arm, **self.config.model_dump(exclude={"title"}), **seeded, **varied}

    def key(self, data: str) -> str:
        """The run key of the training.

        Args:
            data: run key of the data.

        Returns:
            16 hexadecimal digits of SHA-256; the arm's title does not count.
        """
        from cross_modal_kd.training import run_key

        arm = self.config.model_dump(exclude={"title"})
        return run_key(
            "student", data=data, condition=self.condition, arm=arm, student=self.student, training=self.training
        )


@dataclass(frozen=True)
class Outcome:
    """What a job left; student, embeddings and history are read from its folder each time they are asked for.

    Attributes:
        job: that was done.
        folder: what it left.
        metrics: ``train_seconds``, and the last value of every column of the history.
    """

    job: Job
    folder: Path
    metrics: dict[str, float]

    @property
    def student(self) -> ModelBundle:
        """The trained student, best on dev."""
        return load_bundle(self.folder / "student", ["student"])

    @property
    def embeddings(self) -> EmbeddingTable:
        """The student's embeddings of the samples that it is measured on."""
        return load_table(self.folder / "embeddings")

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch: epoch, loss, parts of the objective, the dev metric where it was looked at, lr, seconds."""
        return read_csv(self.folder / "history.csv")


def grid_jobs(grid: ComparisonConfig, arms: ArmsConfig, student: StudentConfig, training: TrainingConfig) -> list[Job]:
    """Arms x projections x seeds, seeds outermost, so that an interrupted study holds whole rounds of all arms.

    An arm without constraints needs no teacher: it is trained once a seed, whatever the projections.

    Args:
        grid: the arms, the projections and the seeds, and which arms take fewer.
        arms: the configuration of each arm.
        student: the network of every job.
        training: of every job, but for the seed.

    Returns:
        The jobs, none twice, in the order in which they are to be trained.

    Raises:
        ValueError: an arm that is not in the block ``arms``.
    """
    jobs: dict[tuple[str, str, int], Job] = {}
    for number, seed in enumerate(grid.seeds):
        budget = training.model_copy(update={"seed": seed})
        for name in grid.arms:
            arm = arms.get(name)
            if number >= grid.arm_seeds.get(name, len(grid.seeds)):
                continue
            for kind in _projections(grid, arm, number):
                config = arm.model_copy(update={"projection": kind})
                jobs.setdefault((name, kind, seed), Job(name, config, student, budget))
    return list(jobs.values())


def _projections(grid: ComparisonConfig, arm: ArmConfig, number: int) -> list[str]:
    """The projections that an arm is trained with under seed ``number``, counted from 0."""
    kinds = [arm.projection if named == "own" or not arm.constraints else named for named in grid.projections]
    all_of_them = number < (grid.projection_seeds or len(grid.seeds))
    return [kind for kind in kinds if all_of_them or kind == arm.projection]


Train = Callable[[Job, Path], tuple[ModelBundle, pd.DataFrame]]
Embed = Callable[[Job, ModelBundle], EmbeddingTable]


def run_grid(
    jobs: Iterable[Job], store: Path, data: str, train: Train, embed: Embed, engine: Engine = LOCAL
) -> list[Outcome]:
    """Every job, but those whose folder is complete; an interrupted one resumes from its checkpoint.

    A job whose files are damaged is done again, with a warning. Each training is a child run of the current MLflow run.

    Args:
        jobs: to be done, in this order.
        store: a folder of one folder a job, ``<arm>-<projection>-seed<seed>-<run key>``.
        data: run key of the data.
        train: (job, checkpoint file) -> (student, history).
        embed: (job, student) -> the embeddings to keep of it.
        engine: who trains; tasks write to the same store, and may ask for GPUs.

    Returns:
        The outcome of every job, in the order of the jobs.
    """
    jobs = list(jobs)
    folders = [store / f"{job.arm}-{job.config.projection}-seed{job.seed}-{job.key(data)}" for job in jobs]
    planned: dict[Path, _Planned] = {}
    for number, (job, folder) in enumerate(zip(jobs, folders, strict=True), start=1):
        planned.setdefault(folder, _Planned(job, folder, f"{number} of {len(jobs)}: {folder.name}"))
    left = [each for each in planned.values() if not _is_done(each.folder, each.name)]
    for name in engine.each(partial(_train_job, train, embed), left, on_gpu=True):
        logger.info("%s is done", name)
    return [
        Outcome(job, folder, json.loads((folder / DONE).read_text())) for job, folder in zip(jobs, folders, strict=True)
    ]


@dataclass(frozen=True)
class _Planned:
    """A job, the folder that it is to leave, and its name in the log."""

    job: Job
    folder: Path
    name: str


def _is_done(folder: Path, name: str) -> bool:
    """Whether the job has left all that it should, undamaged; what was damaged is trained again, with a warning.

    Embeddings are not looked at: the student can make them again, in ``refresh_embeddings``.
    """
    if not (folder / DONE).exists():
        return False
    try:
        verify(folder)
        json.loads((folder / DONE).read_text(encoding="utf-8"))
        read_csv(folder / "history.csv")
        load_bundle(folder / "student")
    except NotReadableError:
        raise
    except (ValueError, OSError) as error:
        logger.warning("%s is trained again: %s", name, error)
        return False
    logger.info("%s is done, taken as it is", name)
    return True


def _train_job(train: Train, embed: Embed, planned: _Planned) -> str:
    """Train, and leave all that an outcome has; the name that the job has in the log."""
    job, folder = planned.job, planned.folder
    logger.info(planned.name)
    folder.mkdir(parents=True, exist_ok=True)
    condition = {f"condition.{name}": value for name, value in job.condition.items()}
    tags = {"arm": job.arm, "projection": job.config.projection, "seed": job.seed, **condition}
    varied = "".join(f", {name} {value}" for name, value in job.condition.items())
    with child_run(f"{job.arm}, {job.config.projection}, seed {job.seed}{varied}", tags) as run:
        if run is not None:
            run.params(job.told_apart)
        started, before = time.perf_counter(), _seconds_so_far(folder / "checkpoint.safetensors")
        student, history = train(job, folder / "checkpoint.safetensors")
        seconds = time.perf_counter() - started + before
        save_bundle(folder / "student", student)
        save_table(folder / "embeddings", embed(job, student))
        metrics = {"train_seconds": seconds, **_last_known(history)}
        _write_figures(folder, history, metrics)
        if run is not None:
            run.metrics(as_metrics({_in_its_folder(name): value for name, value in metrics.items()}))
            remember_run(folder, run)
    return planned.name


def _in_its_folder(name: str) -> str:
    """As MLflow shows a last value: apart from the headline, which comes later, and times apart from losses."""
    seconds = {"train_seconds": "training", "seconds": "epoch"}
    return f"seconds/{seconds[name]}" if name in seconds else f"training/{name}"


def _seconds_so_far(checkpoint: Path) -> float:
    from cross_modal_kd.training import seconds_so_far

    return seconds_so_far(checkpoint)


def _write_figures(folder: Path, history: pd.DataFrame, metrics: Mapping[str, float]) -> None:
    """History and metrics with their checksums; the metrics come last, since they say that the job is done."""
    (folder / DONE).unlink(missing_ok=True)
    text = json.dumps(metrics, indent=2)
    files = {"history.csv": csv_text(history), DONE: text}
    sums = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
    for name, content in (("history.csv", files["history.csv"]), (SUMS, json.dumps(sums, indent=1)), (DONE, text)):
        write_whole(folder / name, content)


def train_grid(jobs: Iterable[Job], store: Path, context: Context, train: Train) -> list[Outcome]:
    """``run_grid`` on the data of a context; every outcome with embeddings of the samples that it is measured on.

    Args:
        jobs: to be done, in this order.
        store: a folder of one folder a job.
        context: its data are the jobs' data, its ``measured_samples`` are embedded, its ``engine`` trains.
        train: (job, checkpoint file) -> (student, history).

    Returns:
        The outcome of every job, in the order of the jobs.
    """

    def embed(_: Job, student: ModelBundle) -> EmbeddingTable:
        return context.embed(student)

    outcomes = run_grid(jobs, store, context.fingerprint, train, embed, context.engine)
    refresh_embeddings(outcomes, context.measured_samples, embed)
    return outcomes


def refresh_embeddings(outcomes: Iterable[Outcome], sample_ids: Iterable[str], embed: Embed) -> None:
    """Embed again with every student whose stored embeddings are of other samples than these, and store that instead.

    Args:
        outcomes: whose embeddings are looked at.
        sample_ids: the samples that embeddings must be of, in any order.
        embed: (job, student) -> embeddings of these samples.
    """
    wanted = set(sample_ids)
    for outcome in outcomes:
        if not _is_of(outcome, wanted):
            table = embed(outcome.job, outcome.student)
            save_table(outcome.folder / "embeddings", table)


def _is_of(outcome: Outcome, wanted: set[str]) -> bool:
    """Whether the stored embeddings are whole, and of these samples."""
    try:
        return set(outcome.embeddings.sample_ids) == wanted
    except NotReadableError:
        raise
    except (ValueError, OSError) as error:
        logger.warning("%s is embedded again: %s", outcome.folder.name, error)
        return False


def _last_known(history: pd.DataFrame) -> dict[str, float]:
    """The last value of every column of a history that is not NaN; a column of NaN alone is left out."""
    return {str(name): float(column.dropna().iloc[-1]) for name, column in history.items() if column.notna().any()}
