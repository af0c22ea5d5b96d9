"""The small functions over the samples table: a look at every file, parts, fewer labels, and tables on disk."""

import json
import mmap
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import IngestionConfig
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError, first_few
from cross_modal_kd.samples.inspection import inspect_rows
from cross_modal_kd.samples.parquet import read_parquet
from cross_modal_kd.samples.records import as_records
from cross_modal_kd.samples.schema import DTYPES, REJECTED_DTYPES, conform
from cross_modal_kd.samples.selection import class_numbers, split_rows, train_classes
from cross_modal_kd.samples.subset import keep_labels
from cross_modal_kd.samples.table_store import load_table, save_table
from sample_tables import VERIFICATION, sample, sound_table

CANDIDATES = pd.DataFrame(
    [
        sample("a", "one", None, width=7, sha256=None),
        sample("b", "two", None, source="other", sha256=None),
        sample("c", "two", None, "text", sha256=None),
        sample("d", "two", None, sha256=None),
    ],
    index=[10, 4, 7, 2],
)


def look(row):
    if row["sample_id"] in ("c", "d"):
        raise UnreadableSampleError(row["sample_id"], f"no use {row['label']}")
    return {"sha256": row["sample_id"] * 64, "width": 30, "duration_s": 1.5}  # the last is no column of theirs yet


def test_a_look_fills_the_columns_of_the_usable_and_says_why_of_the_others():
    seen, rejected = inspect_rows(CANDIDATES, look, IngestionConfig(max_rejected_share=0.7))
    assert list(seen) == list(DTYPES) and list(rejected) == list(REJECTED_DTYPES)
    assert seen["sample_id"].tolist() == ["a", "b"] and seen.index.tolist() == [0, 1]
    assert seen["sha256"].tolist() == ["a" * 64, "b" * 64] and seen["width"].tolist() == [30, 30]
    assert seen["duration_s"].tolist() == [1.5, 1.5]
    assert seen["path"].tolist() == ["one/a.png", "two/b.png"] and seen["source"].tolist() == ["made", "other"]
    assert rejected.to_dict("records") == [
        {"source": "made", "path": "c", "reason": "no use two"},
        {"source": "made", "path": "two/d.png", "reason": "no use two"},
    ]


def test_as_many_as_the_share_may_be_rejected_of_each_source_and_no_more():
    inspect_rows(CANDIDATES, look, IngestionConfig(max_rejected_share=2 / 3))
    message = (
        r"^made: 66.7% of its samples cannot be used, more than ingestion.max_rejected_share = 66.0%. The first is c: "
        "no use two. Repair the files, or raise the share$"
    )
    with pytest.raises(SamplesError, match=message):
        inspect_rows(CANDIDATES, look, IngestionConfig(max_rejected_share=0.66))


def test_what_can_all_be_used_leaves_an_empty_table_of_rejections():
    seen, rejected = inspect_rows(CANDIDATES[:2], look, IngestionConfig())
    assert len(seen) == 2 and len(rejected) == 0 and list(rejected) == list(REJECTED_DTYPES)


def test_the_look_is_taken_on_as_many_threads_as_the_configuration_names():
    both = threading.Barrier(2, timeout=10)

    def together(row):
        both.wait()
        return {"sha256": "0" * 64}

    assert len(inspect_rows(CANDIDATES, together, IngestionConfig(workers=2))[0]) == 4


def test_a_missing_file_ends_it():
    def missing(row):
        raise SamplesError("the file is missing")

    with pytest.raises(SamplesError, match="the file is missing"):
        inspect_rows(CANDIDATES, missing, IngestionConfig())


def test_records_are_the_rows():
    assert as_records(CANDIDATES[["sample_id", "label"]])[1] == {"sample_id": "b", "label": "two"}


def test_parts_of_the_table_are_of_one_modality_and_split():
    table = sound_table()
    found = split_rows(table, "text", "dev")
    assert found["sample_id"].tolist() == [f"l{number:02d}/text" for number in range(4, 8)]
    assert found.index.tolist() == table.index[table["sample_id"].isin(found["sample_id"])].tolist()


