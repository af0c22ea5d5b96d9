"""A classification without any label: the words of its classes stand in the place of labels."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from cross_modal_kd.config import (
    ArmConfig,
    ArmsConfig,
    ConfigError,
    DistillationConfig,
    KnownLabels,
    ProjectionConfig,
    TaskConfig,
)
from cross_modal_kd.models import ModelBundle, nearest_prototype, project, prototypes, weights_of, with_prototypes
from cross_modal_kd.pipelines.projection.nodes import fit_projections
from cross_modal_kd.samples import EmbeddingTable, SamplesError, first_few, known_classes
from cross_modal_kd.samples.checks import _labels_are_learnt
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.regimes import labels
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import DamagedPairs, LabelsStudy
from cross_modal_kd.studies.regimes.plots import study_plot
from cross_modal_kd.studies.regimes.projections import refit
from cross_modal_kd.studies.regimes.studies import STUDIES
from cross_modal_kd.studies.tuning.config import LabelledConfig, TuningConfig
from cross_modal_kd.studies.tuning.trials import _hold_labels_back, search_every_arm, searches, tuned_shares_file
from cross_modal_kd.tasks import names_classes, require_words
from cross_modal_kd.training import ArmData, class_words, fit_projection, hold_labels_back, named

TASK = TaskConfig(name="c", title="c", kind="classification", student="image", teacher="text")


class StopHere(Exception):
    """Ends what is looked at no further."""


PULL = {"projection": "pca", "answer": "teacher", "constraints": {"f": {"kind": "cosine"}}}
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
    return pd.DataFrame(rows).assign(group=[f"g{row // 2}" for row in range(36)])


def vector(text: str, row: int = 0) -> np.ndarray:
    noise = np.random.default_rng(row).normal(size=8) * 0.1
    return (np.eye(8)[WORDS[text.replace("-", " ").replace("_", " ")]] + noise).astype(np.float32)


CONFIG = ProjectionConfig(dim=4, hidden=8, kind="pca", epochs=1)
TEACHER = ModelBundle("pretrained", {"encoder": {"library": "sentence_transformers", "name": "x"}, "inputs": {}})


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The words that the teacher was asked for."""
    said: list[str] = []

    def embedded(chosen, *_):
        said.extend(chosen["text"])
        return np.stack([vector(text) for text in chosen["text"]])

    monkeypatch.setattr(named, "teacher_embeddings", embedded)
    return said


def context(table=None, task=TASK, **changes) -> SimpleNamespace:
    table = samples() if table is None else table
    texts = samples()[lambda rows: rows["modality"] == "text"]
    values = np.stack([vector(text, row) for row, text in enumerate(texts["text"])])
    raw = EmbeddingTable(texts["sample_id"].tolist(), values, "f")
    projection, _ = fit_projection(samples(), TASK, raw, CONFIG)
    found = SimpleNamespace(
        **{"task": task, "samples": table, "projection_pca": projection, "teacher_model": TEACHER, "raw": raw},
        **changes,
    )
    found.projection_without_labels = Context.projection_without_labels.func(found)
    return found


def test_the_prototype_of_a_class_is_what_the_teacher_says_to_its_words(asked):
    given = context()
    found = given.projection_without_labels
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


def test_no_label_decides_it(asked):
    other = samples()
    train = (other["split"] == "train").to_numpy()
    other.loc[train, "label"] = np.random.default_rng(0).permutation(other.loc[train, "label"])
    one, two = (context(table).projection_without_labels for table in (None, other))
    np.testing.assert_array_equal(prototypes(one), prototypes(two))


def test_a_verification_asks_for_no_words(asked):
    given = context(task=TASK.model_copy(update={"kind": "verification"}))
    assert given.projection_without_labels is given.projection_pca and not asked


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_stage_asks_for_words_where_no_label_is_known_and_fits_the_same_projection(asked, share):
    """As ``distill`` does; what is known of the classes are then their names alone."""
    given = context()
    told = hold_labels_back(given.samples, TASK, KnownLabels(share=share))
    words = class_words(given.samples, told, TASK, TEACHER)
    assert (words is None) == (share > 0)
    for kind in ("pca", "mlp"):
        config = CONFIG.model_copy(update={"kind": kind})
        found, history = fit_projection(told, TASK, given.raw, config, words)
        assert found.config["classes"] == ["deep_sea", "red-fox", "sky"]
        assert history["dev"].max() == 1, "dev texts are nearest to the words of their class"
        if not share:
            assert len(history) == 1, "nothing is trained"
        if not share and kind == "pca":
            assert weights_of(found) == weights_of(given.projection_without_labels)


