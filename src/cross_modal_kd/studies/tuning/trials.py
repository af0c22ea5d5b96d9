"""Trials of the search: trainings without the test split, each worth its best dev value (imports torch)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import ArmConfig, StudentConfig, TaskConfig, TrainingConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import train_classes
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.labelled import labelled_clusters, labelled_part
from cross_modal_kd.studies.tuning.config import LabelledConfig, TuningConfig
from cross_modal_kd.studies.tuning.search import configured, make_storage, search_arm, summary, with_value
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import ArmData, fit_projection, run_key, train_arm


@dataclass(frozen=True)
class Trials:
    """What all trials of a search share.

    Attributes:
        data: what is trained on and measured on dev.
        student: the student's network.
        budget: the training, but for its seed.
        projections: of the teacher, by kind.
        metric: the history's column that a trial is worth.
        larger: whether more of it is better.
        fingerprint: run key of the data, with all blocks but the arm's.
    """

    data: ArmData
    student: StudentConfig
    budget: TrainingConfig
    projections: Mapping[str, ModelBundle]
    metric: str
    larger: bool
    fingerprint: str

    def measure(self, arm: ArmConfig, seed: int, report: Callable[[float, int], None]) -> float:
        """The best dev value of a training of ``arm``.

        Args:
            arm: under trial.
            seed: of the training.
            report: given each dev value as it comes, with its epoch (from 1); it may raise to stop.

        Returns:
            The dev metric at its best epoch, in [0, 1].
        """

        def watch(row: dict[str, float], epoch: int) -> None:
            if self.metric in row:
                report(row[self.metric], epoch)

        _, history = train_arm(
            self.data,
            self.student,
            self.budget.model_copy(update={"seed": seed}),
            arm,
            self.projections[arm.projection],
            name="trial",
            watch=watch,
        )
        known = history[self.metric].dropna()
        return float(known.max() if self.larger else known.min())

    def study_name(self, name: str, arm: ArmConfig, space: Any) -> str:
        """The arm's name and what decides its search.

        Args:
            name: of the arm.
            arm: as configured.
            space: range of each dotted key.

        Returns:
            ``<arm>-<run key>``.
        """
        return f"{name}-{run_key('search', trials=self.fingerprint, arm=arm, space=space)}"


def prepare(context: Context, tuning: TuningConfig) -> Trials:
    """Everything but the test split, of which ``tuning.labelled`` may hold labels back.

    Args:
        context: of all studies.
        tuning: the length of a trial, and how many labels are known.

    Returns:
        What the trials of all arms share.
    """
    about, visible = context.configuration, context.samples[context.samples["split"] != "test"]
    data, projections = context.data_of(visible), context.projections
    if tuning.labelled is not None:
        data, projections = _hold_labels_back(context, visible, data, tuning.labelled)
    budget = shortened(about.training, tuning.epochs)
    fingerprint = run_key(
        "student",
        data=context.fingerprint_of(visible, projections),
        student=about.student,
        training=budget,
        labelled=tuning.labelled,
    )
    return Trials(
        data=data,
        student=about.student,
        budget=budget,
        projections=projections,
        metric=kind_of(context.task).dev_metric,
        larger=kind_of(context.task).larger_is_better,
        fingerprint=fingerprint,
    )


def shortened(training: TrainingConfig, epochs: int | None) -> TrainingConfig:
    """The training with that many epochs, measured on dev twice at least where it has two.

    Args:
        training: of the comparison.
        epochs: of a trial, above 0; None for the training's own.

    Returns:
        A copy, in which ``eval_every`` is half the epochs at most (1 at least).
    """
    steps = {"min_steps": None, "steps": None} if epochs is not None else {}
    epochs = epochs or training.epochs
    every = max(1, min(training.eval_every, epochs // 2))
    return training.model_copy(update={"epochs": epochs, "eval_every": every, **steps})


def _hold_labels_back(
    context: Context, visible: pd.DataFrame, data: ArmData, labelled: LabelledConfig
) -> tuple[ArmData, dict[str, ModelBundle]]:
    """The data with the labels that are kept and their classes, and projections fitted on labelled samples alone."""
    task = context.task
    kept = labelled_clusters(visible, task, labelled.share, labelled.draw)
    part = labelled_part(visible, task, kept)
    data = replace(data, classes=train_classes(part, task))
    labels = np.where(kind_of(task).clusters(data.train).isin(kept), data.labels, -1)
    data = replace(data, known=labels, labelled_share=labelled.in_batch)
    projections = {}
    for kind in context.projections:
        config = context.configuration.projection.model_copy(update={"kind": kind})
        projections[kind] = fit_projection(part, task, context.teacher_embeddings, config)[0]
    return data, projections


def search_every_arm(context: Context, tuning: TuningConfig, store: Path) -> tuple[pd.DataFrame, dict[str, ArmConfig]]:
    """A row a trial of every arm, and each arm with its best values.

    Args:
        context: of all studies.
        tuning: what is searched, and for how long.
        store: an existing folder; the studies lie in its ``studies.db``.

    Returns:
        The trials, in the columns of ``search.summary`` (a key that an arm does not search is NaN there), and the arms
        by name.

    Raises:
        ValueError: an arm or a key of ``tuning.space`` that is not there; before anything is trained.
    """
    for name, space in tuning.space.items():
        configured(context.arms.get(name), space)
    trials = prepare(context, tuning)
    make_storage(store / "studies.db")
    search = partial(_search, trials, tuning, store / "studies.db")
    named = {name: context.arms.get(name) for name in tuning.space}
    searched = context.engine.each(search, named.items(), on_gpu=True)
    found = dict(progress_bar(searched, desc="tuning arms", total=len(named)))
    tables, tuned = zip(*(found[name] for name in named), strict=True)
    return pd.concat(tables, ignore_index=True), dict(zip(named, tuned, strict=True))


def _search(
    trials: Trials, tuning: TuningConfig, storage: Path, named: tuple[str, ArmConfig]
) -> tuple[str, tuple[pd.DataFrame, ArmConfig]]:
    """The name of an arm, its trials, and the arm with its best values. Each trial goes by those before it."""
    name, arm = named
    space = tuning.space[name]
    study = search_arm(
        name,
        arm,
        space,
        tuning,
        trials.measure,
        storage,
        trials.study_name(name, arm, space),
        larger_is_better=trials.larger,
    )
    return name, (summary(name, study, trials.larger), _with_values(arm, study.best_params))


def _with_values(arm: ArmConfig, values: Mapping[str, Any]) -> ArmConfig:
    """The arm with these dotted keys set, numbers to four decimals."""
    for key, value in values.items():
        arm = with_value(arm, key, round(value, 4) if isinstance(value, float) else value)
    return arm


def tuned_arms_file(tuned: Mapping[str, ArmConfig], task: TaskConfig, tuning: TuningConfig) -> str:
    """The tuned arms as a parameters file, without what is at its default and was not searched.

    A searched key is written even at its default: in an environment the file is laid over the arms of conf/base.

    Args:
        tuned: the arms with their best values, by name; all of them in ``tuning.space``.
        task: named at the top.
        tuning: which keys were searched, in how many trials.

    Returns:
        YAML: a comment, and the block ``arms``.
    """
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
