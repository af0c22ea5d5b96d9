"""A grid of trainings: each one a folder that is written once and never trained again (imports torch lazily)."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.datasets import EmbeddingTableDataset, ModelDataset
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.pipelines.tracking import child_run
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.tracking.flatten import as_metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One training of a grid. ``setting`` is what a study varies beside the arm and the seed (a share, a level)."""

    arm: str
    config: ArmConfig
    student: StudentConfig
    training: TrainingConfig
    setting: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.training.seed

    @property
    def settings(self) -> dict[str, Any]:
        """What tells this training from the others of its grid, by the names that the parameters have."""
        seeded = {"training": {"seed": self.seed, "epochs": self.training.epochs}}
        return {"arm": self.arm, **self.config.model_dump(exclude={"title"}), **seeded, **self.setting}

    def key(self, data: str) -> str:
        """SHA-256 of everything that decides the result; ``data`` is the fingerprint of the data."""
        configs = [self.config.model_dump(exclude={"title"}), self.student.model_dump(), self.training.model_dump()]
        text = json.dumps([data, dict(self.setting), *configs], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Outcome:
    """What a job left: figures, history, the student and its embeddings, each read from its folder when asked for."""

    job: Job
    folder: Path
    figures: dict[str, float]

    @property
    def student(self) -> ModelBundle:
        return ModelDataset(filepath=(self.folder / "student").as_posix()).load()

    @property
    def embeddings(self) -> EmbeddingTable:
        return EmbeddingTableDataset(filepath=(self.folder / "embeddings").as_posix()).load()

    @property
    def history(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "history.csv")


Train = Callable[[Job, Path], tuple[ModelBundle, pd.DataFrame]]
Embed = Callable[[Job, ModelBundle], EmbeddingTable]


def run_grid(jobs: Iterable[Job], store: Path, data: str, train: Train, embed: Embed) -> list[Outcome]:
    """Every job in turn, skipping those whose folder is complete; an interrupted one resumes from its checkpoint.

    train: (job, checkpoint file) -> (student, history). embed: the embeddings to keep of it. Each training is a child
    run of the current MLflow run.
    """
    jobs = list(jobs)
    outcomes = []
    for number, job in enumerate(jobs, 1):
        folder = store / f"{job.arm}-{job.config.projection}-seed{job.seed}-{job.key(data)}"
        done = folder / "figures.json"
        if done.exists():
            logger.info("%d of %d: %s is done, taken as it is", number, len(jobs), folder.name)
        else:
            logger.info("%d of %d: %s", number, len(jobs), folder.name)
            tags = {"arm": job.arm, "head": job.config.projection, "seed": job.seed, **job.setting}
            with child_run(f"{job.arm} {job.config.projection} seed {job.seed}", tags) as run:
                if run is not None:
                    run.params(job.settings)
                started = time.perf_counter()
                student, history = train(job, folder / "checkpoint.safetensors")
                seconds = time.perf_counter() - started
                ModelDataset(filepath=(folder / "student").as_posix()).save(student)
                EmbeddingTableDataset(filepath=(folder / "embeddings").as_posix()).save(embed(job, student))
                history.to_csv(folder / "history.csv", index=False)
                figures = {"train_seconds": seconds, **_last_known(history)}
                partial = done.with_suffix(".tmp")
                partial.write_text(json.dumps(figures, indent=2))
                partial.replace(done)
                if run is not None:
                    run.metrics(as_metrics(figures))
        outcomes.append(Outcome(job, folder, json.loads(done.read_text())))
    return outcomes


def refresh_embeddings(outcomes: Iterable[Outcome], sample_ids: Iterable[str], embed: Embed) -> None:
    """Embed again with every student whose stored embeddings are of other samples than these."""
    wanted = set(sample_ids)
    for outcome in outcomes:
        if set(outcome.embeddings.sample_ids) != wanted:
            table = embed(outcome.job, outcome.student)
            EmbeddingTableDataset(filepath=(outcome.folder / "embeddings").as_posix()).save(table)


def _last_known(history: pd.DataFrame) -> dict[str, float]:
    """The last value of every column of a history, and the best dev metric under its own name."""
    return {str(name): float(column.dropna().iloc[-1]) for name, column in history.items() if column.notna().any()}