def test_classes_are_those_of_dev_where_no_training_sample_has_a_label(asked):
    table = samples()
    table.loc[table["split"] == "train", "label"] = None
    assert known_classes(table, TASK) == ["deep_sea", "red-fox", "sky"]
    assert list(class_words(table, table, TASK, TEACHER).sample_ids) == ["deep_sea", "red-fox", "sky"]
    _labels_are_learnt(table[table["modality"] == "image"])
    table.loc[(table["split"] == "dev") & (table["label"] == "sky"), "label"] = "red-fox"
    with pytest.raises(
        SamplesError, match=r"1 label\(s\) occur in test but not in dev: 'sky'.*classes are those of dev"
    ):
        _labels_are_learnt(table[table["modality"] == "image"])


def test_classes_of_the_same_words_cannot_be_told_apart(asked):
    table = samples().replace({"label": {"sky": "red_fox"}})
    table.loc[table["split"] == "train", "text"] = None
    with pytest.raises(ConfigError, match=r"task c: .*'red-fox' and 'red_fox'|task c: .*'red-fox', 'red_fox'"):
        class_words(table, table.assign(label=None), TASK, TEACHER)


def few_and_misleading() -> pd.DataFrame:
    """One labelled text a class, which says another class than its label."""
    table, turned = samples(), {"red-fox": "sky", "sky": "deep_sea", "deep_sea": "red-fox"}
    train = table["split"] == "train"
    table.loc[train, "label"] = table.loc[train, "label"].map(turned)
    return table


def test_words_beside_labels_count_as_so_many_texts_of_their_class(asked, caplog):
    """Two texts a class say otherwise: one word is outvoted, nine are not."""
    caplog.set_level("INFO")
    given, told = context(), few_and_misleading()
    dev = {}
    for count in (1, 9):
        words = class_words(given.samples, told, TASK, TEACHER, count)
        assert list(words.sample_ids) == ["deep_sea", "red-fox", "sky"]
        found, history = fit_projection(told, TASK, given.raw, CONFIG.model_copy(update={"words": count}), words)
        assert len(history) == 1 + CONFIG.epochs and found.config["classes"] == list(words.sample_ids)
        dev[count] = history["dev"][0]
    assert dev == {1: 0, 9: 1}
    kept = fit_projection(told, TASK, given.raw, CONFIG)[0]
    one = class_words(given.samples, told, TASK, TEACHER, 1)
    outvoted = fit_projection(told, TASK, given.raw, CONFIG.model_copy(update={"words": 1}), one)[0]
    assert all(np.array_equal(outvoted.tensors[name], values) for name, values in kept.tensors.items()), "left out"
    assert "0.0000 without: they are kept" in caplog.text and "0.0000 without: they are left out" in caplog.text
    directions = {name: values for name, values in kept.tensors.items() if name != "weight"}
    assert directions and all(np.array_equal(found.tensors[name], values) for name, values in directions.items())


def test_words_beside_labels_are_asked_for_alone_where_the_configuration_says_so(asked):
    given = context()
    asked.clear()
    block = DistillationConfig(labelled={"share": 0.5})
    fit_projections(given.samples, TASK, given.raw, CONFIG, block, TEACHER)
    assert not asked
    fit_projections(given.samples, TASK, given.raw, CONFIG.model_copy(update={"words": 2}), block, TEACHER)
    assert asked == ["deep sea", "red fox", "sky"]