def test_classes_are_the_labels_of_the_students_training_samples_in_order():
    table = conform(
        pd.DataFrame(
            [
                sample("1", "z", "train"),
                sample("2", "b", "train"),
                sample("3", "a", "test"),
                sample("4", "c", "train", "text"),
            ]
        )
    )
    assert train_classes(table, VERIFICATION) == ["b", "z"]
    numbers = class_numbers(table["label"], ["b", "z"])
    assert numbers.tolist() == [1, 0, -1, -1] and numbers.dtype == np.int64


@pytest.mark.parametrize("student", ["image", "speech"])
def test_fewer_labels_are_drawn_with_the_splits_seed_among_the_students(student):
    """Where there is no sample of the student yet (chimeric pairs), among the teacher's."""
    rows = [sample(f"{label}{view}", label, None) for label in "abcdefgh" for view in range(2)]
    rows += [sample(f"{label}/text", label, None, "text") for label in "abcdefghijkl"]
    table = conform(pd.DataFrame(rows))
    task = VERIFICATION.model_copy(update={"student": student})
    labels = "abcdefgh" if student == "image" else "abcdefghijkl"
    for seed in (0, 1):
        ingestion = IngestionConfig(max_labels=3, split={"seed": seed})
        drawn = np.random.default_rng(seed).choice(np.array(list(labels), dtype=object), 3, replace=False)
        found = keep_labels(table, task, ingestion)
        assert set(found["label"]) == set(drawn)
        assert found["sample_id"].tolist() == table.loc[table["label"].isin(drawn), "sample_id"].tolist()
    assert keep_labels(table, task, IngestionConfig(max_labels=len(labels))) is table
    assert keep_labels(table, task, IngestionConfig(max_labels=None)) is table


@pytest.mark.parametrize(("wanted", "counts"), [(7, [3, 2, 2]), (12, [8, 2, 2]), (3, [1, 1, 1]), (19, [11, 3, 3])])
def test_fewer_labels_of_a_frozen_split_leave_none_of_its_splits_empty(tmp_path, wanted, counts):
    sizes = {"train": 11, "dev": 3, "test": 3}
    named = {f"{split}{number}": split for split, size in sizes.items() for number in range(size)}
    lines = [f"label:{label},{split}" for label, split in named.items()]
    (tmp_path / "split.csv").write_text("cluster,split\n" + "\n".join(lines) + "\n")
    table = conform(
        pd.DataFrame([sample(f"{label}{view}", label, None) for label in [*named, "new1", "new2"] for view in range(2)])
    )
    ingestion = IngestionConfig(max_labels=wanted, split={"frozen": str(tmp_path / "split.csv")})
    kept = keep_labels(table, VERIFICATION, ingestion)["label"].unique()
    assert len(kept) == wanted
    assert [sum(named.get(label) == split for label in kept) for split in sizes] == counts


def test_names_are_shown_in_order_and_the_rest_is_counted():
    assert first_few("edcba") == "'a', 'b', 'c', 'd', 'e'"
    assert first_few("fedcba") == "'a', 'b', 'c', 'd', 'e' and 1 more"
    assert first_few([3, 1, 2], limit=1) == "'1' and 2 more"
    error = UnreadableSampleError("x.png", "is empty")
    assert (str(error), error.name, error.reason) == ("x.png: is empty", "x.png", "is empty")


def test_a_reason_has_no_address_in_memory():
    error = UnreadableSampleError("a.png", "cannot identify image file <_io.BytesIO object at 0x7f0c1a2b3c4d>")
    assert error.reason == "cannot identify image file <_io.BytesIO>"
    assert str(error) == "a.png: cannot identify image file <_io.BytesIO>"


