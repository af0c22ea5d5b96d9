import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.samples.splits import assign_splits
from sample_tables import CLOSED_SET, OPEN_SET, sample

DEFAULT = SplitConfig()


def table(n_labels: int, groups_per_label: int, split: str | None = None) -> pd.DataFrame:
    rows = [
        sample(f"{label}-{group}-{view}", f"l{label}", split, group=f"g{label}-{group}")
        for label in range(n_labels)
        for group in range(groups_per_label)
        for view in range(2)
    ]
    return conform(pd.DataFrame(rows))


@given(n_labels=st.integers(3, 40), seed=st.integers(0, 5), shuffle=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_an_open_set_parts_whole_labels_whatever_the_order_of_rows(n_labels, seed, shuffle):
    rows, split = table(n_labels, 2), SplitConfig(seed=seed)
    assigned = assign_splits(rows, OPEN_SET, split)
    assert (assigned.groupby(rows["label"]).nunique() == 1).all()
    assert set(assigned) == {"train", "dev", "test"}
    shuffled = rows.sample(frac=1, random_state=shuffle)
    pd.testing.assert_series_equal(assign_splits(shuffled, OPEN_SET, split).sort_index(), assigned)


@given(n_groups=st.integers(3, 25), seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_a_closed_set_parts_whole_groups_and_every_label_is_everywhere(n_groups, seed):
    rows = table(3, n_groups)
    assigned = assign_splits(rows, CLOSED_SET, SplitConfig(seed=seed))
    assert (assigned.groupby(rows["group"]).nunique() == 1).all()
    assert (assigned.groupby(rows["label"]).nunique() == 3).all()
    train = (assigned == "train").groupby(rows["label"]).mean()
    assert (abs(train - 0.6) <= 2 / n_groups).all()


def test_shares_are_kept():
    counts = assign_splits(table(100, 1), OPEN_SET, DEFAULT).value_counts() / 2
    assert counts.to_dict() == {"train": 60, "dev": 10, "test": 30}


def test_the_seed_matters():
    rows = table(30, 1)
    first, second = (assign_splits(rows, OPEN_SET, SplitConfig(seed=seed)) for seed in (0, 1))
    assert not first.equals(second)


def test_an_official_split_is_kept_and_dev_is_drawn_from_its_training_labels():
    rows = table(20, 1)
    official = np.where(rows["label"].isin([f"l{n}" for n in range(6)]), "test", "train")
    assigned = assign_splits(rows.assign(split=official), OPEN_SET, DEFAULT)
    assert (assigned[official == "test"] == "test").all()
    assert set(assigned[official == "train"]) == {"train", "dev"}
    assert (assigned.groupby(rows["label"]).nunique() == 1).all()


def test_only_a_test_split_is_official_and_the_rest_is_dealt():
    rows = table(20, 1)
    official = pd.Series(np.where(rows["label"].isin(["l0", "l1"]), "test", None), dtype="str")
    assigned = assign_splits(rows.assign(split=official), OPEN_SET, DEFAULT)
    assert set(rows.loc[assigned == "test", "label"]) == {"l0", "l1"}
    assert set(assigned) == {"train", "dev", "test"}


def test_a_complete_official_split_is_left_alone():
    official = pd.Series((["train"] * 4 + ["dev"] * 2 + ["test"] * 2) * 5, dtype="str")
    rows = table(10, 2).assign(split=official)
    pd.testing.assert_series_equal(assign_splits(rows, CLOSED_SET, DEFAULT), official, check_names=False)


@pytest.mark.parametrize("design", [OPEN_SET, CLOSED_SET])
def test_a_family_is_never_parted(design):
    rows = table(30, 2)
    rows["family"] = rows["label"].map(lambda label: f"family{int(label[1:]) // 3}")
    assigned = assign_splits(rows, design, DEFAULT)
    assert (assigned.groupby(rows["family"]).nunique() == 1).all()


def test_rows_without_a_group_are_clusters_of_their_own():
    rows = table(2, 20)
    rows["group"] = pd.Series([None] * len(rows), dtype="str")
    assigned = assign_splits(rows, CLOSED_SET, DEFAULT)
    assert assigned.value_counts().to_dict() == {"train": 48, "dev": 8, "test": 24}


@pytest.mark.parametrize(("n_labels", "expected"), [(1, {"train"}), (2, {"train", "test"})])
def test_too_few_clusters_go_to_training_first(n_labels, expected):
    assert set(assign_splits(table(n_labels, 1), OPEN_SET, DEFAULT)) == expected


def test_small_verification_splits_get_two_labels_each():
    labels = table(6, 1).assign(split=None)
    counts = labels["label"].groupby(assign_splits(labels, OPEN_SET, DEFAULT)).nunique()
    assert counts.to_dict() == {"train": 2, "dev": 2, "test": 2}