def test_studies_fit_with_the_same_words(asked, tmp_path):
    config, labelled = CONFIG.model_copy(update={"words": 9}), LabelledConfig(share=0.5)
    about = {"configuration": SimpleNamespace(projection=config), "fingerprint": "f", "projections": {"pca": None}}
    given = context(few_and_misleading(), **about)
    given.teacher_embeddings, given.words_beside = given.raw, partial(Context.words_beside, given)
    told = hold_labels_back(given.samples, TASK, KnownLabels(share=0.5))
    words = class_words(given.samples, told, TASK, TEACHER, 9)
    expected = weights_of(fit_projection(told, TASK, given.raw, config, words)[0])
    assert expected != weights_of(fit_projection(told, TASK, given.raw, config)[0])
    assert weights_of(refit(given, told, given.raw, {"pca"}, {}, tmp_path)["pca"]) == expected
    train = given.samples[lambda rows: (rows["modality"] == "image") & (rows["split"] == "train")]
    data = ArmData(*[None] * 2, list(words.sample_ids), train, *[None] * 6)
    assert weights_of(_hold_labels_back(given, given.samples, data, labelled, 0.5)[1]["pca"]) == expected


def test_a_damaged_teacher_does_not_read_the_words_undamaged(asked, tmp_path):
    given = context(configuration=SimpleNamespace(projection=CONFIG.model_copy(update={"words": 9})), fingerprint="f")
    given.teacher_embeddings = given.raw
    damaged = EmbeddingTable(given.raw.sample_ids, given.raw.values + 1, "g")
    with pytest.raises(ConfigError, match="projection.words is 9.*regimes.teacher: set it to 0"):
        refit(given, given.samples, damaged, {"pca"}, {}, tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "verification"}, "a verification names no classes"),
        ({"teacher": "speech"}, "a teacher of modality speech reads none"),
        ({"chimeric": True}, "pairs are chimeric"),
    ],
)
def test_words_beside_labels_need_classes_and_somebody_who_reads_them(asked, changes, said):
    task = TASK.model_copy(update=changes)
    with pytest.raises(ConfigError, match=f"projection.words is 3, but {said}.*: set it to 0"):
        class_words(samples(), samples(), task, TEACHER, 3)
    assert class_words(samples(), samples(), task, TEACHER) is None and not asked


@pytest.mark.parametrize("sky", ["Red fox", "\N{CYRILLIC SMALL LETTER EM}"])
def test_names_that_the_teacher_reads_alike_are_refused(monkeypatch, sky):
    """Letters of either case, or of a script that it does not know: the first of two such classes took every answer."""

    def read(chosen, *_):
        known = [text.lower() if text.isascii() else "red fox" for text in chosen["text"]]
        return np.stack([vector(text) + np.float32(1e-7) * row for row, text in enumerate(known)])

    monkeypatch.setattr(named, "teacher_embeddings", read)
    table = samples().replace({"label": {"sky": sky}})
    with pytest.raises(ConfigError, match=r"task c: .*the teacher reads '.*' alike: give each a name of its own"):
        class_words(table, table.assign(label=None), TASK, TEACHER)


def test_classes_that_are_called_by_numbers_are_warned_of(monkeypatch, caplog):
    monkeypatch.setattr(named, "teacher_embeddings", lambda chosen, *_: np.eye(len(chosen), 8, dtype=np.float32))
    table = samples().replace({"label": {"sky": "3", "red-fox": "10-1"}})
    one = class_words(table, table.assign(label=None), TASK, TEACHER)
    assert "2 of 3 classes have no letter in their names ('10-1', '3')" in caplog.text
    other = class_words(table.replace({"label": {"10-1": "10_1"}}), table.assign(label=None), TASK, TEACHER)
    assert one.fingerprint != other.fingerprint, "the same words, of a class that is called otherwise"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": "speech"}, "a teacher of modality speech reads none"),
        ({"chimeric": True}, "pairs are chimeric, so that the teacher's words are of other things"),
    ],
)
def test_without_words_of_the_classes_labels_are_needed(changes, message):
    task = TASK.model_copy(update=changes)
    with pytest.raises(
        ConfigError, match=rf"task c: .*{message}. Give some samples a label.*tuning.labelled.shares above 0"
    ):
        require_words(task)
    with pytest.raises(ConfigError, match=message):
        class_words(samples(), samples().assign(label=None), task, TEACHER)
    require_words(task.model_copy(update={"kind": "verification"}))


