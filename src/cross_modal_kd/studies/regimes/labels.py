"""Few labels, all pairs (imports torch: reached from nodes only)."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cross_modal_kd.samples import class_numbers, train_classes
from cross_modal_kd.studies.labelled import labelled_clusters, labelled_part, same_steps
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import LabelsStudy
from cross_modal_kd.studies.regimes.projections import projection_key, refit
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.tasks import kind_of

logger = logging.getLogger(__name__)


def conditions(world: World, study: LabelsStudy, store: Path) -> Iterator[Condition]:
    """One a share of the labels.

    The projection and the prototypes are fitted on labelled teacher samples alone, the classes are those that have a
    labelled sample, and labels of the dev split stay: all arms choose their checkpoint by them.

    Args:
        world: of all labels.
        study: shares, seed of the draw, labelled share of each batch.
        store: the folder of the study, where the projections of each share are kept.

    Yields:
        A condition whose value is the share, in (0, 1]; a share that keeps every label is the unchanged task. Facts:
        labelled_samples, labelled_clusters and training_samples, counts of the student's training split.
    """
    if "label" in world.task.levels:
        logger.warning("task.pairing has 'label': a pair tells the class, so labels held back are known to the pairs")
    for share in study.shares:
        kept = labelled_clusters(world.samples, world.task, share, study.draw)
        known = kind_of(world.task).clusters(world.data.train).isin(kept).to_numpy()
        facts = {"labelled_samples": int(known.sum()), "labelled_clusters": len(kept), "training_samples": len(known)}
        if known.all():
            yield Condition.of(world, "100 % labelled", 1.0, facts=facts)
        else:
            yield replace(_few_labels(world, study, share, kept, known, store), facts=facts)


def _few_labels(
    world: World, study: LabelsStudy, share: float, kept: set[str], known: np.ndarray, store: Path
) -> Condition:
    """Labels outside ``kept`` are held back; arms without constraints see the labelled samples alone.

    known: (N,) which training samples keep their label.
    """
    name = f"{100 * share:.3g} % labelled"
    part = labelled_part(world.samples, world.task, kept)
    varied = {"labelled": share, "draw": study.draw, "projection": projection_key(world)}
    kinds = world.projection_kinds(study.arms)
    classes = train_classes(part, world.task)
    projections = refit(world, part, world.teacher_embeddings, kinds, varied, store)
    few = Condition.of(
        world,
        name,
        share,
        varied=varied,
        data=world.data_of(part),
        training=same_steps(world.configuration.training, len(known), int(known.sum())),
        projections=projections,
    )
    return Condition.of(
        world,
        name,
        share,
        varied=varied | {"labelled_in_batch": study.labelled_in_batch},
        data=replace(world.data, classes=classes),
        projections=projections,
        labels=np.where(known, class_numbers(world.data.train["label"], classes), -1),
        labelled_share=study.labelled_in_batch,
        alone=few,
    )
