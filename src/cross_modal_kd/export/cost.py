"""The task's metric of an exported student, on the splits that it was not trained on."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from cross_modal_kd.config import SourcesConfig, TaskConfig
from cross_modal_kd.export.parity import Run
from cross_modal_kd.modalities import Item, load_inputs
from cross_modal_kd.models import ModelBundle, saved_inputs
from cross_modal_kd.samples import Roots, split_rows
from cross_modal_kd.tasks import kind_of

BATCH = 64

Measure = Callable[[Run], dict[str, float]]


def measured_on(samples: pd.DataFrame, task: TaskConfig, sources: SourcesConfig, bundle: ModelBundle) -> Measure:
    """How a program is measured: the metric of the task's kind, on all dev and on all test samples.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        sources: where the files lie.
        bundle: the student, which says how its inputs are read.

    Returns:
        A function of a program, which gives ``{"dev_eer": ..., "test_eer": ...}``, named as the kind's metric; it
        holds O(N d) of N samples and a batch of inputs.
    """
    kind, inputs = kind_of(task), saved_inputs(bundle)

    def measure(run: Run) -> dict[str, float]:
        found = {}
        for split in ("dev", "test"):
            rows = split_rows(samples, task.student, split)
            if rows.empty:
                continue
            read = load_inputs(task.student, rows, Roots(sources), inputs)
            batches = [
                run(read.__getitems__([Item(row) for row in range(start, min(start + BATCH, len(read)))])[1].numpy())
                for start in range(0, len(read), BATCH)
            ]
            outputs = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
            labels = (rows["label"], bundle.config["classes"])
            found[f"{split}_{kind.metric}"] = kind.measure(outputs["embedding"], *labels, partial(_answers, outputs))
        return found

    return measure


def _answers(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    return outputs["logits"].argmax(axis=1)
