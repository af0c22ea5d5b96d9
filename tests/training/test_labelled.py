"""Labels that are held back, and samples that have none: what a training is told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cross_modal_kd.config import ArmsConfig, DistillationConfig, KnownLabels, ProjectionConfig, TaskConfig
from cross_modal_kd.hooks.checks import Run, _held_back
from cross_modal_kd.samples import EmbeddingTable, SamplesError, train_classes
from cross_modal_kd.training import fit_projection, hold_labels_back, labelled_clusters, labelled_part

TASKS = {
    kind: TaskConfig(name=kind, title=kind, kind=kind, student="image", teacher="text")
    for kind in ("verification", "classification")
}


def table(labels: int = 10, instances: int = 4) -> pd.DataFrame:
    """Instances of each label, a picture and a text each; the last two labels of a verification are dev and test."""
    rows = []
    for label in range(labels):
        for number in range(instances):
            split = {8: "dev", 9: "test"}.get(label, "train")
            about = {"label": f"l{label}", "group": f"g{label}/{number}", "split": split}
            rows += [{"sample_id": f"{label}/{number}/{what}", "modality": what, **about} for what in ("image", "text")]
    return pd.DataFrame(rows).astype({"label": "str"})


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_what_is_held_back_is_the_label_alone_and_in_training_alone(task, share):
    samples = table()
    known = hold_labels_back(samples, task, KnownLabels(share=share))
    assert known.drop(columns="label").equals(samples.drop(columns="label"))
    gone = known["label"].isna()
    assert (samples.loc[gone, "split"] == "train").all()
    assert known.loc[~gone, "label"].equals(samples.loc[~gone, "label"])
    assert gone[samples["modality"] == "image"].sum() == 32 - round(share * 32)
    kept = labelled_clusters(samples, task, share, 0) if share else set()
    assert labelled_part(samples, task, kept).index.equals(samples.index[~gone])


def test_all_labels_known_is_the_table_itself_and_goes_unsaid_in_keys():
    samples = table()
    assert hold_labels_back(samples, TASKS["verification"], KnownLabels()) is samples
    assert "labelled" not in DistillationConfig().model_dump()
    assert DistillationConfig(labelled={"share": 0.5}).model_dump()["labelled"]["share"] == 0.5


def test_the_draw_is_among_what_has_a_label_and_another_seed_draws_others():
    samples, task = table(), TASKS["verification"]
    missing = samples["label"].isin(["l0", "l1", "l2", "l3"])
    few = samples.assign(label=samples["label"].mask(missing))
    draws = []
    for draw in range(3):
        known = hold_labels_back(few, task, KnownLabels(share=0.5, draw=draw))
        draws.append(tuple(train_classes(known, task)))
        assert len(draws[-1]) == 2 and set(draws[-1]) <= {"l4", "l5", "l6", "l7"}
    assert len(set(draws)) > 1


@pytest.mark.parametrize("wrong", [{"share": -0.1}, {"share": 1.1}, {"draw": -1}, {"in_batch": 0.0}, {"in_batch": 1.0}])
def test_a_wrong_value_is_refused(wrong):
    with pytest.raises(ValidationError):
        KnownLabels(**wrong)


def test_arms_that_ask_for_labels_are_refused_where_all_are_held_back():
    arms = ArmsConfig(
        {
            "none": {},
            "simclr": {"self_supervised": {}},
            "moving": {"projection": "mlp", "constraints": {"feature": {"kind": "cosine"}}},
            "fixed": {"projection": "pca", "constraints": {"feature": {"kind": "cosine"}}},
            "going_on": {"projection": "pca", "joint": True, "constraints": {"feature": {"kind": "cosine"}}},
            "naming": {"projection": "pca", "answer": "teacher", "constraints": {"c": {"kind": "classifier_kl"}}},
            "logits": {"projection": "pca", "constraints": {"c": {"kind": "hinton_kd"}}},
        }
    )

    def said(share, baseline="none", arm="moving", kind="verification", teacher="text", pretrained=True):
        block = DistillationConfig(baseline=baseline, arm=arm, labelled={"share": share})
        task = TASKS[kind].model_copy(update={"teacher": teacher})
        blocks = {"distillation": block, "task": task, "arms": arms, "teacher": SimpleNamespace(pretrained=pretrained)}
        return list(_held_back(Run(blocks, {"distillation"})))

    assert said(0.01) == []
    alone, distilled = said(0.0)
    assert alone.startswith("distillation.baseline is 'none', which cannot be trained") and "labels alone" in alone
    assert distilled.startswith("distillation.arm is 'moving'") and "projection is trained on labels" in distilled
    assert said(0.0, "simclr", "fixed") == []
    (naming,) = said(0.0, "simclr", "naming")
    assert "asks the classifier of classes" in naming and "conf/no_labels has two" in naming
    assert DistillationConfig(labelled={"share": 0.05}).in_a_line().endswith("with 5 % of the labels")

    (joint,) = said(0.0, "simclr", "going_on")
    assert "joint goes on training its projection on labels" in joint

    assert said(0.0, "logits", "naming", kind="classification") == []
    (trained,) = said(0.0, "logits", "naming", kind="classification", pretrained=False)
    assert trained.startswith("teacher.pretrained is false") and "learns the labels that" in trained
    assert said(0.01, "logits", "naming", kind="classification", pretrained=False) == []
    alone, distilled = said(0.0, "simclr", "fixed", kind="classification")
    assert "its answer is 'own', and nothing but labels teaches its own classifier" in alone and "fixed" in distilled
    assert "conf/no_labels_image has two" in alone
    (unnamed,) = said(0.0, "logits", "naming", kind="classification", teacher="speech")
    assert "then names its classes by their words, but a teacher of modality speech reads none" in unnamed


def test_a_teacher_none_of_whose_training_samples_has_a_label_is_told():
    """Pictures with labels, and texts that know their picture alone: there is nothing to learn a prototype from."""
    samples, task = table(), TASKS["verification"]
    texts = samples["modality"] == "text"
    samples["label"] = samples["label"].mask(texts & (samples["split"] == "train"))
    values = np.random.default_rng(0).normal(size=(texts.sum(), 8))
    given = EmbeddingTable(samples.loc[texts, "sample_id"].tolist(), values, "f")
    with pytest.raises(SamplesError, match=r"none of the 32 text samples .* image samples there have \('l0', 'l1'"):
        fit_projection(samples, task, given, ProjectionConfig(dim=4))
