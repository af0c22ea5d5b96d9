"""One file, byte for byte, under two labels or in two splits."""

import pandas as pd
import pytest

from cross_modal_kd.samples.copies import bound_by_copies, reject_conflicting, reject_parted
from cross_modal_kd.samples.schema import REJECTED, conform
from sample_tables import sample


def table(*rows):
    return conform(pd.DataFrame([sample(*row[:3], **row[3]) for row in rows]))


@pytest.fixture
def conflicting():
    """a and b are one file under two labels; c and d one under one; e and f lie in one family; texts are no files."""
    return table(
        ("a", "cat", "train", {"sha256": "1" * 64}),
        ("b", "dog", "test", {"sha256": "1" * 64}),
        ("c", "cat", "train", {"sha256": "2" * 64}),
        ("d", "cat", "train", {"sha256": "2" * 64}),
        ("e", "cat", "train", {"sha256": "3" * 64, "family": "x"}),
        ("f", "dog", "train", {"sha256": "3" * 64, "family": "x"}),
        ("g", "cat", "train", {"sha256": "4" * 64, "modality": "text"}),
        ("h", "dog", "train", {"sha256": "4" * 64, "modality": "text"}),
        ("i", "cow", "train", {"sha256": "5" * 64, "modality": "speech"}),
        ("j", "dog", "train", {"sha256": "5" * 64, "modality": "image"}),
    )


def test_a_file_under_two_labels_is_rejected_whole(conflicting, caplog):
    kept, rejected = reject_conflicting(conflicting, "reject")
    REJECTED.validate(rejected)
    assert kept["sample_id"].tolist() == list("cdefghij")
    assert rejected["path"].tolist() == ["cat/a.png", "dog/b.png"]
    assert set(rejected["reason"]) == {"the same file, byte for byte, lies under several labels: cat, dog"}
    assert "2 files are byte-identical to one under another label (1 content" in caplog.text


def test_it_may_be_kept_and_is_counted(conflicting, caplog):
    kept, rejected = reject_conflicting(conflicting, "keep")
    assert len(kept) == len(conflicting)
    assert rejected.empty
    assert "2 files are byte-identical" in caplog.text


def test_a_family_that_is_not_that_of_all_does_not_excuse(conflicting):
    conflicting.loc[conflicting["sample_id"] == "f", "family"] = None
    kept, _ = reject_conflicting(conflicting, "reject")
    assert kept["sample_id"].tolist() == list("cdghij")


def test_many_labels_are_not_all_listed():
    rows = table(*((name, f"label {name}", "train", {"sha256": "1" * 64}) for name in "abcdefgh"))
    _, rejected = reject_conflicting(rows, "reject")
    assert rejected["reason"].iloc[0].endswith("several labels: label a, label b, label c and more")


def test_nothing_to_say_of_different_files(caplog):
    rows = table(("a", "cat", "train", {}), ("b", "dog", "test", {}))
    for what in ("reject", "keep"):
        kept, rejected = reject_conflicting(rows, what)
        pd.testing.assert_frame_equal(kept, rows)
        assert rejected.empty
    pd.testing.assert_frame_equal(reject_parted(rows)[0], rows)
    assert not caplog.text


def test_clusters_are_joined_by_chains_of_copies():
    rows = table(
        ("a", "cat", None, {"sha256": "1" * 64}),
        ("b", "cat", None, {"sha256": "1" * 64}),
        ("b2", "cat", None, {"sha256": "2" * 64}),
        ("c", "cat", None, {"sha256": "2" * 64}),
        ("d", "dog", None, {"sha256": "1" * 64}),
        ("e", "cat", None, {"sha256": "3" * 64}),
    )
    clusters = pd.Series(["k3", "k2", "k2", "k1", "k4", "k5"])
    assert bound_by_copies(clusters, rows).tolist() == ["k1", "k1", "k1", "k1", "k4", "k5"]


def test_copies_in_two_splits_are_kept_in_the_later_one(caplog):
    rows = table(
        ("a", "cat", "train", {"sha256": "1" * 64}),
        ("b", "cat", "test", {"sha256": "1" * 64}),
        ("c", "cat", "dev", {"sha256": "1" * 64}),
        ("d", "dog", "train", {"sha256": "1" * 64}),
        ("e", "dog", "train", {"sha256": "2" * 64}),
        ("f", "dog", "train", {"sha256": "2" * 64}),
    )
    kept, rejected = reject_parted(rows)
    REJECTED.validate(rejected)
    assert kept["sample_id"].tolist() == list("bdef")
    assert rejected["path"].tolist() == ["cat/a.png", "cat/c.png"]
    assert set(rejected["reason"]) == {"the same file, byte for byte, lies in the test split"}
    assert "2 copies" in caplog.text
