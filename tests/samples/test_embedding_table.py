import numpy as np
import pytest

from cross_modal_kd.samples.embeddings import EmbeddingTable


def test_rows_come_in_the_order_asked_for():
    table = EmbeddingTable(["a", "b", "c"], np.arange(6, dtype=np.float64).reshape(3, 2), "f")
    np.testing.assert_array_equal(table.at(["c", "a", "c"]), [[4, 5], [0, 1], [4, 5]])
    assert table.values.dtype == np.float32
    assert (len(table), table.dim) == (3, 2)


def test_missing_ids_are_named():
    with pytest.raises(KeyError, match="'x', 'y'"):
        EmbeddingTable(["a"], np.zeros((1, 2)), "f").at(["y", "a", "x"])


@pytest.mark.parametrize(
    ("ids", "values", "message"),
    [
        (["a", "a"], np.zeros((2, 2)), "must be unique; repeated: 'a'"),
        (["a"], np.zeros((2, 2)), r"shape \(N, D\) with N = 1"),
        (["a"], np.zeros(1), r"shape \(N, D\)"),
        (["a", "b"], np.array([[0, 0], [0, np.nan]]), "NaN or infinite for 'b'"),
    ],
)
def test_wrong_tables_are_refused(ids, values, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingTable(ids, values, "f")