@pytest.mark.parametrize(
    "table",
    [
        {"sample_ids": 3, "fingerprint": "f"},
        {"sample_ids": [["a"]], "fingerprint": "f"},
        {"sample_ids": {"a": 1}, "fingerprint": "f"},
        {"sample_ids": ["a"], "fingerprint": None},
    ],
)
def test_a_tables_ids_are_texts(tmp_path, table):
    save_table(tmp_path / "t", EmbeddingTable(["a"], np.ones((1, 2)), "f"))
    (tmp_path / "t" / "table.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match=r"table\.json: sample_ids must be a list of texts"):
        load_table(tmp_path / "t")


def test_a_table_nested_beyond_reading_is_named(tmp_path):
    save_table(tmp_path / "t", EmbeddingTable(["a"], np.ones((1, 2)), "f"))
    (tmp_path / "t" / "table.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match=r"table\.json is nested too deeply"):
        load_table(tmp_path / "t")


def test_a_damaged_parquet_file_is_named(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(SamplesError, match=r"bad.parquet: not a readable Parquet file \(.*\); restore it or fetch it"):
        read_parquet(tmp_path / "bad.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "good.parquet")
    assert read_parquet(tmp_path / "good.parquet")["a"].tolist() == [1]


TABLE = EmbeddingTable(["é", "b"], np.array([[1.5, 2.0, 3.0], [4.0, 5.0, 6.0]]), "print")


def test_a_table_comes_back_from_its_folder_and_another_takes_its_place(tmp_path):
    save_table(tmp_path / "deep" / "table", EmbeddingTable(["old"], np.zeros((1, 2)), "other"))
    save_table(tmp_path / "deep" / "table", TABLE)
    found = load_table(tmp_path / "deep" / "table")
    assert (found.sample_ids, found.fingerprint) == (["é", "b"], "print")
    np.testing.assert_array_equal(found.values, TABLE.values)
    files = sorted(file.name for file in (tmp_path / "deep" / "table").iterdir())
    assert files == ["checksums.json", "table.json", "values.safetensors"]
    transposed = EmbeddingTable(["x", "y"], np.arange(6.0, dtype=np.float32).reshape(3, 2).T, "t")  # not contiguous
    save_table(tmp_path / "t", transposed)
    np.testing.assert_array_equal(load_table(tmp_path / "t").values, transposed.values)


def test_the_embeddings_stay_in_their_file_and_rows_of_it_are_copies(tmp_path):
    ids = [f"s{number}" for number in range(20_000)]
    save_table(tmp_path / "t", EmbeddingTable(ids, np.ones((len(ids), 64), dtype=np.float32), "f"))
    tracemalloc.start()
    table = load_table(tmp_path / "t")
    rows = table.at(ids[::1000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(table.values.base, mmap.mmap | np.memmap) and type(rows) is np.ndarray and rows.flags.writeable
    assert peak < table.values.nbytes, f"{peak / 1e6:.1f} MB, with embeddings of {table.values.nbytes / 1e6:.1f} MB"
    nobody = EmbeddingTable([], np.zeros((0, 3)), "f")
    save_table(tmp_path / "none", nobody)
    assert load_table(tmp_path / "none").values.shape == (0, 3)


def test_what_is_no_table_is_not_written(tmp_path):
    with pytest.raises(TypeError, match=f"{tmp_path / 'x'} takes an EmbeddingTable, found list"):
        save_table(tmp_path / "x", [1])
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda folder: (folder / "values.safetensors").unlink(), FileNotFoundError, "values.safetensors"),
        (lambda folder: (folder / "table.json").unlink(), FileNotFoundError, "table.json"),
        (
            lambda folder: (folder / "values.safetensors").write_bytes(b"bad"),
            ValueError,
            r"values.safetensors does not hold the embeddings of table.json: .*\. Make it again",
        ),
        (
            lambda folder: (folder / "table.json").write_text(json.dumps({"sample_ids": ["a"], "fingerprint": ""})),
            ValueError,
            "values.safetensors does not hold the embeddings of table.json: .*N = 1",
        ),
        (lambda folder: (folder / "table.json").write_text('{"sample_ids": []}'), ValueError, "fingerprint"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, damage, error, message):
    save_table(tmp_path / "t", TABLE)
    damage(tmp_path / "t")
    with pytest.raises(error, match=message):
        load_table(tmp_path / "t")
