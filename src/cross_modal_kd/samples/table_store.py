"""An embedding table on disk: ``table.json`` (ids, fingerprint) beside ``values.safetensors``."""

import json
from pathlib import Path

import numpy as np

from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.storage import file_in, read_json, replaced, verify

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
    """What ``save_table`` wrote.

    Args:
        folder: of that table.

    Returns:
        The table, (N, D) float32.

    Raises:
        FileNotFoundError: one of the two files is missing.
        ValueError: one of them is damaged, or they do not belong together.
    """
    from safetensors.numpy import load_file

    content = read_json(folder, TABLE, {"sample_ids", "fingerprint"})
    file = file_in(folder, VALUES)
    ids = content["sample_ids"]
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in [*ids, content["fingerprint"]]):
        raise ValueError(f"{folder / TABLE}: sample_ids must be a list of texts, fingerprint a text. Make it again")
    try:
        table = EmbeddingTable(ids, load_file(file)["values"], content["fingerprint"])
    except MemoryError:
        raise
    except Exception as error:  # safetensors' own error derives from Exception alone, numpy has others for a dtype
        raise ValueError(f"{file} does not hold the embeddings of {TABLE}: {error}. Make it again") from error
    verify(folder)
    return table
