"""Each arm's few hyper-parameters, searched on the dev split with the same number of trials."""

from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.tuning.config import TuningConfig


def tune_arms(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    projection: ProjectionConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    tuning: TuningConfig,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
    tuning_store: Path,
) -> tuple[pd.DataFrame, str]:
    """All trials of all arms, and the arms with their best values as a configuration file to commit.

    The studies lie in ``tuning_store`` and are taken up where they were left. The test split is not read.
    """
    import hashlib
    from dataclasses import replace

    import numpy as np
    from tqdm import tqdm

    from cross_modal_kd.samples.selection import train_classes
    from cross_modal_kd.studies.labelled import labelled_part, labelled_units
    from cross_modal_kd.studies.tuning.search import configured, search_arm, summary, with_value
    from cross_modal_kd.tasks.dev import chosen_by
    from cross_modal_kd.tasks.subset import units
    from cross_modal_kd.training.projection import fit_head
    from cross_modal_kd.training.run_key import data_fingerprint
    from cross_modal_kd.training.student import read_arm_data, train_arm

    for name, space in tuning.space.items():
        configured(arms.get(name), space)  # a wrong name stops the search before it starts
    visible = samples[samples["split"] != "test"]
    projections = {"mlp": projection_mlp, "pca": projection_pca}
    data = read_arm_data(visible, task, sources, inputs, teacher_embeddings, sample_weights)
    labels = None
    if tuning.labelled is not None:
        kept = labelled_units(visible, task, tuning.labelled.share, tuning.labelled.draw)
        part = labelled_part(visible, task, kept)
        data = replace(data, classes=train_classes(part, task))
        labels = np.where(units(data.train, task).isin(kept), data.labels, -1)
        projections = {
            kind: fit_head(part, task, teacher_embeddings, projection.model_copy(update={"kind": kind}))[0]
            for kind in projections
        }
    metric, larger = f"dev_{chosen_by(task)}", task.kind == "classification"
    epochs = tuning.epochs or training.epochs
    budget = training.model_copy(update={"epochs": epochs, "eval_every": max(1, min(training.eval_every, epochs // 2))})

    def measure(arm: ArmConfig, seed: int, report) -> float:  # type: ignore[no-untyped-def]
        def watch(row: dict[str, float], epoch: int) -> None:
            if metric in row:
                report(row[metric], epoch)

        _, history = train_arm(
            data,
            student,
            budget.model_copy(update={"seed": seed}),
            arm,
            projections[arm.projection],
            name="trial",
            labels=labels,
            labelled_share=tuning.labelled.in_batch if tuning.labelled else None,
            watch=watch,
        )
        known = history[metric].dropna()
        return float(known.max() if larger else known.min())

    fingerprint = data_fingerprint(visible, task, inputs, teacher_embeddings, projections, sample_weights)
    setting = fingerprint + student.model_dump_json() + budget.model_dump_json()
    if tuning.labelled is not None:
        setting += tuning.labelled.model_dump_json() + projection.model_dump_json()
    tables, tuned = [], {}
    for name, space in tqdm(tuning.space.items(), desc="tuning arms"):
        arm = arms.get(name)
        key = hashlib.sha256((setting + arm.model_dump_json() + str(space)).encode()).hexdigest()[:12]
        study = search_arm(
            name, arm, space, tuning, measure, tuning_store / "studies.db", f"{name}-{key}", larger_is_better=larger
        )
        best = arm
        for path, value in study.best_params.items():
            best = with_value(best, path, round(value, 4) if isinstance(value, float) else value)
        tuned[name] = best
        tables.append(summary(name, study, larger))
    return pd.concat(tables, ignore_index=True), as_yaml(tuned, task, tuning)


def as_yaml(tuned: dict[str, ArmConfig], task: TaskConfig, tuning: TuningConfig) -> str:
    """The tuned arms as a parameters file, without what is at its default and was not searched.

    A searched key is written even at its default: in an environment the file is laid over the arms of conf/base.
    """
    import yaml

    content: dict[str, Any] = {}
    for name, arm in tuned.items():
        content[name] = arm.model_dump(exclude_defaults=True)
        for key in tuning.space[name]:
            *path, last = key.split(".")
            found, block = arm.model_dump(), content[name]
            for part in path:
                found, block = found[part], block.setdefault(part, {})
            block[last] = found[last]
    header = (
        f"# Written by `kedro run --pipeline=tuning` for the task {task.name}: {tuning.trials} trials an arm on the\n"
        "# dev split. Committed as the configuration that `comparison` and `distill` use.\n\n"
    )
    return header + yaml.safe_dump({"arms": content}, sort_keys=False, width=120)