def test_damage_beside_words_keeps_what_is_known_of_the_teacher(monkeypatch):
    train = samples()[lambda rows: (rows["split"] == "train") & (rows["modality"] == "image")]
    data = ArmData(TASK, None, [], train, None, None, None, None, None, "")
    world = SimpleNamespace(data=data, task=TASK, configuration=SimpleNamespace(sources=None, inputs=None))
    few = Condition("0 %", 0.0, {}, data, None, None, {}, None, facts={"teacher_top1": 0.5})
    damaged = DamagedPairs(share=0.5, kinds={"image": {"blur": [3]}})
    monkeypatch.setattr(labels, "damage", lambda *_: SimpleNamespace(dose=lambda _: "some"))
    for name in ("Roots", "load_inputs"):
        monkeypatch.setattr(labels, name, lambda *_: None)
    monkeypatch.setattr(labels, "weights_of_damaged", lambda _, hit, __: hit[["sample_id"]])
    found = labels._damaged(world, damaged, few, np.zeros(len(train), bool))
    assert found.facts == {"teacher_top1": 0.5, "damaged_samples": len(train)}


def test_a_row_of_prototypes_for_each_class():
    given = context(task=TASK.model_copy(update={"kind": "verification"}))
    with pytest.raises(ValueError, match=r"a prototype for each class, \(2, 4\), found \(3, 4\)"):
        with_prototypes(given.projection_pca, ["a", "b"], np.ones((3, 4)))
    found = with_prototypes(given.projection_pca, ["a", "b"], np.ones((2, 4)))
    assert torch.is_tensor(found.tensors["weight"])
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


def test_the_baseline_without_labels_is_one_that_is_trained_there(asked):
    given = context(arms=ARMS)
    study = LabelsStudy(arms=["none", "simclr", "answers", "soft"], shares=[0.0], twins=["answers"])
    trained = labels.arms_at(ARMS, study, 0.0, named=names_classes(TASK))
    assert list(trained.root) == ["answers", "answers_twin", "soft"]
    message = (
        r"without_labels is 'simclr'.*not trained there: its answer is 'own'.*those that are: answers, answers_twin"
    )
    with pytest.raises(ConfigError, match=message):
        labels._no_labels(given, study, trained)
    assert not names_classes(TASK.model_copy(update={"kind": "verification"}))


def test_the_figure_says_what_errors_are_reduced_against_where_nothing_is_labelled():
    arms = ArmsConfig({"none": {}, "simclr": {"self_supervised": {}}, "pull": {**PULL, "title": "the plain pull"}})
    table = pd.DataFrame({"value": [0.0, 0.2]})

    def look(beside, table=table):
        study = LabelsStudy(arms=list(arms.root), shares=[0.2, 0.0], without_labels=beside)
        world = SimpleNamespace(task=TASK, arms=arms)
        return STUDIES["labels"].look(world, SimpleNamespace(labels=study, baseline="none"), table)

    assert look("simclr").bound == look("pull", table.iloc[1:]).bound == ""
    assert look("pull").bound == "the plain pull"
    drawn = {"arm": ["pull", "pull"], "title": "p", "condition": ["0 %", "20 %"], "error_metric": "top1_error"}
    for name in ("error", "relative_reduction_to_baseline"):
        drawn |= {f"{name}{end}": [0.5, 0.4] for end in ("_low", "_high", "_mean" if name == "error" else "")}
    figure = study_plot(table.assign(**drawn, no_interval=""), look("pull"))
    assert figure.axes[1].get_ylabel().endswith("student without a teacher\n(at 0%: the plain pull), %")


@pytest.mark.parametrize(("top1", "warned"), [(0.25, True), (0.33, True), (0.7, False), (None, False)])
def test_names_by_which_the_teacher_tells_no_more_than_chance_are_warned_of(top1, warned):
    words = EmbeddingTable(["c1", "c2", "c3", "c4"], np.eye(4), "f")
    said = named.no_better_than_chance(words, top1, 40)
    assert bool(said) == warned
    if warned:
        assert f"({first_few(words.sample_ids)}) the teacher tells {100 * top1:.1f} % of its 40 dev samples" in said
        assert "chance 25.0 %" in said and "words that the teacher knows" in said


