"""A classification without any label: the words of its classes stand in the place of labels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from cross_modal_kd.config import ArmConfig, ArmsConfig, ConfigError, ProjectionConfig, TaskConfig
from cross_modal_kd.models import ModelBundle, nearest_prototype, project, prototypes, with_prototypes
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies import named
from cross_modal_kd.studies.named import named_projection, names_classes
from cross_modal_kd.studies.regimes import labels
from cross_modal_kd.studies.regimes.config import LabelsStudy
from cross_modal_kd.studies.tuning.config import TuningConfig
from cross_modal_kd.studies.tuning.trials import searches, tuned_shares_file
from cross_modal_kd.training import fit_projection

TASK = TaskConfig(name="c", title="c", kind="classification", student="image", teacher="text")
WORDS = {"red fox": 0, "sky": 1, "deep sea": 2}
ARMS = ArmsConfig(
    {
        "none": {},
        "simclr": {"self_supervised": {}},
        "hinton": {"projection": "pca", "constraints": {"c": {"kind": "hinton_kd"}}},
        "answers": {"projection": "pca", "answer": "teacher", "constraints": {"f": {"kind": "cosine", "margin": 0.1}}},
        "own": {"projection": "pca", "constraints": {"f": {"kind": "cosine"}}},
        "soft": {"projection": "pca", "answer": "teacher", "constraints": {"c": {"kind": "classifier_kl"}}},
        "moving": {"projection": "mlp", "answer": "teacher", "constraints": {"f": {"kind": "cosine"}}},
        "passes": {
            "projection": "pca",
            "answer": "teacher",
            "constraints": {"c": {"kind": "classifier_ce", "options": {"unlabelled": "ignore"}}},
        },
    }
)


def samples() -> pd.DataFrame:
    """Twelve pairs of three classes, a third of them in each split; a text is near the words of its class."""
    rows = []
    for row in range(36):
        modality, label = ("image", "text")[row % 2], ("red-fox", "sky", "deep_sea")[row // 2 % 3]
        split = ("train", "dev", "test")[row // 12]
        rows.append({"sample_id": f"s{row}", "modality": modality, "label": label, "split": split, "text": label})
    return pd.DataFrame(rows)


def vector(text: str, row: int = 0) -> np.ndarray:
    noise = np.random.default_rng(row).normal(size=8) * 0.1
    return (np.eye(8)[WORDS[text.replace("-", " ").replace("_", " ")]] + noise).astype(np.float32)


def context(monkeypatch, task=TASK, **changes):
    table = samples()
    texts = table[table["modality"] == "text"]
    raw = EmbeddingTable(
        texts["sample_id"].tolist(), np.stack([vector(t, n) for n, t in enumerate(texts["text"])]), "f"
    )
    config = ProjectionConfig(dim=4, hidden=8, kind="pca")
    projection, _ = fit_projection(table, TASK, raw, config)
    asked = []

    def embedded(chosen, *_):
        asked.extend(chosen["text"])
        return np.stack([vector(text) for text in chosen["text"]])

    monkeypatch.setattr(named, "teacher_embeddings", embedded)
    compute = SimpleNamespace(compute=SimpleNamespace(accelerator="cpu"))
    about = SimpleNamespace(sources=None, inputs=None, training=compute)
    found = SimpleNamespace(
        task=task, configuration=about, samples=table, projection_pca=projection, teacher_model=None, raw=raw, **changes
    )
    return found, asked


def test_the_prototype_of_a_class_is_what_the_teacher_says_to_its_words(monkeypatch):
    given, asked = context(monkeypatch)
    found = named_projection(given)
    assert asked == ["deep sea", "red fox", "sky"], "blanks for the signs of file names, in the order of the classes"
    assert found.config["classes"] == ["deep_sea", "red-fox", "sky"]
    here = project(given.projection_pca, np.stack([vector(text) for text in asked]))
    np.testing.assert_allclose(prototypes(found), here, atol=1e-6)
    assert not np.allclose(prototypes(found), prototypes(given.projection_pca), atol=1e-3)
    values = given.raw.values
    np.testing.assert_array_equal(project(found, values), project(given.projection_pca, values))
    texts = given.samples[given.samples["modality"] == "text"]
    taken = [found.config["classes"][n] for n in nearest_prototype(found, project(found, values))]
    assert taken == texts["label"].tolist()


def test_no_label_decides_it(monkeypatch):
    given, _ = context(monkeypatch)
    other = given.samples.copy()
    train = (other["split"] == "train").to_numpy()
    other.loc[train, "label"] = np.random.default_rng(0).permutation(other.loc[train, "label"])
    shuffled = SimpleNamespace(**{**vars(given), "samples": other})
    np.testing.assert_array_equal(prototypes(named_projection(shuffled)), prototypes(named_projection(given)))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (TASK.model_copy(update={"teacher": "speech"}), "its modality is speech"),
        (TASK.model_copy(update={"chimeric": True}), "pairs are chimeric"),
    ],
)
def test_without_words_of_the_classes_there_is_no_share_of_0(monkeypatch, task, message):
    given, _ = context(monkeypatch, task=task)
    with pytest.raises(
        ConfigError, match=rf"the task c no label.*{message}.*regimes.labels.shares and tuning.labelled"
    ):
        named_projection(given)


def test_a_row_of_prototypes_for_each_class(monkeypatch):
    given, _ = context(monkeypatch)
    with pytest.raises(ValueError, match=r"a prototype for each class, \(2, 4\), found \(3, 4\)"):
        with_prototypes(given.projection_pca, ["a", "b"], np.ones((3, 4)))
    found = with_prototypes(given.projection_pca, ["a", "b"], np.ones((2, 4)))
    assert isinstance(found, ModelBundle) and torch.is_tensor(found.tensors["weight"])
    assert given.projection_pca.config["classes"] == ["deep_sea", "red-fox", "sky"], "the given one stays"


def test_which_arms_can_name_a_class_that_no_sample_shows():
    reasons = {name: ARMS.get(name).asks_for_labels(named=True) for name in ARMS.root}
    assert [name for name, asks in reasons.items() if not asks] == ["hinton", "answers", "soft"]
    assert (
        reasons["simclr"] == reasons["own"] == "its answer is 'own', and nothing but labels teaches its own classifier"
    )
    assert "trained on labels" in reasons["moving"] and "constraints.c passes over" in reasons["passes"]
    assert "asks the classifier" in ARMS.get("soft").asks_for_labels(), "in a verification"
    both = ArmConfig(projection="pca", answer="both", constraints={"f": {"kind": "cosine"}})
    assert "its answer is 'both'" in both.asks_for_labels(named=True)


def test_a_search_without_labels_answers_by_words_and_says_so():
    space = {
        "own": {
            "answer": {"choices": ["own", "teacher"]},
            "projection": {"choices": ["mlp", "pca"]},
            "constraints.f.weight": {"low": 1.0, "high": 2.0},
        },
        "hinton": {"constraints.c.weight": {"low": 1.0, "high": 2.0}},
        "simclr": {"lr": {"low": 0.001, "high": 0.1}},
    }
    tuning = TuningConfig(trials=2, space=space, labelled={"shares": [0.0]})
    found = searches(ARMS, tuning, named=True)
    assert [(each.name, each.arm.answer, list(each.space)) for each in found] == [
        ("own", "teacher", ["constraints.f.weight"]),
        ("hinton", "own", ["constraints.c.weight"]),
    ]
    text = tuned_shares_file(found, TASK, tuning)
    assert "answer: teacher" in text and text.count("answer") == 1 and "answer: own" not in text
    assert list(searches(ARMS, tuning)[0].space) == ["answer", "constraints.f.weight"], "a verification names no class"


def test_the_baseline_without_labels_is_one_that_is_trained_there(monkeypatch):
    given, _ = context(monkeypatch, arms=ARMS)
    study = LabelsStudy(arms=["none", "simclr", "answers", "soft"], shares=[0.0], twins=["answers"])
    trained = labels.arms_at(ARMS, study, 0.0, named=names_classes(TASK))
    assert list(trained.root) == ["answers", "answers_twin", "soft"]
    message = (
        r"without_labels is 'simclr'.*not trained there: its answer is 'own'.*those that are: answers, answers_twin"
    )
    with pytest.raises(ConfigError, match=message):
        labels._no_labels(given, study, trained)
    assert not names_classes(TASK.model_copy(update={"kind": "verification"}))
