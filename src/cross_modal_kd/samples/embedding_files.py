"""Embeddings that other programs have saved."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.table_store import load_table

EXPECTED = (
    "expected one column of names and either one of lists or columns of numbers (.parquet), or an array (N,) of names "
    "and one (N, D) of numbers, or one (D,) under each name (.npz)"
)


def read_embeddings(path: Path) -> EmbeddingTable:
    """Embeddings by name.

    Args:
        path: a folder of ``save_table``; a .parquet file with one column of names, and either one of lists or columns
            of numbers; or an .npz file with an array of names and one (N, D), or with one (D,) under each name.

    Returns:
        The table, (N, D) float32; its fingerprint is the file's.

    Raises:
        SamplesError: it is none of these, it is damaged, or names repeat or numbers are not finite.
    """
    read = {".parquet": _from_parquet, ".npz": _from_npz}.get(path.suffix)
    if read is None and not path.is_dir():
        raise SamplesError(f"{path}: expected a folder of embeddings, a .parquet or an .npz file")
    try:
        if read is None:
            return load_table(path)
        names, values = read(path)
        with path.open("rb") as file:
            return EmbeddingTable(names, values, hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, ValueError, zipfile.BadZipFile) as error:  # pyarrow's own errors are one of these
        raise SamplesError(f"{path}: {error}") from error


def _from_parquet(path: Path) -> tuple[list[str], np.ndarray]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path).combine_chunks()
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    kinds = {name: kind.value_type if pa.types.is_dictionary(kind) else kind for name, kind in kinds.items()}
    texts = [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
    lists = [name for name, kind in kinds.items() if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)]
    numbers = [name for name, kind in kinds.items() if pa.types.is_floating(kind)]
    if len(texts) != 1 or len(lists) > 1 or not (lists or numbers):
        raise ValueError(f"{EXPECTED}; found {', '.join(f'{name} ({kind})' for name, kind in kinds.items())}")
    names = table[texts[0]].to_pylist()
    if None in names or not names:
        raise ValueError(
            f"expected a name in every row of {texts[0]}, found {len(names)} rows, {names.count(None)} without"
        )
    if not lists:
        return names, np.column_stack([table[name].to_numpy() for name in numbers])
    lengths = set(pc.list_value_length(table[lists[0]]).to_pylist())
    if len(lengths) > 1 or None in lengths:
        raise ValueError(f"expected lists of one length in {lists[0]}, found lengths {sorted(map(str, lengths))[:5]}")
    flat = table[lists[0]].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return names, flat.reshape(len(names), -1)


def _from_npz(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    texts = [each for each in arrays.values() if each.dtype.kind == "U"]
    vectors = [each for each in arrays.values() if each.dtype.kind == "f"]
    if len(texts) == 1 and len(vectors) == 1:
        return texts[0].tolist(), vectors[0]
    if texts or not vectors or len(vectors) < len(arrays) or {each.shape for each in vectors} != {vectors[0].shape}:
        raise ValueError(
            f"{EXPECTED}; found {', '.join(f'{name} {each.shape}' for name, each in arrays.items())[:300]}"
        )
    return list(arrays), np.stack(vectors)
