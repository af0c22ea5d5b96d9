"""A kind of task that nobody foresaw: one class and one registration, and it is split, measured and reported."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.metrics import Metric, MetricSet, bootstrap_mean, in_top_k
from cross_modal_kd.samples.checks import check_samples
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.selection import class_numbers
from cross_modal_kd.samples.splits import assign_splits
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.studies.robustness.errors import protocol
from cross_modal_kd.tasks import KINDS, Evaluated, TaskKind, kind_of
from cross_modal_kd.tasks.classification.metrics import probabilities
from cross_modal_kd.tasks.kind import Caption
from cross_modal_kd.tasks.legend import accuracy_legend, diagnostic_legend
from cross_modal_kd.tasks.on_test import Mistake, Mistakes
from cross_modal_kd.training.projection import fit_projection
from cross_modal_kd.training.teacher import measure_teacher
from evaluation_world import CLASSIFICATION, world

TASK = CLASSIFICATION.model_copy(update={"kind": "shortlist"})


class Shortlist(TaskKind):
    """Is the right label among the first three?"""

    name = "shortlist"
    design = SamplingDesign(cluster="group", closed_set=True, least=1)
    metric, larger_is_better = "hits", True
    error_metric = "misses"
    uses_trials = False
    legends = {
        "hits": accuracy_legend("Hits", "the right label is on the shortlist"),
        "hits_train": diagnostic_legend("Hits on training samples", "the same on training samples", percent=True),
        "hits_gap": diagnostic_legend("Gap of the hits", "train less test", percent=True),
    }
    captions = (Caption("Shortlists", "One plot."), Caption("Shortlists again", "Another plot."))

    def build_classifier(self, student, classes, dim):
        raise NotImplementedError

    def shared_classifier(self, by, projection):
        return None

    def measure(self, embeddings, labels, classes, predict):
        return float((predict() == class_numbers(labels, classes)).mean())

    def measure_error(self, embeddings, labels, classes, predict):
        return 1 - self.measure(embeddings, labels, classes, predict)

    def as_errors(self, values):
        return 1 - values

    def metrics(self, folds, evaluation):
        (tested,) = folds
        numbers = class_numbers(tested.subset.rows["label"], tested.student.config["classes"])
        return self._named("hits", in_top_k(probabilities(tested.student, tested.values), numbers, 3), tested.subset)

    def train_metric(self, folds):
        return self.metrics(folds, None)

    def teacher_metric(self, folds, evaluation):
        ((subset, _),) = folds
        return self._named("hits", np.ones(len(subset.rows)), subset)

    def error(self, subset, student, trials, enrol_values, test_values):
        hits = self.metrics([Evaluated(subset, student, test_values, trials)], None).metrics["hits"]
        return MetricSet({"misses": Metric(1 - hits.value, 1 - hits.resampled)})

    def plots(self, students, teacher, evaluation):
        return Figure(), Figure()

    def worst(self, students):
        return [Mistakes("Off the list", "by far", [Mistake([students.rows["sample_id"].iloc[0]], {"alone": "no"})])]

    @staticmethod
    def _named(name, per_sample, subset):
        resampled = bootstrap_mean(per_sample, subset.clusters, subset.weights)
        return MetricSet({name: Metric(float(per_sample.mean()), resampled)}, {name: 0.25})


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(KINDS, "shortlist", Shortlist())


def test_a_new_kind_is_measured_with_its_own_metrics_and_gap():
    made = world(TASK)
    metrics = made.metrics(made.embeddings(2.0), made.embeddings(0.5, seed=1))
    assert {"hits", "hits_train", "hits_gap", "matching_1_2", "distance_gap"} <= set(metrics["distilled"])
    found = {name: metrics["distilled"][name]["value"] for name in ("hits", "hits_train", "hits_gap")}
    assert found["hits_gap"] == pytest.approx(found["hits_train"] - found["hits"])
    assert metrics["teacher"]["hits"]["value"] == 1
    assert metrics["protocol"]["bootstrap"]["cluster"] == "group"
    assert "trials" not in metrics["protocol"]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_a_new_kind_has_its_words_on_the_page(tmp_path):
    page = world(TASK).report(tmp_path)
    for words in ("Hits", "One plot.", "Shortlists again", "Off the list", "the right label is on the shortlist"):
        assert words in page


def test_a_new_kind_is_split_checked_and_chooses_projections_by_its_metric():
    made = world(TASK)
    dealt = assign_splits(made.samples.drop(columns="split"), kind_of(TASK).design, SplitConfig())
    assert set(dealt) == {"train", "dev", "test"}
    check_samples(made.samples, TASK, kind_of(TASK).design)
    assert measure_teacher(made.samples, TASK, made.teacher)["dev_hits"] > 0.8
    _, history = fit_projection(made.samples, TASK, made.teacher, ProjectionConfig(kind="pca", dim=8, epochs=1))
    assert history["dev"].max() > 0.8


def test_a_new_kind_has_the_error_that_studies_compare():
    made = world(TASK)
    config = RobustnessConfig(kinds={"image": {"blur": [1]}}, bootstrap=40, samples=3)
    setting = protocol(made.samples, TASK, made.evaluation, config)
    values = made.embeddings(0.5).at(setting.subset.rows["sample_id"])
    assert setting.metric == "misses"
    assert 0 <= setting.errors([made.student()], [values], [values]).values[0] < 0.5
