"""The kinds of task as objects: the registry, what each must have, and that nothing outside asks which one it is."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

import cross_modal_kd
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.metrics import pairwise_eer
from cross_modal_kd.models.projection import build_projection
from cross_modal_kd.tasks import KINDS, Evaluated, TaskKind, kind_named, kind_of
from evaluation_world import CLASSIFICATION, VERIFICATION, world

PACKAGE = Path(cross_modal_kd.__file__).parent
ASKS = re.compile(
    r"""(?<![`{])\btask\.kind\b(?!:)|\bkind\s*(==|!=|in)\s*[("'\[{]*(verification|classification)\b"""
    r"""|(==|!=)\s*["'](verification|classification)["']"""
)


def test_the_configuration_names_the_kinds_that_are_registered():
    assert set(get_args(TaskConfig.model_fields["kind"].annotation)) == set(KINDS)
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


def test_a_kind_that_is_not_there_is_named_beside_those_that_are():
    with pytest.raises(KeyError, match=r"task\.kind: no kind of task is called 'ranking'; there are: verification"):
        kind_named("ranking")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_has_everything(kind):
    assert not type(kind).__abstractmethods__
    wanted = [name for name in TaskKind.__annotations__ if not hasattr(kind, name)]
    assert wanted == []


def test_importing_the_kinds_loads_nothing_heavy():
    code = (
        "import sys, cross_modal_kd.tasks\n"
        "print([name for name in ('torch', 'matplotlib', 'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": str(PACKAGE.parent)}


def test_the_metric_of_verification_is_the_eer_and_asks_for_no_class():
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(12, 4)), pd.Series(list("aabbccddeeff"))

    def never() -> np.ndarray:
        raise AssertionError("a verification has no classes to answer with")

    kind = kind_of(VERIFICATION)
    expected = pairwise_eer(values, labels.to_numpy())
    assert kind.measure(values, labels, [], never) == kind.measure_error(values, labels, [], never) == expected


def test_the_metric_of_classification_is_the_share_of_right_answers():
    kind, labels, classes = kind_of(CLASSIFICATION), pd.Series(["a", "b", "b", "unknown"]), ["a", "b"]
    answers = np.array([0, 1, 0, 0])
    assert kind.measure(np.zeros((4, 2)), labels, classes, lambda: answers) == 0.5
    assert kind.measure_error(np.zeros((4, 2)), labels, classes, lambda: answers) == 0.5
    assert kind.measure(np.zeros((4, 2))[:2], labels[:2], classes, lambda: answers[:2]) == 1


@pytest.mark.parametrize("name", KINDS)
def test_every_metric_of_a_kind_has_a_legend_and_its_metric_a_gap(name):
    made = world({"verification": VERIFICATION, "classification": CLASSIFICATION}[name])
    kind, values = kind_named(name), made.embeddings(1.0)
    protocol = made.protocol(values)
    subset = protocol.test
    tested = Evaluated(subset, made.student(), values.at(subset.rows["sample_id"]), protocol.trials)
    found = kind.metrics([tested], made.evaluation)
    assert {*found.metrics, f"{kind.metric}_train", f"{kind.metric}_gap"} == set(kind.legends)
    assert (kind.legends[kind.metric].better == "higher") == kind.larger_is_better
    assert kind.dev_metric == f"dev_{kind.metric}"


def test_errors_are_the_eer_itself_and_what_the_accuracy_leaves():
    values = np.array([[0.1, 0.4], [0.2, 1.0]])
    assert kind_of(VERIFICATION).as_errors(values).tolist() == values.tolist()
    assert kind_of(CLASSIFICATION).as_errors(values) == pytest.approx(np.array([[0.9, 0.6], [0.8, 0.0]]))


@pytest.mark.parametrize("task", [VERIFICATION, CLASSIFICATION], ids=KINDS)
def test_the_error_of_undamaged_samples_is_that_of_the_metric_in_every_resample(task):
    made = world(task)
    kind, table = kind_of(task), made.embeddings(2.0)
    protocol = made.protocol(table)
    values = table.at(protocol.test.rows["sample_id"])
    tested = Evaluated(protocol.test, made.student(), values, protocol.trials)
    metric = kind.metrics([tested], made.evaluation).metrics[kind.metric]
    error = kind.error(protocol.test, made.student(), protocol.trials, values, values).metrics[kind.error_metric]
    assert error.value == pytest.approx(float(kind.as_errors(np.array(metric.value))))
    assert error.resampled == pytest.approx(kind.as_errors(metric.resampled))
    assert 0 < error.value < 0.5


def test_only_the_kind_that_uses_trials_draws_some_and_reads_the_enrolment_side():
    for task in (VERIFICATION, CLASSIFICATION):
        made = world(task)
        kind, table = kind_of(task), made.embeddings(0.5)
        protocol = made.protocol(table)
        assert bool(len(protocol.trials)) == bool(len(protocol.train_trials)) == kind.uses_trials
        values = table.at(protocol.test.rows["sample_id"])
        nonsense = np.random.default_rng(0).normal(size=values.shape)
        student = made.student()
        clean, damaged = (
            kind.error(protocol.test, student, protocol.trials, enrol, values).metrics[kind.error_metric].value
            for enrol in (values, nonsense)
        )
        assert (damaged > clean + 0.1) == kind.uses_trials
        assert (damaged == clean) != kind.uses_trials


def test_a_shared_classifier_is_taken_along_where_a_class_is_answered_by_it():
    projection = build_projection(world(CLASSIFICATION).projection)
    kind = kind_of(CLASSIFICATION)
    assert kind.shared_classifier("own", None) is None
    shared = kind.shared_classifier("both", projection)
    assert (shared.by, shared.scale) == ("both", projection.config.scale)
    assert shared.prototypes.norm(dim=1).tolist() == pytest.approx([1.0] * 12)
    assert kind_of(VERIFICATION).shared_classifier("both", projection) is None


def test_nothing_outside_asks_which_kind_a_task_is():
    """What differs between the kinds is a method or an attribute of theirs."""
    places = [file for room in PACKAGE.iterdir() if room.name != "tasks" for file in sorted(room.rglob("*.py"))]
    asking = [
        f"{file.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for file in places
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if ASKS.search(line)
    ]
    assert len(places) > 100
    assert asking == []


@pytest.mark.parametrize(
    "line",
    [
        'if task.kind == "verification":',
        'if kind == "classification":',
        "x = world.task.kind",
        'kind in ("verification",)',
        'x != "classification"',
    ],
)
def test_a_line_that_asks_would_be_found(line):
    assert ASKS.search(line)


def test_a_shared_classifier_needs_a_projection():
    with pytest.raises(ValueError, match="answer 'teacher' is by the teacher's classifier: expected a projection"):
        kind_of(CLASSIFICATION).shared_classifier("teacher", None)
