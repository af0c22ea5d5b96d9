"""Damaged training inputs (imports torch: reached from nodes only)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cross_modal_kd.compute import device_for
from cross_modal_kd.config import WeightConfig
from cross_modal_kd.modalities import Damage, load_inputs, modality_of
from cross_modal_kd.models import build_student
from cross_modal_kd.quality import Scoring, measure_samples, sample_weights, score_samples
from cross_modal_kd.samples import EmbeddingTable, Roots, load_table, save_table, split_rows
from cross_modal_kd.studies.damage import random_damage
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.studies.measure import Embeddings
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import DamagedPairs, NoiseStudy
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.training import embed_inputs


def damage(world: World, study: NoiseStudy | DamagedPairs, share: float, seed: int) -> Damage:
    """The study's damage to the student's modality.

    Args:
        world: its task names the modality.
        study: kinds of damage, by modality.
        share: of the samples that are damaged, in (0, 1].
        seed: it decides, with the sample, whether and how that one is damaged.

    Returns:
        (sample_id, sample) -> sample, the same for a sample whenever it is read.

    Raises:
        ValueError: the study names no kinds for the modality.
    """
    modality = world.task.student
    if modality not in study.kinds:
        raise ValueError(
            f"regimes: kinds of damage: expected the student's modality {modality!r}, found {', '.join(study.kinds)}"
        )
    return random_damage(modality_of(modality), study.kinds[modality], share, seed)


def conditions(world: World, study: NoiseStudy, _store: Path) -> Iterator[Condition]:
    """One: the training split with a share of its inputs damaged, and their quality measured again; dev stays clean.

    Args:
        world: of clean inputs.
        study: kinds of damage, share and seed.
        _store: plays no part.

    Yields:
        The condition; its value is the share. Facts: training_samples, damaged_samples, and quality_of_damaged, the
        mean quality in [0, 1] of those that are damaged.
    """
    harm = damage(world, study, study.share, study.seed)
    train = world.data.train
    hit = train[[harm.dose(sample) is not None for sample in train["sample_id"]]]
    weights = weights_of_damaged(world, hit, harm)
    roots = Roots(world.configuration.sources)
    data = replace(
        world.data,
        train_inputs=load_inputs(world.task.student, train, roots, world.configuration.inputs, harm),
        quality=weights.set_index("sample_id").reindex(train["sample_id"]),
    )
    kinds = study.kinds[world.task.student]
    quality = world.quality
    score = [*quality.score[world.task.student], quality.combine, *(["by domain"] if quality.by_domain else [])]
    yield Condition.of(
        world,
        "damaged training",
        study.share,
        varied={"damaged": study.share, "damage_seed": study.seed, "kinds": str(kinds), "score": " ".join(score)},
        data=data,
        facts={
            "training_samples": len(train),
            "damaged_samples": len(hit),
            "quality_of_damaged": weights.set_index("sample_id").loc[hit["sample_id"], "quality_student"].mean(),
        },
    )


def weights_of_damaged(world: World, hit: pd.DataFrame, harm: Damage) -> pd.DataFrame:
    """Quality of the training pairs, ``hit`` measured as damaged, ranked among what the training split now holds.

    Args:
        world: with the measures of the clean samples.
        hit: rows of the samples table: the student's training samples that are damaged; it may be empty.
        harm: what is done to them.

    Returns:
        The table of ``sample_weights``: sample_id, quality_student and quality_teacher in [0, 1], and the weights of
        the default setting.
    """
    modality = world.task.student
    measures = world.quality_measures
    if len(hit):
        names: dict[str, list[str]] = {modality: world.quality.measures[modality]}
        found = measure_samples(hit, names, Roots(world.configuration.sources), harm, engine=world.engine)
        measures = pd.concat([measures[~measures["sample_id"].isin(hit["sample_id"])], found], ignore_index=True)
    scores = score_samples(world.samples, measures, Scoring.of(world.quality))
    return sample_weights(world.samples, scores, world.task, WeightConfig())


def tests(world: World, study: NoiseStudy) -> Mapping[str, Embeddings | None]:
    """The same students on clean and on damaged test inputs.

    Args:
        world: gives the test split.
        study: kinds of damage, ``test_share`` and seed.

    Returns:
        Embeddings by the name of the test; None are those that an outcome has kept.
    """
    return {"clean test": None, "damaged test": embed_damaged(world, study)}


def embed_damaged(world: World, study: NoiseStudy) -> Embeddings:
    """Embeddings of the damaged test inputs, and of the same training samples as the clean ones (these undamaged).

    They are kept beside the outcome. Test samples are damaged with another seed than those of the training split. The
    test inputs are read at once, and held for all outcomes.

    Args:
        world: gives the test split and how inputs are read.
        study: kinds of damage, ``test_share`` and seed.

    Returns:
        outcome -> table of its damaged test samples, then of the other samples that it has kept, as they were.
    """
    harm = damage(world, study, study.test_share, study.seed + 1)
    rows = split_rows(world.samples, world.task.student, "test")
    inputs = load_inputs(world.task.student, rows, Roots(world.configuration.sources), world.configuration.inputs, harm)

    def embeddings(outcome: Outcome) -> EmbeddingTable:
        kept = outcome.folder / f"damaged_test_{study.test_share:g}"
        if not kept.is_dir():
            network = build_student(outcome.student).to(device_for(world.configuration.training.compute.accelerator))
            values = embed_inputs(network, inputs, world.configuration.evaluation.batch_size)
            fingerprint = f"{outcome.embeddings.fingerprint} damaged"
            save_table(kept, EmbeddingTable(rows["sample_id"].tolist(), values, fingerprint))
        damaged, clean = load_table(kept), outcome.embeddings
        test = set(damaged.sample_ids)
        others = [sample for sample in clean.sample_ids if sample not in test]
        values = np.concatenate([damaged.values, clean.at(others)])
        return EmbeddingTable([*damaged.sample_ids, *others], values, damaged.fingerprint)

    return embeddings
