"""An embedding table on disk: ``table.json`` (ids, fingerprint) beside ``values.safetensors``."""

import json
from pathlib import Path

import numpy as np

from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.storage import file_in, read_json, replaced, verify

NUMBERS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
TABLE, VALUES = "table.json", "values.safetensors"


def save_table(folder: Path, table: EmbeddingTable) -> None:
    """Write a table in the place of what ``folder`` holds; a failure leaves that as it is.

    Args:
        folder: of this table alone; made where it is missing.
        table: N embeddings of D numbers.

    Raises:
        TypeError: it is no EmbeddingTable.
    """
    from safetensors.numpy import save_file

    if not isinstance(table, EmbeddingTable):
        raise TypeError(f"{folder} takes an EmbeddingTable, found {type(table).__name__}")
    with replaced(folder) as new:
        content = {"fingerprint": table.fingerprint, "sample_ids": list(table.sample_ids)}
        (new / TABLE).write_text(json.dumps(content), encoding="utf-8")
        save_file({"values": np.ascontiguousarray(table.values)}, new / VALUES)


def load_table(folder: Path) -> EmbeddingTable:
    """What ``save_table`` wrote; the embeddings stay in their file, of which rows are read as they are asked for.

    Args:
        folder: of that table.

    Returns:
        The table, (N, D) float32, mapped from the file.

    Raises:
        FileNotFoundError: one of the two files is missing.
        ValueError: one of them is damaged, or they do not belong together.
    """
    content = read_json(folder, TABLE, {"sample_ids", "fingerprint"})
    file = file_in(folder, VALUES)
    ids = content["sample_ids"]
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in [*ids, content["fingerprint"]]):
        raise ValueError(f"{folder / TABLE}: sample_ids must be a list of texts, fingerprint a text. Make it again")
    try:
        table = EmbeddingTable(ids, _mapped(file), content["fingerprint"])
    except MemoryError:
        raise
    except Exception as error:  # safetensors' own error derives from Exception alone, numpy has others for a dtype
        raise ValueError(f"{file} does not hold the embeddings of {TABLE}: {error}. Make it again") from error
    verify(folder)
    return table


def _mapped(file: Path) -> np.ndarray:
    """The array ``values`` of a safetensors file, read where it is looked at."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as found:  # holds the header against the size of the file
        kind, shape = found.get_slice("values").get_dtype(), found.get_slice("values").get_shape()
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        start, end = json.loads(stream.read(size))["values"]["data_offsets"]
    if start == end:
        return np.zeros(shape, dtype=NUMBERS[kind])
    return np.memmap(file, NUMBERS[kind], "r", 8 + size + start, tuple(shape))
