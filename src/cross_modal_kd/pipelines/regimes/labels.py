"""Few labels, all pairs (imports torch: reached from nodes only)."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cross_modal_kd.config.regimes import LabelsStudy
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.pipelines.common.dev import class_numbers, split_rows, train_classes
from cross_modal_kd.pipelines.evaluation.subset import units
from cross_modal_kd.pipelines.regimes.condition import Condition, as_it_stands
from cross_modal_kd.pipelines.regimes.heads import projection_key, refit
from cross_modal_kd.pipelines.regimes.world import World

logger = logging.getLogger(__name__)


def labelled_units(samples: pd.DataFrame, task: TaskConfig, share: float, draw: int) -> set[str]:
    """The training units that keep their label: a seeded draw, of which a smaller share is a part.

    Verification: whole labels (two at least), so that a share of the identities are known classes. Classification:
    groups, class by class, one of each at least.
    """
    train = split_rows(samples, task.student, "train")
    table = pd.DataFrame({"label": train["label"], "unit": units(train, task)}).drop_duplicates()
    rng = np.random.default_rng(draw)
    strata = [table] if task.kind == "verification" else [rows for _, rows in table.groupby("label", sort=True)]
    least = 2 if task.kind == "verification" else 1
    kept: set[str] = set()
    for rows in strata:
        names = np.array(sorted(rows["unit"]), dtype=object)
        kept.update(names[rng.permutation(len(names))][: max(least, round(share * len(names)))])
    return kept


def labelled_part(samples: pd.DataFrame, task: TaskConfig, kept: set[str]) -> pd.DataFrame:
    """The samples table without the training samples, of both modalities, whose unit is not among ``kept``."""
    held_back = (samples["split"] == "train") & ~units(samples, task).isin(kept)
    return samples[~held_back]


def same_steps(training: TrainingConfig, samples: int, labelled: int) -> TrainingConfig:
    """As many optimisation steps on ``labelled`` samples as ``training`` takes on all, and as many looks at dev."""
    steps, fewer = (max(1, count // training.batch_size) for count in (samples, labelled))
    longer = steps / fewer
    return training.model_copy(
        update={
            "epochs": max(1, round(training.epochs * longer)),
            "eval_every": max(1, round(training.eval_every * longer)),
        }
    )


def conditions(world: World, study: LabelsStudy, kinds: set[str], store: Path) -> Iterator[Condition]:
    """One a share. The head and the prototypes are fitted on labelled teacher samples alone, the classes are those that
    have a labelled sample, and labels of the dev split stay: all arms choose their checkpoint by them."""
    if world.task.pairing == "label":
        logger.warning("task.pairing is 'label': a pair tells the class, so labels held back are known to the pairs")
    train = world.data.train
    for share in study.shares:
        kept = labelled_units(world.samples, world.task, share, study.draw)
        known = units(train, world.task).isin(kept).to_numpy()
        facts = {"labelled_samples": int(known.sum()), "labelled_units": len(kept), "training_samples": len(known)}
        if known.all():
            yield as_it_stands(world, "100 % labelled", 1.0, facts=facts)
            continue
        part = labelled_part(world.samples, world.task, kept)
        setting = {"labelled": share, "draw": study.draw, "projection": projection_key(world)}
        classes = train_classes(part, world.task)
        labels = np.where(known, class_numbers(train["label"], classes), -1)
        name = f"{100 * share:.3g} % labelled"
        projections = refit(world, part, world.teacher_embeddings, kinds, setting, store)
        few = as_it_stands(
            world,
            name,
            share,
            setting=setting,
            data=world.data_of(part),
            training=same_steps(world.training, len(known), int(known.sum())),
            projections=projections,
        )
        yield as_it_stands(
            world,
            name,
            share,
            setting=setting | {"labelled_in_batch": study.labelled_in_batch},
            data=replace(world.data, classes=classes),
            projections=projections,
            labels=labels,
            labelled_share=study.labelled_in_batch,
            alone=few,
            facts=facts,
        )
