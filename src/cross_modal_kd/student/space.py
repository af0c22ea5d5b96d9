"""Unit vectors with what they stand for: the teacher's training items, the student's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.storage import file_in
from cross_modal_kd.student.errors import StudentError

COLUMNS = ("sample_id", "key", "label", "source", "path", "text")


@dataclass(frozen=True)
class Space:
    """n vectors and a row of a table for each.

    Attributes:
        items: the columns of ``COLUMNS``: the sample, what pairs it (group or label), and where it comes from.
        vectors: (n, d) float32, rows of length 1.
    """

    items: pd.DataFrame
    vectors: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, keys: pd.Series, values: np.ndarray, most: int, seed: int) -> "Space":
        """The space of some samples, a seeded draw where they are too many.

        Args:
            rows: n rows of the samples table.
            keys: (n,) what pairs them.
            values: (n, d), of any length.
            most: vectors that are kept, at most.
            seed: of the draw.

        Returns:
            The space, in the order of the rows.
        """
        chosen = np.arange(len(rows))
        if len(rows) > most:
            chosen = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
        items = rows.iloc[chosen].assign(key=keys.iloc[chosen])
        return cls(items[list(COLUMNS)].reset_index(drop=True), unit_rows(values[chosen]).astype(np.float32))

    def __len__(self) -> int:
        return len(self.vectors)

    def nearest(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest items of some vectors.

        Args:
            vectors: (m, d), of any length.
            k: how many each, at most.

        Returns:
            Rows of ``items`` and their cosines, (m, k) each, the nearest first.
        """
        scores = unit_rows(vectors.astype(np.float32)) @ self.vectors.T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)


def save_space(folder: Path, name: str, space: Space) -> None:
    """Write ``<name>.parquet`` and ``<name>.safetensors``.

    Args:
        folder: that is there.
        name: of the space.
        space: to be written.
    """
    from safetensors.numpy import save_file

    space.items.to_parquet(folder / f"{name}.parquet", index=False)
    save_file({"vectors": np.ascontiguousarray(space.vectors)}, folder / f"{name}.safetensors")


def load_space(folder: Path, name: str, dim: int | None = None) -> Space:
    """What ``save_space`` wrote.

    Args:
        folder: that holds it.
        name: of the space.
        dim: d that it must have; None for any.

    Returns:
        The space.

    Raises:
        FileNotFoundError: one of its files is missing.
        StudentError: one of its files is damaged, or they do not belong together.
    """
    from cross_modal_kd.samples import read_parquet

    table, tensors = file_in(folder, f"{name}.parquet"), file_in(folder, f"{name}.safetensors")
    try:
        items = read_parquet(table)
    except MemoryError:
        raise
    except Exception as error:  # pyarrow's kinds
        raise StudentError(f"{table} is not the table of a packaged student: {error}. Package it again") from error
    vectors = read_tensors(tensors).get("vectors")
    if set(COLUMNS) - set(items.columns):
        raise StudentError(f"{table}: expected the columns {list(COLUMNS)}, found {list(items.columns)[:8]}")
    if vectors is None or vectors.ndim != 2 or len(vectors) != len(items) or dim not in (None, vectors.shape[1]):
        found = None if vectors is None else vectors.shape
        raise StudentError(f"{tensors}: expected `vectors` of shape ({len(items)}, {dim or 'd'}), found {found}")
    if vectors.dtype != np.float32 or not np.isfinite(vectors).all():
        raise StudentError(f"{tensors}: `vectors` must be finite float32. Package the student again")
    return Space(items, vectors)


def read_tensors(file: Path) -> dict[str, Any]:
    """The arrays of a safetensors file.

    Args:
        file: that is there.

    Returns:
        NumPy arrays by name.

    Raises:
        StudentError: it is no such file.
    """
    from safetensors.numpy import load_file

    try:
        return load_file(file)
    except MemoryError:
        raise
    except Exception as error:  # safetensors' own error derives from Exception alone
        raise StudentError(f"{file} is not a safetensors file: {error}. Package the student again") from error
