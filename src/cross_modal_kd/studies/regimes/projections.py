"""The projection fitted again, and what the teacher is worth then (imports torch: reached from nodes only)."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.evaluation.teacher import ProjectedTeacher, teacher_figures
from cross_modal_kd.metrics import pairwise_eer
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.projection import project, prototypes
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import class_numbers, split_rows
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.training.projection import fit_head


def projection_key(world: World) -> str:
    """What the configuration of the projections comes to, for conditions under which they are fitted again."""
    return hashlib.sha256(world.configuration.projection.model_dump_json().encode()).hexdigest()[:8]


def refit(
    world: World,
    samples: pd.DataFrame,
    embeddings: EmbeddingTable,
    kinds: set[str],
    varied: Mapping[str, Any],
    store: Path,
) -> dict[str, ModelBundle]:
    """Projections of the given kinds, fitted on those samples and embeddings.

    They are kept in ``store``, so that a study that goes on later meets the same ones.
    """
    fitted = {}
    for kind in sorted(kinds):
        config = world.configuration.projection.model_copy(update={"kind": kind})
        key = [world.fingerprint, embeddings.fingerprint, dict(varied), config.model_dump()]
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        dataset = ModelDataset(filepath=(store / "heads" / f"{kind}-{name}").as_posix())
        if not dataset.exists():
            dataset.save(fit_head(samples, world.task, embeddings, config)[0])
        fitted[kind] = dataset.load()
    return fitted


def teacher_facts(world: World, embeddings: EmbeddingTable, projection: ModelBundle) -> dict[str, float]:
    """Error of the projected teacher by itself, on dev and on test; NaN where it has none."""
    teacher = ProjectedTeacher.of(world.samples, world.task, world.configuration.evaluation, embeddings, projection)
    found = teacher_figures(teacher).measured
    dev = split_rows(world.samples, world.task.teacher, "dev")
    projected = project(projection, embeddings.at(dev["sample_id"]))
    if world.task.kind == "verification":
        measured = pairwise_eer(projected, dev["label"].to_numpy())
        test = found["eer"].value if "eer" in found else np.nan
    else:
        numbers = class_numbers(dev["label"], projection.config["classes"])
        measured = float(((projected @ prototypes(projection).T).argmax(axis=1) != numbers).mean())
        test = 1 - found["top1"].value if "top1" in found else np.nan
    return {"teacher_error_dev": measured, "teacher_error_test": test}
