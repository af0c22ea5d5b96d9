"""Few labels, all pairs (imports torch: reached from nodes only)."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cross_modal_kd.config import ArmConfig, ArmsConfig, ConfigError, KnownLabels
from cross_modal_kd.modalities import Damage, Dose, load_inputs
from cross_modal_kd.samples import Roots, class_numbers, train_classes
from cross_modal_kd.studies.arm_keys import with_value
from cross_modal_kd.studies.regimes.components import twin_of
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import DamagedPairs, LabelsStudy
from cross_modal_kd.studies.regimes.noise import damage, weights_of_damaged
from cross_modal_kd.studies.regimes.projections import projection_key, refit, teacher_facts
from cross_modal_kd.studies.regimes.world import World, kinds_of
from cross_modal_kd.tasks import kind_of, names_classes
from cross_modal_kd.training import hold_labels_back, labelled_clusters, labelled_part, same_steps, told_by_teacher

logger = logging.getLogger(__name__)


def conditions(world: World, study: LabelsStudy, store: Path) -> Iterator[Condition]:
    """One a share of the labels.

    The projection and the prototypes are fitted on labelled teacher samples alone, the classes are those that have a
    labelled sample, and labels of the dev split stay: all arms choose their checkpoint by them.

    Args:
        world: of all labels.
        study: shares, seed of the draw, labelled share of each batch, and the arms with their values at each share.
        store: the folder of the study, where the projections of each share are kept.

    Yields:
        A condition whose value is the share, in [0, 1]; a share that keeps every label is the unchanged task, and 0 has
        no loss of the task: a student of a classification then answers by the words of its classes
        (``training.class_words``). Facts: labelled_samples, labelled_clusters and training_samples, counts of the
        student's training split; damaged_samples, where unlabelled ones are damaged; where classes are named by words,
        those of ``teacher_facts``.

    Raises:
        ConfigError: without labels, nothing names the classes, or the baseline there cannot be trained.
    """
    if "label" in world.task.levels:
        logger.warning("task.pairing has 'label': a pair tells the class, so labels held back are known to the pairs")
    if min(study.shares) < 1 and (warning := told_by_teacher(world.teacher_model)):
        logger.warning(warning)
    for share in study.shares:
        kept = labelled_clusters(world.samples, world.task, share, study.draw) if share else set()
        known = kind_of(world.task).clusters(world.data.train).isin(kept).to_numpy()
        facts = {"labelled_samples": int(known.sum()), "labelled_clusters": len(kept), "training_samples": len(known)}
        arms = arms_at(world.arms, study, share, names_classes(world.task), world.fold)
        seeds = study.share_seeds.get(share)
        if known.all():
            yield Condition.of(world, "100 % labelled", 1.0, facts=facts, arms=arms, seeds=seeds)
            continue
        few = _few_labels(world, study, share, kept, known, store) if share else _no_labels(world, study, arms)
        few = replace(few, arms=arms, seeds=seeds)
        few = few if study.damaged is None else _damaged(world, study.damaged, few, known)
        yield replace(few, facts={**facts, **few.facts})


def arms_at(arms: ArmsConfig, study: LabelsStudy, share: float, named: bool = False, fold: int = 1) -> ArmsConfig:
    """The study's arms as they are trained at one share of the labels.

    Args:
        arms: the block ``arms``.
        study: which of them are trained, with which values at that share, and which once more in their hard form.
        share: in [0, 1].
        named: whether classes have to be named, as ``names_classes`` says.
        fold: number of the fold, from 1, where each has values of its own.

    Returns:
        By name; the hard form of an arm follows it as ``twin_of`` names it. Without labels, arms that ask for some are
        left out, and that is logged.
    """
    found: dict[str, ArmConfig] = {}
    for name in study.arms_of(share):
        arm = arms.get(name)
        for key, value in study.values_of(share, name, fold).items():
            arm = with_value(arm, key, value)
        if share == 0 and (asks := arm.asks_for_labels(named)):
            logger.info("%s is not trained without labels: %s", name, asks)
            continue
        found[name] = arm
        if name in study.twins:
            hard = {key: term.model_copy(update={"margin": 0.0}) for key, term in arm.constraints.items()}
            found[twin_of(name)] = arm.model_copy(
                update={"constraints": hard, "title": f"{arm.title or name}, margin 0"}
            )
    return ArmsConfig(found)


def _no_labels(world: World, study: LabelsStudy, arms: ArmsConfig) -> Condition:
    """Pairs alone; the fixed projection is the one whose directions no label has decided."""
    named = names_classes(world.task)
    if study.without_labels not in arms.root:
        arm = world.arms.get(study.without_labels)
        raise ConfigError(
            f"regimes.labels.without_labels is {study.without_labels!r}, the baseline where nothing is labelled, and "
            f"it is not trained there: {arm.asks_for_labels(named) or 'regimes.labels.share_arms leaves it out'}. "
            f"Choose one of those that are: {', '.join(arms.root) or 'none is'}"
        )
    projection = world.projection_without_labels
    return Condition.of(
        world,
        "0 % labelled",
        0.0,
        varied={"labelled": 0.0, "classes": "words"} if named else {"labelled": 0.0},
        projections={"pca": projection},
        labels=np.full(len(world.data.train), -1),
        baseline=study.without_labels,
        facts=teacher_facts(world, world.teacher_embeddings, projection) if named else {},
    )


def _few_labels(
    world: World, study: LabelsStudy, share: float, kept: set[str], known: np.ndarray, store: Path
) -> Condition:
    """Labels outside ``kept`` are held back; arms that learn from labels alone see the labelled samples alone.

    known: (N,) which training samples keep their label.
    """
    name = f"{100 * share:.3g} % labelled"
    part = labelled_part(world.samples, world.task, kept)
    varied = {"labelled": share, "draw": study.draw, "projection": projection_key(world)}
    kinds = kinds_of(arms_at(world.arms, study, share, fold=world.fold).root.values())
    classes = train_classes(part, world.task)
    told = hold_labels_back(world.samples, world.task, KnownLabels(share=share, draw=study.draw))
    projections = refit(world, told, world.teacher_embeddings, kinds, varied, store)
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


def _damaged(world: World, damaged: DamagedPairs, few: Condition, known: np.ndarray) -> Condition:
    """The condition with a share of its unlabelled inputs damaged, and their quality measured again.

    known: (N,) which training samples have a label, and are spared.
    """
    train = world.data.train
    harm = Damage(
        _Spared(damage(world, damaged, damaged.share, damaged.seed).dose, frozenset(train["sample_id"][known]))
    )
    hit = train[[harm.dose(sample) is not None for sample in train["sample_id"]]]
    inputs = load_inputs(
        world.task.student, train, Roots(world.configuration.sources), world.configuration.inputs, harm
    )
    weights = weights_of_damaged(world, hit, harm).set_index("sample_id").reindex(train["sample_id"])
    varied = {"damaged": damaged.share, "damage_seed": damaged.seed, "kinds": str(damaged.kinds)}
    return replace(
        few,
        name=f"{few.name}, {100 * damaged.share:.3g} % of the rest damaged",
        varied={**few.varied, **varied},
        data=replace(few.data, train_inputs=inputs, quality=weights),
        facts={**few.facts, "damaged_samples": len(hit)},
    )


@dataclass(frozen=True)
class _Spared:
    """A dose for all but some samples."""

    dose: Callable[[str], Dose | None]
    spared: frozenset[str]

    def __call__(self, sample_id: str) -> Dose | None:
        return None if sample_id in self.spared else self.dose(sample_id)
