"""The real samples that an export is held against, calibrated with and measured on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cross_modal_kd.config import ExportConfig, SourcesConfig, TaskConfig
from cross_modal_kd.export.cost import Measure, measured_on
from cross_modal_kd.export.parity import Probes
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle, saved_inputs
from cross_modal_kd.samples import Roots, read_before, split_rows


@dataclass(frozen=True)
class Material:
    """What an export needs beside the student.

    Attributes:
        probes: by sample, inputs of several shapes, the first as evaluation reads it.
        calibration: (1, ...) inputs of the training split, for ``static`` 8-bit activations.
        measure: the task's metric of a program; None where it is not measured.
    """

    probes: Probes
    calibration: Sequence[np.ndarray] = field(default_factory=list)
    measure: Measure | None = None


def gather(
    samples: pd.DataFrame, task: TaskConfig, sources: SourcesConfig, bundle: ModelBundle, config: ExportConfig
) -> Material:
    """Dev samples to hold against, and training samples to calibrate with, both drawn by the seed.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        sources: where the files lie.
        bundle: the student, which says how its inputs are read.
        config: how many, and the seed.

    Returns:
        The material; calibration samples only where they are used.
    """
    modality, inputs, roots = modality_of(task.student), saved_inputs(bundle), Roots(sources)
    with read_before():
        probes = {
            str(row["sample_id"]): modality.probes(row, roots, inputs)
            for row in _drawn(split_rows(samples, task.student, "dev"), config.samples, config.seed)
        }
        calibration = []
        if config.int8 == "static":
            drawn = _drawn(split_rows(samples, task.student, "train"), config.calibration, config.seed)
            calibration = [modality.probes(row, roots, inputs)[0].numpy()[None] for row in drawn]
    return Material(probes, calibration, measured_on(samples, task, sources, bundle))


def _drawn(rows: pd.DataFrame, count: int, seed: int) -> list[dict]:
    return rows.sample(min(count, len(rows)), random_state=seed).to_dict("records")
