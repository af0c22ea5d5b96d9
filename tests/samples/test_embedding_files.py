"""Embeddings as other programs save them."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.samples import EmbeddingTable, SamplesError, read_embeddings, save_table

NAMES, VALUES = ["a/1.wav", "a/2.wav", "b/1.wav"], np.arange(12, dtype=np.float32).reshape(3, 4)


def saved(folder, form):
    file = folder / "embeddings.parquet"
    if form == "folder":
        save_table(folder / "table", EmbeddingTable(NAMES, VALUES, "f"))
        return folder / "table"
    if form == "lists":
        pd.DataFrame({"utt": NAMES, "duration": [1, 2, 3], "x": list(VALUES)}).to_parquet(file)
    elif form == "columns":
        pd.DataFrame(VALUES, columns=list("wxyz")).assign(name=pd.Categorical(NAMES)).to_parquet(file)
    else:
        file = folder / "embeddings.npz"
        arrays = dict(zip(NAMES, VALUES, strict=True)) if form == "a vector a name" else {"n": NAMES, "v": VALUES}
        np.savez(file, **arrays)
    return file


@pytest.mark.parametrize("form", ["folder", "lists", "columns", "names and values", "a vector a name"])
def test_every_form_is_the_same_table(tmp_path, form):
    table = read_embeddings(saved(tmp_path, form))
    assert table.sample_ids == NAMES and table.values.tolist() == VALUES.tolist() and table.fingerprint


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": ["x"], "b": ["y"], "v": [[1.0]]}, "embeddings.parquet: expected one column of names .*found a .*, b "),
        ({"a": ["x"]}, "expected one column of names and either one of lists or columns of numbers"),
        ({"a": ["x", "y"], "v": [[1.0, 2.0], [1.0]]}, r"expected lists of one length in v, found lengths \['1', '2'\]"),
        ({"a": ["x", "x"], "v": [[1.0], [2.0]]}, "sample_ids of an embedding table must be unique; repeated: 'x'"),
        ({"a": ["x", None], "v": [[1.0], [2.0]]}, "expected a name in every row of a, found 2 rows, 1 without"),
        ({"a": ["x"], "v": [np.nan]}, "embeddings must be finite; NaN or infinite for 'x'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_name(tmp_path, columns, message):
    pd.DataFrame(columns).to_parquet(tmp_path / "embeddings.parquet")
    with pytest.raises(SamplesError, match=message):
        read_embeddings(tmp_path / "embeddings.parquet")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"v": VALUES, "w": VALUES[:2]}, r"expected one column of names .*found v \(3, 4\), w \(2, 4\)"),
        ({"names": NAMES[:2], "v": VALUES}, r"must have shape \(N, D\) with N = 2 ids, found \(3, 4\)"),
        ({"names": np.array(NAMES, dtype=object), "v": VALUES}, "Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_and_nothing_is_unpickled(tmp_path, arrays, message):
    np.savez(tmp_path / "e.npz", **arrays)
    with pytest.raises(SamplesError, match=f"e.npz: .*{message}"):
        read_embeddings(tmp_path / "e.npz")


@pytest.mark.parametrize("name", ["e.npz", "e.parquet", "e.txt", "nowhere"])
def test_what_is_no_such_file_is_refused_by_its_name(tmp_path, name):
    if name.startswith("e"):
        (tmp_path / name).write_bytes(b"nonsense")
    with pytest.raises(SamplesError, match=f"{name}: "):
        read_embeddings(tmp_path / name)
