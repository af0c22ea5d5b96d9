"""Weaker teachers (imports torch: reached from nodes only)."""

import hashlib
import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.quality import Scoring, average_views, score_samples
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import TeacherStudy
from cross_modal_kd.studies.regimes.projections import projection_key, refit, teacher_facts
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.training import embed_teacher

logger = logging.getLogger(__name__)

DROPPED = "dropped_words"


def noisy(embeddings: EmbeddingTable, train_ids: list[str], level: float, seed: int) -> EmbeddingTable:
    """e + level r n / sqrt(D), n standard normal.

    r is the root mean square distance of training embeddings from their mean: at level 1 the noise is as large as what
    makes the samples differ.

    Args:
        embeddings: (N, D), raw.
        train_ids: of the samples that r is taken over.
        level: above 0.
        seed: of n, which is the same for all levels.

    Returns:
        (N, D), of the same samples, with a fingerprint of its own.
    """
    train = embeddings.at(train_ids).astype(np.float64)
    size = np.sqrt(((train - train.mean(axis=0)) ** 2).sum(axis=1).mean() / embeddings.dim)
    noise = np.random.default_rng(seed).standard_normal(embeddings.values.shape)
    # a table's fingerprint, 64 digits as of every other, not a run key: another would retrain what is kept under it
    digest = hashlib.sha256(f"{embeddings.fingerprint} noise {level} {seed}".encode()).hexdigest()
    return EmbeddingTable(embeddings.sample_ids, embeddings.values + level * size * noise, digest)


def shortened(samples: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """The samples table with a share of the words left out of every text.

    Args:
        samples: the samples table; rows without a text stay.
        share: of the words of each text, in (0, 1).
        seed: it decides, with the sample_id, which words.

    Returns:
        A new table; only its column ``text`` differs.
    """
    drop = modality_of("text").degradations[DROPPED]
    texts = [
        text if pd.isna(text) else drop(text, share, np.random.default_rng([seed, zlib.crc32(sample.encode())]))
        for sample, text in zip(samples["sample_id"], samples["text"], strict=True)
    ]
    return samples.assign(text=pd.Series(texts, index=samples.index, dtype=samples["text"].dtype))


def conditions(world: World, study: TeacherStudy, store: Path) -> Iterator[Condition]:
    """The undamaged teacher, then each damage. Arms without constraints have no teacher: they are trained once.

    Args:
        world: with the undamaged teacher.
        study: levels of noise, shares of dropped words, seed.
        store: the folder of the study, where projections and damaged embeddings are kept.

    Yields:
        A condition whose value is the level, 0 for the undamaged. Facts: damage (none, noise or dropped_words), and
        those of ``teacher_facts``, by the first kind of projection that the arms have.
    """
    kinds = world.projection_kinds(study.arms)
    shown = sorted(kinds)[0]
    strong = Condition.of(world, "unchanged teacher", 0.0)
    yield replace(strong, facts={"damage": "none", **teacher_facts(world, strong.teacher, world.projections[shown])})
    key = projection_key(world)
    teacher_ids = world.samples.loc[world.samples["modality"] == world.task.teacher, "sample_id"]
    for damage, level, embeddings in _damaged(world, study, store):
        taught = replace(world.data.teacher, embeddings=torch.from_numpy(embeddings.at(teacher_ids)).float())
        varied = {"teacher_damage": damage, "level": level, "damage_seed": study.seed, "projection": key}
        projections = refit(world, world.samples, embeddings, kinds, varied, store)
        yield Condition.of(
            world,
            f"{damage.replace('_', ' ')} {level:.3g}",
            level,
            varied=varied,
            data=replace(world.data, teacher=taught),
            projections=projections,
            teacher=embeddings,
            alone=strong,
            facts={"damage": damage, **teacher_facts(world, embeddings, projections[shown])},
        )


def _damaged(world: World, study: TeacherStudy, store: Path) -> Iterator[tuple[str, float, EmbeddingTable]]:
    train_ids = split_rows(world.samples, world.task.teacher, "train")["sample_id"].tolist()
    for level in study.noise:
        yield "noise", level, noisy(world.teacher_embeddings, train_ids, level, study.seed)
    if study.dropped_words and DROPPED not in modality_of(world.task.teacher).degradations:
        logger.info("regimes.teacher.dropped_words is passed over: the teacher is of modality %s", world.task.teacher)
        return
    for share in study.dropped_words:
        samples = shortened(world.samples, share, study.seed)
        cache = store / "teacher_embeddings"
        cache.mkdir(parents=True, exist_ok=True)
        about = world.configuration
        on = about.training.compute.accelerator
        given = (about.task, about.sources, about.inputs, world.teacher_model, cache, on)
        embeddings = embed_teacher(samples, *given, world.engine)
        if world.teacher.views == "averaged":  # by the quality of the whole texts, as of the unchanged teacher
            scores = score_samples(world.samples, world.quality_measures, Scoring.of(world.quality))
            embeddings = average_views(embeddings, samples, scores)
        yield DROPPED, share, embeddings
