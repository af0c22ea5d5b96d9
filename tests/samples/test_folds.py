"""Every cluster is tested once, by a student that was trained without it."""

import pandas as pd
import pytest

from cross_modal_kd.config import SplitConfig, TaskConfig
from cross_modal_kd.samples import SamplesError, SamplingDesign, assign_splits, deal_folds

VERIFICATION = SamplingDesign(cluster="label", closed_set=False, least=2)
CLASSIFICATION = SamplingDesign(cluster="group", closed_set=True, least=1)
SPLIT = SplitConfig(train=0.55, dev=0.15, test=0.3)


def task(kind: str, pairing: str = "label") -> TaskConfig:
    return TaskConfig(name="t", title="t", kind=kind, student="speech", teacher="image", pairing=pairing)


def table(labels: int, groups: int = 2, design: SamplingDesign = VERIFICATION, **columns: list) -> pd.DataFrame:
    rows = [
        {"modality": modality, "label": f"l{label}", "group": f"g{label}_{group}"}
        for modality in ("speech", "image")
        for label in range(labels)
        for group in range(groups)
    ]
    found = pd.DataFrame(rows)
    found["sample_id"] = [f"s{number}" for number in range(len(found))]
    found["sha256"] = [f"{number:064x}" for number in range(len(found))]
    found = found.assign(path=found["sample_id"], source="s")
    found = found.assign(**columns)
    return found.assign(split=assign_splits(found, design, SPLIT))


def in_tests(folds: list[pd.DataFrame], column: str) -> list[str]:
    return [name for fold in folds for name in sorted(set(fold.loc[fold["split"] == "test", column]))]


@pytest.mark.parametrize("folds", [3, 4, 7])
def test_every_label_is_tested_once_and_the_first_fold_is_the_split(folds):
    samples = table(24)
    found = deal_folds(samples, task("verification"), VERIFICATION, SPLIT, folds)
    assert len(found) == folds
    assert found[0]["split"].tolist() == samples["split"].tolist()
    assert sorted(in_tests(found, "label")) == sorted(set(samples["label"]))
    for fold in found:
        parts = fold.groupby("label")["split"].nunique()
        assert (parts == 1).all() and set(fold["split"]) == {"train", "dev", "test"}


def test_the_others_are_dealt_evenly():
    sizes = [
        fold.loc[fold["split"] == "test", "label"].nunique()
        for fold in deal_folds(table(40), task("verification"), VERIFICATION, SPLIT, 4)[1:]
    ]
    assert max(sizes) - min(sizes) <= 1


def test_folds_of_classes_hold_each_class_in_training():
    samples = table(5, groups=6, design=CLASSIFICATION)
    found = deal_folds(samples, task("classification"), CLASSIFICATION, SPLIT, 3)
    assert sorted(in_tests(found, "group")) == sorted(set(samples["group"]))
    for fold in found:
        assert set(fold.loc[fold["split"] == "train", "label"]) == set(samples["label"])


def test_a_class_of_one_group_is_never_tested_without_having_been_learnt():
    samples = table(5, groups=6, design=CLASSIFICATION)
    once = samples[samples["label"] == "l0"].groupby("modality").head(1).assign(split="train")
    samples = pd.concat([samples[samples["label"] != "l0"], once], ignore_index=True)
    for fold in deal_folds(samples, task("classification"), CLASSIFICATION, SPLIT, 3):
        assert set(fold.loc[fold["label"] == "l0", "split"]) == {"train"}


def test_what_must_not_be_parted_is_dealt_together():
    """Families lie in one test."""
    families = [f"f{number // 2 % 8}" for number in range(96)]
    samples = table(24, groups=2, family=families)
    for fold in deal_folds(samples, task("verification"), VERIFICATION, SPLIT, 3):
        assert (fold.groupby("family")["split"].nunique() == 1).all()


