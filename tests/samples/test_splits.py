import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.samples.splits import assign_splits, draw_splits, score
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


@pytest.mark.parametrize("seed", range(3))
def test_sizes_follow_the_shares_as_a_random_draw_does(seed):
    counts = assign_splits(table(2000, 1), OPEN_SET, SplitConfig(seed=seed)).value_counts() / 2
    for name, share in {"train": 0.6, "dev": 0.1, "test": 0.3}.items():
        assert abs(counts[name] - 2000 * share) < 4 * np.sqrt(2000 * share * (1 - share))


def test_the_draw_is_the_hash_of_the_seed_and_the_name():
    """By hand: nothing else decides, on no machine."""
    names = [f"label:l{number}" for number in range(50)]
    drawn = draw_splits(names, {"train": 0.5, "dev": 0.25, "test": 0.25}, 7, least=2)
    for name in names:
        first = int(hashlib.sha256(f"7\0{name}".encode()).hexdigest()[:12], 16) / 16**12
        assert score(name, 7) == first
        assert drawn[name] == ("train" if first < 0.5 else "dev" if first < 0.75 else "test")
    assert score("é", 0) == score("e\u0301", 0) != score("é", 1)


@given(n=st.integers(0, 60), more=st.integers(1, 20), seed=st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_what_is_added_moves_nothing_where_no_split_was_short(n, more, seed):
    """Nor is one short of what it needs, whatever is drawn."""
    shares, names = {"train": 0.6, "dev": 0.1, "test": 0.3}, [str(number) for number in range(n + more)]
    before, after = draw_splits(names[:n], shares, seed, 2), draw_splits(names, shares, seed, 2)
    by_score = {
        name: "train" if score(name, seed) < 0.6 else "dev" if score(name, seed) < 0.7 else "test" for name in names
    }
    moved = {name for name in before if before[name] != after[name]}
    if n >= 3:
        assert moved <= {name for name in before if before[name] != by_score[name] or after[name] != by_score[name]}
        assert all(list(before.values()).count(name) >= min(2, n // 3) for name in shares)
    if all([by_score[name] for name in before].count(split) >= 2 for split in shares):
        assert not moved
        assert before == {name: by_score[name] for name in before}


def test_a_split_that_is_short_takes_the_nearest_of_training():
    names = [str(number) for number in range(40)]
    shares = {"train": 0.6, "dev": 1e-6, "test": 0.4 - 1e-6}
    drawn = draw_splits(names, shares, 0, 2)
    expected = sorted((name for name in names if score(name, 0) < 0.6), key=lambda name: score(name, 0))[-2:]
    assert {name for name in names if drawn[name] == "dev"} == set(expected)


def test_what_is_held_counts():
    shares = {"train": 0.98, "dev": 0.01, "test": 0.01}
    assert set(draw_splits(["a", "b", "c"], shares, 0, 2, {"dev": 2, "test": 2, "train": 2}).values()) == {"train"}
    short = draw_splits([str(number) for number in range(9)], shares, 0, 2, {"test": 1})
    assert {name: list(short.values()).count(name) for name in shares} == {"train": 6, "dev": 2, "test": 1}
    assert draw_splits(["a"], shares, 0, 2, {"train": 1}) == {"a": "test"}


@pytest.mark.parametrize("design", [OPEN_SET, CLOSED_SET])
def test_one_more_label_moves_no_other(design):
    rows = table(21, 20)
    fewer = rows[rows["label"] != "l7"]
    before, after = (assign_splits(part, design, DEFAULT) for part in (fewer, rows))
    assert (before == after[before.index]).all()


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
    expected = {row.sample_id: score(f"sample:{row.sample_id}", 0) for row in rows.itertuples()}
    names = rows["sample_id"].map(expected).map(lambda at: "train" if at < 0.6 else "dev" if at < 0.7 else "test")
    assert (assigned == names).all()


@pytest.mark.parametrize(("n_labels", "expected"), [(1, {"train"}), (2, {"train", "test"})])
def test_too_few_clusters_go_to_training_first(n_labels, expected):
    assert set(assign_splits(table(n_labels, 1), OPEN_SET, DEFAULT)) == expected


def test_small_verification_splits_get_two_labels_each():
    labels = table(6, 1).assign(split=None)
    counts = labels["label"].groupby(assign_splits(labels, OPEN_SET, DEFAULT)).nunique()
    assert counts.to_dict() == {"train": 2, "dev": 2, "test": 2}


def test_copies_under_one_label_lie_in_one_split():
    rows = table(3, 20)
    rows["sha256"] = [f"{number % 40 // 4}-{label}" for number, label in enumerate(rows["label"])]
    assigned = assign_splits(rows, CLOSED_SET, DEFAULT)
    assert (assigned.groupby(rows["sha256"]).nunique() == 1).all()
    assert (assigned.groupby(rows["group"]).nunique() == 1).all()
    assert set(assigned) == {"train", "dev", "test"}


def test_a_frozen_cluster_keeps_its_split_and_new_ones_are_drawn():
    rows = table(30, 2)
    drawn = assign_splits(rows, OPEN_SET, SplitConfig(seed=5))
    frozen = {f"label:{label}": split for label, split in zip(rows["label"], drawn, strict=True) if label != "l3"}
    for seed in (5, 6):
        again = assign_splits(rows, OPEN_SET, SplitConfig(seed=seed), frozen)
        assert (again == drawn)[rows["label"] != "l3"].all()
    more = assign_splits(table(60, 2), OPEN_SET, SplitConfig(seed=5), frozen)
    assert (more[: len(rows)] == drawn).all()
    assert set(more[len(rows) :]) == {"train", "dev", "test"}


def test_a_copy_of_a_frozen_file_follows_it():
    rows = table(1, 6)
    rows.loc[rows["group"].isin(["g0-0", "g0-5"]), "sha256"] = "f" * 64
    frozen = {f"group:g0-{number}": split for number, split in enumerate(("test", "train", "train", "dev", "test"))}
    assigned = assign_splits(rows, CLOSED_SET, DEFAULT, frozen)
    assert (assigned[rows["group"] == "g0-5"] == "test").all()


def test_a_frozen_split_beside_an_official_one():
    rows = table(20, 1)
    official = pd.Series(np.where(rows["label"].isin(["l0", "l1"]), "test", None), dtype="str")
    frozen = {"label:l2": "train", "label:l3": "dev", "label:l0": "test"}
    assigned = assign_splits(rows.assign(split=official), OPEN_SET, DEFAULT, frozen)
    assert set(rows.loc[assigned == "test", "label"]) == {"l0", "l1"}
    assert assigned[rows["label"] == "l3"].eq("dev").all()
    with pytest.raises(SamplesError, match="1 cluster has another official split in the source: 'label:l1'"):
        assign_splits(rows.assign(split=official), OPEN_SET, DEFAULT, {"label:l1": "train"})
