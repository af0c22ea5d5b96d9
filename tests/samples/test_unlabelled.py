"""Samples without a label: where they may be trained on, and what is said of the others."""

import pandas as pd
import pytest

from cross_modal_kd.config import SplitConfig, TaskConfig
from cross_modal_kd.samples import SamplesError, check_samples, deal_folds, join_unlabelled, labels_in_words
from cross_modal_kd.tasks import kind_named

TASK = TaskConfig(name="v", title="v", kind="verification", student="image", teacher="text")
DESIGN = kind_named("verification").design


def pictures(*rows, **columns) -> pd.DataFrame:
    """Rows (name, label, split): a picture and its text each, of one group that is the name."""
    found = []
    for name, label, split in rows:
        about = {"label": label, "group": name, "split": split, "source": "s"}
        found.append({"sample_id": name, "modality": "image", "path": f"{name}.png", "sha256": name, **about})
        found.append({"sample_id": f"{name}/t", "modality": "text", "text": name, "sha256": f"{name}/t", **about})
    return pd.DataFrame(found).assign(**columns).astype({"label": "str", "split": "str"})


LABELLED = pictures(("a", "A", "train"), ("b", "B", "dev"), ("c", "C", "test"))


def joined(others: pd.DataFrame):
    table = pd.concat([LABELLED, others], ignore_index=True)
    has = table["label"].notna()
    return join_unlabelled(table[has], table[~has], TASK)


def test_pairs_without_a_label_are_trained_on():
    found = joined(pictures(("x", None, None), ("y", None, "train")))
    assert found.rejected.empty
    new = found.samples[found.samples["label"].isna()]
    assert list(new["sample_id"]) == ["x", "x/t", "y", "y/t"] and set(new["split"]) == {"train"}
    assert found.samples[found.samples["label"].notna()].equals(LABELLED)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"split": "test"}, "no label, and the test split is measured by labels"),
        ({"group": "b"}, "no label, and its group lies in the dev split"),
        ({"sha256": "c"}, "no label, and its file, byte for byte, lies in the test split"),
        ({"group": None}, "no label, and no text sample beside it (instance)"),
    ],
)
def test_what_cannot_be_trained_on_is_told_with_its_reason(change, reason):
    others = pictures(("x", None, None), ("y", None, None))
    picture = others["sample_id"] == "x"
    for column, value in change.items():
        others[column] = others[column].astype(object).mask(picture, value)
    found = joined(others)
    told = found.rejected.set_index("path")["reason"].to_dict()
    assert told == {"x.png": reason, "x/t": "no label, and no image sample beside it (instance)"}
    assert list(found.samples.loc[found.samples["label"].isna(), "sample_id"]) == ["y", "y/t"]


def test_a_family_in_the_test_split_takes_its_unlabelled_members_out():
    labelled = LABELLED.assign(family=[*[None] * 4, "f", "f"])
    found = join_unlabelled(labelled, pictures(("x", None, None), family="f").set_axis([7, 8]), TASK)
    assert set(found.rejected["reason"]) == {"no label, and its family lies in the test split"}


def test_samples_that_are_measured_must_have_a_label():
    splits = ("train", "dev", "test")
    table = pictures(*((f"{split}{n}", f"{split}{n // 2}", split) for split in splits for n in range(4)))
    check_samples(table, TASK, DESIGN)
    table.loc[table["split"] == "train", "label"] = None
    check_samples(table, TASK, DESIGN)
    table.loc[table["sample_id"] == "dev0", "label"] = None
    with pytest.raises(SamplesError, match="1 image samples of dev or test have no label .'dev0'., and are measured"):
        check_samples(table, TASK, DESIGN)


def test_no_fold_tests_what_has_no_label():
    names = [(f"l{label}/{n}", f"l{label}", ["train", "dev", "test"][label % 3]) for label in range(18) for n in (0, 1)]
    table = pictures(*names, *((f"x{n}", None, "train") for n in range(5)))
    for fold in deal_folds(table, TASK, DESIGN, SplitConfig(), 3):
        assert set(fold.loc[fold["label"].isna(), "split"]) == {"train"}
        assert fold["label"].isna().sum() == 10
    tested = [
        set(fold.loc[fold["split"] == "test", "label"]) for fold in deal_folds(table, TASK, DESIGN, SplitConfig(), 3)
    ]
    assert set.union(*tested) == {f"l{label}" for label in range(18)}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], ""),
        (["a"], ""),
        (["a", "b", None], "of 3 training samples 2 have a label, the others serve by their pairs"),
        ([None, None], "of 2 training samples none has a label, all serve by their pairs"),
        (["a"] * 1200 + [None], "of 1,201 training samples 1,200 have a label, the others serve by their pairs"),
    ],
)
def test_how_many_have_a_label_in_words(labels, said):
    assert labels_in_words(pd.Series(labels, dtype="str")) == said
