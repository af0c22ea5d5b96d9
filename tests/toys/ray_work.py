"""What tasks of the tests' Ray do: workers import it by this name."""

import os
import signal
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable

WEIGHT = "student.embedding.1.weight"
ABOUT = {"encoder": {"library": "timm", "name": "x"}, "inputs": {}, "dim": 2, "classes": ["a", "b"]}


def train(job, checkpoint):
    """Trains in no time; the numbers go by the seed."""
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0 + job.seed], "dev_eer": [0.3, np.nan]})
    return ModelBundle("student", ABOUT, {WEIGHT: np.full((2, 1), job.seed, dtype=np.float32)}), history


def embed(job, student):
    return EmbeddingTable(["a", "b"], np.full((2, 2), job.seed, dtype=np.float32), "f")


def train_unless_damaged(job, checkpoint):
    if job.arm == "soft":
        raise ValueError(f"image 7 of seed {job.seed} is damaged: take it out of the folder")
    return train(job, checkpoint)


def dies_once(marker: Path, number: int) -> int:
    """Kills its own worker the first time."""
    if number == 1 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 10


def dies(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def counts(rows, advance):
    """A result every two rows."""
    for start in range(0, len(rows), 2):
        advance(len(rows.iloc[start : start + 2]))
        yield rows.index[start], os.getpid()


def look(roots, ingestion, row):
    return modality_of(row["modality"]).inspect(row, roots, ingestion)


def gives_a_lock(number: int):
    return Lock(), number


def fails_by_its_own_fault(number: int):
    raise TypeError(f"{number} is no text")