def test_the_projection_stage_says_that_the_names_tell_nothing(asked, caplog, monkeypatch):
    """The teacher reads each name as another class: the stage goes on, and says what to expect."""
    given = context()
    read = named.teacher_embeddings
    monkeypatch.setattr(named, "teacher_embeddings", lambda *given: np.roll(read(*given), 1, axis=0))
    block = DistillationConfig(labelled={"share": 0.0})
    fit_projections(given.samples, TASK, given.raw, CONFIG, block, TEACHER)
    assert "a student that is told the names alone learns nothing of the classes" in caplog.text


@pytest.mark.parametrize(
    ("kind", "share", "warned"), [("student", 0.5, True), ("student", 1.0, False), ("pretrained", 0.5, False)]
)
def test_a_teacher_that_was_trained_on_labels_that_are_held_back_is_warned_of(caplog, kind, share, warned):
    given = context(task=TASK.model_copy(update={"kind": "verification"}))
    block = DistillationConfig(labelled={"share": share})
    fit_projections(given.samples, TASK, given.raw, CONFIG, block, replace(TEACHER, kind=kind))
    assert ("the teacher was trained on all of them" in caplog.text) == warned


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.5]])
def test_studies_warn_of_such_a_teacher_too(caplog, monkeypatch, shares):
    teacher = replace(TEACHER, kind="student")
    tuning = TuningConfig(trials=1, space={"none": {"lr": {"low": 0.1, "high": 0.2}}}, labelled={"shares": shares})
    monkeypatch.setattr("cross_modal_kd.studies.tuning.trials.make_storage", lambda _: (_ for _ in ()).throw(StopHere))
    with pytest.raises(StopHere):
        search_every_arm([SimpleNamespace(arms=ARMS, task=TASK, teacher_model=teacher)], tuning, Path())
    study = LabelsStudy(arms=["none"], shares=shares)
    monkeypatch.setattr(labels, "arms_at", lambda *_: (_ for _ in ()).throw(StopHere))
    world = SimpleNamespace(task=TASK, teacher_model=teacher, samples=samples(), arms=ARMS, fold=1)
    world.data = SimpleNamespace(train=samples()[lambda rows: rows["modality"] == "image"])
    with pytest.raises(StopHere):
        list(labels.conditions(world, study, Path()))
    assert caplog.text.count("the teacher was trained on all of them") == (2 if 0.5 in shares else 0)


def test_a_search_without_labels_is_through_the_words_of_the_classes(asked):
    given = context()
    data = ArmData(*[None] * 2, ["deep_sea", "red-fox", "sky"], given.samples.iloc[:4], *[None] * 6)
    labelled = TuningConfig(space={"none": {}}, labelled={"shares": [0.0]}).labelled
    held, projections, part = _hold_labels_back(given, given.samples, data, labelled, 0.0)
    assert (held.known == -1).all() and len(held.known) == 4 and part is None
    assert projections == {"pca": given.projection_without_labels}
    assert weights_of(projections["pca"]) != weights_of(given.projection_pca)


def test_so_is_the_study_which_says_what_the_names_are_worth(asked, monkeypatch):
    given = context(arms=ARMS, teacher_embeddings=None)
    given.data = SimpleNamespace(train=given.samples.iloc[:4])
    given.configuration = SimpleNamespace(student=None, training=None)
    given.projections = {}
    monkeypatch.setattr(labels, "teacher_facts", lambda _, __, projection: {"worth": projection})
    study = LabelsStudy(arms=["none", "answers"], shares=[0.0], without_labels="answers")
    found = labels._no_labels(given, study, labels.arms_at(ARMS, study, 0.0, named=True))
    assert found.projections == {"pca": given.projection_without_labels} and found.baseline == "answers"
    assert found.facts == {"worth": given.projection_without_labels} and (found.labels == -1).all()
    assert found.varied == {"labelled": 0.0, "classes": "words"}, "another training than a verification's"
