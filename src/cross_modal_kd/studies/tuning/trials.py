"""Trials of the search: trainings without the test split, each worth its best dev value (imports torch)."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.config import ArmConfig, ArmsConfig, KnownLabels, StudentConfig, TaskConfig, TrainingConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import train_classes
from cross_modal_kd.studies.arm_keys import block_of, content_of
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.measure import of_kind
from cross_modal_kd.studies.tuning.config import LabelledConfig, SearchRange, TuningConfig
from cross_modal_kd.studies.tuning.search import configured, make_storage, search_arm, summary, with_value
from cross_modal_kd.tasks import kind_of, names_classes
from cross_modal_kd.training import (
    ArmData,
    fit_projection,
    hold_labels_back,
    labelled_clusters,
    labelled_part,
    run_key,
    same_steps,
    told_by_teacher,
    train_arm,
)

logger = logging.getLogger(__name__)


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
        alone: the labelled samples, for arms that learn from no others, and as many steps on them; None: ``data``.
    """

    data: ArmData
    student: StudentConfig
    budget: TrainingConfig
    projections: Mapping[str, ModelBundle]
    metric: str
    larger: bool
    fingerprint: str
    alone: tuple[ArmData, TrainingConfig] | None = None

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

        data, budget = (
            (self.data, self.budget) if arm.learns_from_unlabelled else self.alone or (self.data, self.budget)
        )
        _, history = train_arm(
            data,
            self.student,
            budget.model_copy(update={"seed": seed}),
            arm,
            of_kind(self.projections, arm.projection),
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


def prepare(context: Context, tuning: TuningConfig, share: float = 1.0) -> Trials:
    """Everything but the test split, with the labels of that share of the training clusters.

    Args:
        context: of all studies.
        tuning: the length of a trial, and which labels are known.
        share: in [0, 1]; 1 holds none back.

    Returns:
        What the trials of all arms share.
    """
    about, visible = context.configuration, context.samples[context.samples["split"] != "test"]
    data, projections, alone = context.data_of(visible), context.projections, None
    budget = shortened(about.training, tuning.epochs)
    labelled = None if tuning.labelled is None else tuning.labelled.at(share)
    if tuning.labelled is not None and labelled is not None:
        data, projections, part = _hold_labels_back(context, visible, data, tuning.labelled, share)
        if part is not None:
            known = int((data.labels >= 0).sum())
            alone = context.data_of(part), same_steps(budget, len(data.train), known)
    drawn = {name: getattr(tuning, name) for name in ("seed", "repeats")}
    fingerprint = run_key(
        "student",
        data=context.fingerprint_of(visible, projections),
        student=about.student,
        training=budget,
        labelled=labelled,
        # what is at its default is left out, so that older keys stay
        **{name: value for name, value in drawn.items() if value != TuningConfig.model_fields[name].default},
    )
    return Trials(
        data=data,
        student=about.student,
        budget=budget,
        projections=projections,
        metric=kind_of(context.task).dev_metric,
        larger=kind_of(context.task).larger_is_better,
        fingerprint=fingerprint,
        alone=alone,
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
    context: Context, visible: pd.DataFrame, data: ArmData, labelled: LabelledConfig, share: float
) -> tuple[ArmData, dict[str, ModelBundle], pd.DataFrame | None]:
    """The data with the labels that are kept and their classes, projections fitted on labelled samples, and these.

    Without any label the fixed projection alone is there, whose directions were found without one; of a classification
    its prototypes are the words of the classes.
    """
    task = context.task
    if not share:
        unlabelled = replace(data, known=np.full(len(data.train), -1))
        return unlabelled, {"pca": context.projection_without_labels}, None
    kept = labelled_clusters(visible, task, share, labelled.draw)
    part = labelled_part(visible, task, kept)
    data = replace(data, classes=train_classes(part, task))
    labels = np.where(kind_of(task).clusters(data.train).isin(kept), data.labels, -1)
    data = replace(data, known=labels, labelled_share=labelled.in_batch)
    told = hold_labels_back(visible, task, KnownLabels(share=share, draw=labelled.draw))
    words, projections = context.words_beside(told), {}
    for kind in context.projections:
        config = context.configuration.projection.model_copy(update={"kind": kind})
        projections[kind] = fit_projection(told, task, context.teacher_embeddings, config, words)[0]
    return data, projections, part


@dataclass(frozen=True)
class Search:
    """The search of one arm at one share of labels.

    Attributes:
        name: of the arm.
        arm: as configured.
        space: range of each dotted key.
        share: of the labels, in [0, 1]; None where the configuration names no share.
        fold: number of the fold, from 1.
    """

    name: str
    arm: ArmConfig
    space: Mapping[str, SearchRange]
    share: float | None = None
    fold: int = 1


def searches(arms: ArmsConfig, tuning: TuningConfig, named: bool = False) -> list[Search]:
    """Every arm at every share of labels, shares outermost.

    A key that decides nothing at a share is not searched there: the labelled share of a batch where all labels are
    known, where none is, and of an arm that learns from labels alone; without any label, the projection is the fixed
    one, and the answer, where classes have to be named and ``teacher`` is among the choices, the teacher's. Arms that
    ask for labels are left out there, and that is logged.

    Args:
        arms: the block ``arms``.
        tuning: names arms, ranges and shares.
        named: whether classes have to be named, as ``names_classes`` says.

    Returns:
        The searches, in the order in which they are to be done.

    Raises:
        ValueError: an arm or a key of ``tuning.space`` that is not there.
    """
    found = []
    for share in [None] if tuning.labelled is None else tuning.labelled.searched:
        for name, space in tuning.searched.items():
            arm, wanted = arms.get(name), dict(space)
            configured(arm, wanted)
            if share in (0, 1) or not arm.learns_from_unlabelled:
                wanted.pop("labelled_in_batch", None)
            if share == 0:
                for key, value in {"projection": "pca", **({"answer": "teacher"} if named else {})}.items():
                    choices = wanted.pop(key, None)
                    if choices is not None and value in (choices.choices or []):
                        arm = arm.model_copy(update={key: value})
                if asks := arm.asks_for_labels(named):
                    logger.info("%s is not searched without labels: %s", name, asks)
                    continue
            found.append(Search(name, arm, wanted, share))
    return found


def search_every_arm(folds: Sequence[Context], tuning: TuningConfig, store: Path) -> tuple[pd.DataFrame, list[Search]]:
    """A row a trial of every arm, and each arm with its best values.

    Args:
        folds: the context of all studies, of each fold that is searched by itself.
        tuning: what is searched, and for how long.
        store: an existing folder; the studies lie in its ``studies.db``.

    Returns:
        The trials, in the columns of ``search.summary`` (a key that an arm does not search is NaN there), after a
        column ``labelled`` where there are several shares and a column ``fold`` where there are several folds, and the
        searches of every fold, their arms with the best values.

    Raises:
        ValueError: an arm or a key of ``tuning.space`` that is not there; before anything is trained.
    """
    context = folds[0]
    planned = searches(context.arms, tuning, names_classes(context.task))
    held_back = tuning.labelled is not None and min(tuning.labelled.searched) < 1
    if held_back and (warning := told_by_teacher(context.teacher_model)):
        logger.warning(warning)
    make_storage(store / "studies.db")
    tables: list[pd.DataFrame] = []
    tuned: list[Search] = []
    for share, (number, fold) in product(dict.fromkeys(each.share for each in planned), enumerate(folds, start=1)):
        trials = prepare(fold, tuning, 1.0 if share is None else share)
        search = partial(_search, trials, tuning, store / "studies.db")
        here = {each.name: replace(each, fold=number) for each in planned if each.share == share}
        searched = context.engine.each(search, here.values(), on_gpu=True)
        found = dict(progress_bar(searched, desc="tuning arms", total=len(here)))
        tables += [found[name][0] for name in here]
        tuned += [replace(each, arm=found[name][1]) for name, each in here.items()]
    return pd.concat(tables, ignore_index=True), tuned


def _search(
    trials: Trials, tuning: TuningConfig, storage: Path, wanted: Search
) -> tuple[str, tuple[pd.DataFrame, ArmConfig]]:
    """The name of an arm, its trials, and the arm with its best values. Each trial goes by those before it."""
    name, arm, space = wanted.name, wanted.arm, wanted.space
    study = search_arm(
        name,
        _as_trained(arm, space, trials),
        space,
        tuning,
        trials.measure,
        storage,
        trials.study_name(name, arm, space),
        larger_is_better=trials.larger,
    )
    table = summary(name, study, trials.larger)
    if tuning.labelled is not None and tuning.labelled.shares:
        table.insert(0, "labelled", wanted.share)
    if tuning.over_folds:
        table.insert(1, "fold", wanted.fold)
    return name, (table, _with_values(arm, study.best_params))


def _as_trained(arm: ArmConfig, space: Mapping[str, SearchRange], trials: Trials) -> ArmConfig:
    """The arm with what it leaves to its training, where that is searched: the first trial is then as it is trained."""
    budget = trials.budget
    left = {"lr": budget.lr, "weight_decay": budget.weight_decay, "labelled_in_batch": trials.data.labelled_share}
    return arm.model_copy(
        update={key: value for key, value in left.items() if key in space and getattr(arm, key) is None}
    )


def _with_values(arm: ArmConfig, values: Mapping[str, Any]) -> ArmConfig:
    """The arm with these dotted keys set, numbers rounded."""
    for key, value in values.items():
        arm = with_value(arm, key, _rounded(value) if isinstance(value, float) else value)
    return arm


def _rounded(value: float) -> float:
    """To four decimals, or to as many as two significant digits take."""
    return round(value, 4 if not value or abs(value) >= 1e-3 else 1 - math.floor(math.log10(abs(value))))


def tuned_shares_file(tuned: Sequence[Search], task: TaskConfig, tuning: TuningConfig) -> str:
    """What was found at each share of labels, as a parameters file that ``regimes`` reads.

    Args:
        tuned: the searches, their arms with the best values.
        task: named at the top.
        tuning: in how many trials.

    Returns:
        YAML: a comment, and ``regimes.labels.tuned``: by share and arm, the dotted keys with their values; of a search
        over folds a list of them, one of each fold.
    """
    found: dict[str, dict[str, Any]] = {}
    for each in tuned:
        content = content_of(each.arm)
        values = {key: block[last] for key in each.space for block, last in [block_of(content, key)]}
        if each.share == 0 and each.arm.constraints:
            fixed = {"projection": each.arm.projection, "answer": each.arm.answer}
            values = {key: value for key, value in fixed.items() if value != "own"} | values
        here = found.setdefault(f"{each.share:g}", {})
        here[each.name] = [*here.get(each.name, []), values] if tuning.over_folds else values
    of_each = " and share of the labels" + (" and fold" if tuning.over_folds else "")
    return _header(task, tuning, "`regimes --tags=labels`", of_each) + yaml.safe_dump(
        {"regimes": {"labels": {"tuned": found}}}, sort_keys=False, width=120
    )


def _header(task: TaskConfig, tuning: TuningConfig, reader: str, each: str = "") -> str:
    return (
        f"# Written by `kedro run --pipeline=tuning` for the task {task.name}: {tuning.trials} trials an arm{each} on\n"
        f"# the dev split. Committed as the configuration that {reader} use.\n\n"
    )


def tuned_arms_file(tuned: Sequence[Search], task: TaskConfig, tuning: TuningConfig) -> str:
    """The tuned arms as a parameters file, without what is at its default and was not searched.

    A searched key is written even at its default: in an environment the file is laid over the arms of conf/base.

    Args:
        tuned: the searches, their arms with the best values.
        task: named at the top.
        tuning: which keys were searched, in how many trials.

    Returns:
        YAML: a comment, and the block ``arms``.
    """
    content: dict[str, Any] = {}
    for each in tuned:
        content[each.name] = each.arm.model_dump(exclude_defaults=True)
        for key in each.space:
            *path, last = key.split(".")
            found, block = content_of(each.arm), content[each.name]
            for part in path:
                found, block = found[part], block.setdefault(part, {})
            block[last] = found[last]
    header = _header(task, tuning, "`comparison` and `distill`")
    return header + yaml.safe_dump({"arms": content}, sort_keys=False, width=120)
