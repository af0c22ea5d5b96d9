"""Clusters, strata and draws of a sampling design."""

import pandas as pd
import pytest

from cross_modal_kd.samples.design import draw_clusters
from cross_modal_kd.samples.schema import conform
from sample_tables import CLOSED_SET, OPEN_SET, sample


@pytest.fixture
def rows() -> pd.DataFrame:
    made = [
        sample(f"{label}{number}", label, "train", group=None if number == 3 else f"{label}g{number // 2}")
        for label in ("a", "b", "c", "d")
        for number in range(4)
    ]
    return conform(pd.DataFrame(made))


def test_a_cluster_is_a_label_or_a_group_and_a_sample_without_group_is_one_of_its_own(rows):
    assert OPEN_SET.clusters(rows).tolist() == rows["label"].tolist()
    assert CLOSED_SET.clusters(rows)[:4].tolist() == ["ag0", "ag0", "ag1", "a3"]


def test_what_is_dealt_is_the_family_before_the_cluster_and_its_name_says_of_what(rows):
    rows.loc[rows["label"] == "b", "family"] = "twins"
    assert OPEN_SET.dealt(rows)[[0, 4]].tolist() == ["label:a", "family:twins"]
    assert CLOSED_SET.dealt(rows)[[0, 3, 4]].tolist() == ["group:ag0", "sample:a3", "family:twins"]


def test_strata_are_the_labels_of_a_closed_set_and_one_of_an_open_one(rows):
    closed = CLOSED_SET.strata(rows["label"], CLOSED_SET.clusters(rows))
    assert closed["bg1"] == "b"
    assert closed["d3"] == "d"
    assert OPEN_SET.strata(rows["label"], OPEN_SET.clusters(rows)).to_dict() == dict.fromkeys("abcd", "all")


def test_a_draw_takes_a_share_of_every_stratum_and_the_least_at_any_rate(rows):
    closed = draw_clusters(rows, CLOSED_SET, 0.01, 0)
    assert sorted(name[0] for name in closed) == ["a", "b", "c", "d"]
    assert len(draw_clusters(rows, CLOSED_SET, 0.67, 0)) == 8
    assert len(draw_clusters(rows, OPEN_SET, 0.01, 0)) == 2
    assert draw_clusters(rows, OPEN_SET, 1.0, 0) == set("abcd")


def test_a_smaller_draw_is_a_part_of_a_larger_one(rows):
    draws = [draw_clusters(rows, OPEN_SET, share, 3) for share in (0.5, 0.75, 1.0)]
    assert draws[0] < draws[1] < draws[2]
    assert {frozenset(draw_clusters(rows, OPEN_SET, 0.5, seed)) for seed in range(6)} != {frozenset(draws[0])}