@pytest.mark.parametrize(("kind", "design"), [("verification", VERIFICATION), ("classification", CLASSIFICATION)])
def test_where_no_training_sample_has_a_label_none_has_one_in_any_fold(kind, design):
    """Else the students of the other folds would learn from labels that the first, and the page, know nothing of."""
    samples = table(8, groups=6, design=design)
    labelled = samples.assign(split=samples["split"].where(samples["split"] == "test", "dev"))
    more = samples.head(4).assign(label=None, group="more", split="train")
    both = pd.concat([more, more.assign(modality="image")]).assign(
        sample_id=[f"more{row}" for row in range(8)], sha256=[f"{row:064x}" for row in range(900, 908)]
    )
    both["group"] = [f"more{row % 4}" for row in range(8)]
    found = deal_folds(pd.concat([labelled, both], ignore_index=True), task(kind, pairing="instance"), design, SPLIT, 3)
    assert sorted(in_tests(found, "group")) == sorted(set(labelled["group"]))
    for fold in found:
        assert fold.loc[fold["split"] == "train", "label"].isna().all() and (fold["split"] == "train").sum() == 8
        if design.closed_set:
            assert set(fold.loc[fold["split"] == "dev", "label"]) == set(labelled["label"])


def test_a_training_sample_without_its_partner_is_left_out_of_that_fold():
    samples = table(24)
    name = samples.loc[samples["split"] == "test", "label"].iloc[0]
    lost = (samples["modality"] == "image") & (samples["label"] == name)
    found = deal_folds(samples[~lost], task("verification"), VERIFICATION, SPLIT, 3)
    assert name in set(found[0]["label"])
    for fold in found[1:]:
        there = fold.loc[fold["label"] == name, "split"]
        assert set(there) <= {"dev"}


def test_too_few_to_deal_say_so():
    with pytest.raises(SamplesError, match=r"evaluation.folds: 30 folds need at least 29 labels"):
        deal_folds(table(12), task("verification"), VERIFICATION, SPLIT, 30)


def test_a_fold_that_cannot_be_measured_is_named():
    with pytest.raises(SamplesError, match=r"evaluation.folds: in fold \d of 6: one-class set"):
        deal_folds(table(8), task("verification"), VERIFICATION, SPLIT, 6)


@pytest.mark.parametrize("folds", [3, 5])
def test_copies_of_a_file_are_tested_together_whatever_their_labels(folds):
    """The split itself may part them (conflicting_copies: keep); a fold does not."""
    samples = table(24)
    speech = samples.index[samples["modality"] == "speech"]
    samples.loc[speech[::4], "sha256"] = samples.loc[speech[2::4], "sha256"].to_numpy()
    assert samples.loc[speech, "sha256"].duplicated().any()
    for fold in deal_folds(samples, task("verification"), VERIFICATION, SPLIT, folds)[1:]:
        copies = fold[fold["sha256"].duplicated(keep=False) & (fold["modality"] == "speech")]
        assert len(copies) and (copies.groupby("sha256")["split"].nunique() == 1).all()


def test_a_group_of_two_labels_is_tested_together():
    samples = table(24)
    samples.loc[samples["label"].isin(["l0", "l1"]), "group"] = "both"
    samples["split"] = samples["split"].where(~samples["label"].isin(["l0", "l1"]), "train")
    for fold in deal_folds(samples, task("verification"), VERIFICATION, SPLIT, 3):
        assert fold.loc[fold["group"] == "both", "split"].nunique() == 1


def test_a_class_whose_teacher_has_groups_of_its_own_stays_in_training():
    """What is dealt to the tests are the student's groups, not the many of the teacher."""
    rows = [
        {"modality": modality, "label": f"l{label}", "group": f"{modality}{label}_{group}"}
        for modality, count in (("speech", 4), ("image", 8))
        for label in range(6)
        for group in range(count)
    ]
    samples = pd.DataFrame(rows)
    samples["sample_id"] = [f"s{number}" for number in range(len(samples))]
    samples = samples.assign(path=samples["sample_id"], source="s", sha256=[f"{n:064x}" for n in range(len(samples))])
    for seed in range(12):
        split = SPLIT.model_copy(update={"seed": seed})
        made = samples.assign(split=assign_splits(samples, CLASSIFICATION, split))
        of_student = made[(made["modality"] == "speech") & (made["split"] == "train")]
        if set(of_student["label"]) != set(made["label"]):
            continue
        for fold in deal_folds(made, task("classification"), CLASSIFICATION, split, 3):
            learnt = fold[(fold["modality"] == "speech") & (fold["split"] == "train")]
            assert set(learnt["label"]) == set(fold["label"])


def test_the_same_table_is_dealt_the_same():
    one, other = (deal_folds(table(24), task("verification"), VERIFICATION, SPLIT, 3) for _ in range(2))
    assert all(a.equals(b) for a, b in zip(one, other, strict=True))
