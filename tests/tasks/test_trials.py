"""Verification trials, against listing all the pairs."""

import tracemalloc
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.evaluation.protocol import make_trials
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.tasks.trials import DTYPES
from cross_modal_kd.tasks.verification import trials
from cross_modal_kd.tasks.verification.trials import draw_trials
from evaluation_world import CLASSIFICATION, EVALUATION, world

EVERYTHING = EVALUATION.model_copy(update={"max_impostors": 10**6})


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    domains = np.array(["a", "b", None], dtype=object)
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:03d}" for number in rng.permutation(60)],
            "label": [f"l{number}" for number in rng.integers(0, 9, 60)],
            "domain": domains[rng.integers(0, 3, 60)],
        }
    )


def listed(rows: pd.DataFrame) -> dict[tuple[str, str], tuple[int, bool]]:
    """Every pair by brute force: (target, same_domain)."""
    ordered = rows.sort_values("sample_id").to_dict("records")
    return {
        (a["sample_id"], b["sample_id"]): (int(a["label"] == b["label"]), a["domain"] == b["domain"] is not None)
        for a, b in combinations(ordered, 2)
    }


def found(trials: pd.DataFrame) -> dict[tuple[str, str], tuple[int, bool]]:
    pairs = list(zip(trials["enrol_id"], trials["test_id"], strict=True))
    assert len(set(pairs)) == len(pairs)
    return dict(zip(pairs, zip(trials["target"], trials["same_domain"], strict=True), strict=True))


def test_without_a_cap_every_pair_is_there_once(rows):
    trials = draw_trials(rows, EVERYTHING)
    assert found(trials) == listed(rows)
    label = rows.set_index("sample_id")["label"]
    assert (label[trials["enrol_id"]].to_numpy() == trials["enrol_label"].to_numpy()).all()
    assert (label[trials["test_id"]].to_numpy() == trials["test_label"].to_numpy()).all()


def test_a_cap_keeps_every_target_and_draws_impostors_by_the_seed(rows):
    capped = EVALUATION.model_copy(update={"max_impostors": 100})
    trials = draw_trials(rows, capped)
    every = listed(rows)
    pairs = found(trials)
    assert pairs.items() <= every.items()
    assert {pair for pair, (target, _) in pairs.items() if target} == {p for p, (t, _) in every.items() if t}
    assert (trials["target"] == 0).sum() == 100
    pd.testing.assert_frame_equal(trials, draw_trials(rows.sample(frac=1, random_state=0), capped))
    other = draw_trials(rows, capped.model_copy(update={"seed": 1}))
    assert found(other) != pairs


def test_impostors_of_one_domain(rows):
    trials = draw_trials(rows, EVERYTHING.model_copy(update={"impostors": "same_domain"}))
    wanted = {pair: kind for pair, kind in listed(rows).items() if kind[0] or kind[1]}
    assert found(trials) == wanted


def test_impostors_of_one_domain_need_domains(rows):
    with pytest.raises(SamplesError, match=r"evaluation\.impostors is 'same_domain'.*'any'"):
        draw_trials(rows.assign(domain=None), EVERYTHING.model_copy(update={"impostors": "same_domain"}))


def test_memory_does_not_grow_with_the_square_of_the_samples():
    count = 40_000
    rows = pd.DataFrame({"sample_id": [str(n) for n in range(count)], "label": [str(n // 2) for n in range(count)]})
    tracemalloc.start()
    trials = draw_trials(rows.assign(domain=None), EVALUATION.model_copy(update={"max_impostors": 1000}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(trials) == count // 2 + 1000
    assert peak < 100 * 2**20


def test_only_test_samples_of_the_student_are_tried():
    made = world()
    ids = set(made.samples.query("split == 'test' and modality == 'image'")["sample_id"])
    trials = made.trials()
    assert set(trials["enrol_id"]) | set(trials["test_id"]) == ids


def test_classification_has_no_trials_but_their_columns():
    made = world(CLASSIFICATION)
    trials = make_trials(made.samples, made.task, made.evaluation)
    assert trials.empty
    assert trials.dtypes.astype(str).to_dict() == DTYPES


def test_a_draw_from_many_pairs_lists_none_of_those_that_are_not_drawn(monkeypatch):
    monkeypatch.setattr(trials, "MOST_LISTED", 1000)
    total, count = 3_000_000, 100_000  # numpy would list all three million
    tracemalloc.start()
    drawn = trials._drawn(total, count, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(np.unique(drawn)) == count and drawn.min() >= 0 and drawn.max() < total
    assert abs(drawn.mean() / total - 0.5) < 0.01 and peak < 8 * total / 2
    np.testing.assert_array_equal(drawn, trials._drawn(total, count, seed=1))
    assert not np.array_equal(drawn, trials._drawn(total, count, seed=2))
    assert sorted(trials._drawn(2000, 2000, seed=0)) == list(range(2000))


def test_a_trial_takes_a_few_bytes_whatever_the_names():
    rows = pd.DataFrame(
        {"sample_id": [f"a-long-name/of-a-file/{n:06d}.wav" for n in range(3000)], "label": "l", "domain": "d"}
    ).assign(label=lambda table: [f"label-{n // 10}" for n in range(len(table))])
    found = draw_trials(rows.astype("str"), EVALUATION.model_copy(update={"max_impostors": 50_000}))
    assert len(found) == 300 * 45 + 50_000
    assert found.memory_usage(index=False, deep=True).sum() < 27 * len(found) + 1_000_000  # and the names, once
