import pandas as pd
import pytest

from cross_modal_kd.samples.checks import check_samples
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.schema import conform
from sample_tables import CLASSIFICATION, CLOSED_SET, OPEN_SET, VERIFICATION, sample, sound_table


def classified() -> pd.DataFrame:
    rows = []
    for split in ("train", "dev", "test"):
        for label in ("cat", "dog"):
            rows.append(sample(f"{split}-{label}", label, split, group=f"{split}-{label}"))
            rows.append(sample(f"{split}-{label}-text", label, split, "text", group=f"{split}-{label}"))
    return conform(pd.DataFrame(rows))


def test_sound_tables_pass():
    check_samples(sound_table(), VERIFICATION, OPEN_SET)
    check_samples(classified(), CLASSIFICATION, CLOSED_SET)


def test_a_label_in_two_splits():
    table = sound_table()
    table.loc[table["sample_id"] == "l00/1", ["split", "group"]] = ["test", "another"]
    with pytest.raises(SamplesError, match=r"1 label\(s\) lie in more than one split: 'l00' in test and train"):
        check_samples(table, VERIFICATION, OPEN_SET)


@pytest.mark.parametrize("column", ["group", "family"])
def test_one_group_over_everything_is_named_as_the_cause_of_an_empty_split(column):
    table = classified().assign(split="test")
    table[column] = "all"
    with pytest.raises(SamplesError, match=f"all 6 image samples have one {column}, 'all', .*all in the test split"):
        check_samples(table, CLASSIFICATION, CLOSED_SET)


def test_a_group_in_two_splits():
    table = classified()
    table.loc[table["sample_id"] == "dev-cat", "group"] = "train-cat"
    with pytest.raises(SamplesError, match=r"group\(s\) lie in more than one split: 'train-cat' in dev and train"):
        check_samples(table, CLASSIFICATION, CLOSED_SET)


def test_a_family_in_two_splits():
    table = sound_table()
    table.loc[table["label"].isin(["l00", "l11"]), "family"] = "twins"
    with pytest.raises(SamplesError, match=r"family\(s\) lie in more than one split: 'twins'"):
        check_samples(table, VERIFICATION, OPEN_SET)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_an_empty_split(split):
    table = sound_table()
    with pytest.raises(SamplesError, match=f"the {split} split is empty: it has no image sample"):
        check_samples(table[(table["split"] != split) | (table["modality"] == "text")], VERIFICATION, OPEN_SET)


def test_a_one_class_set():
    table = sound_table()
    with pytest.raises(
        SamplesError, match="one-class set: the image samples of the dev split all have the label 'l04'"
    ):
        check_samples(table[(table["split"] != "dev") | (table["label"] == "l04")], VERIFICATION, OPEN_SET)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_labels_of_one_sample_each_leave_no_pair_to_measure(split):
    table = sound_table()
    rows = table[(table["split"] == split) & (table["modality"] == "image")]
    second = rows["sample_id"][rows["label"].duplicated()]
    with pytest.raises(SamplesError, match=rf"each of the \d+ labels of the {split} split has one image sample"):
        check_samples(table[~table["sample_id"].isin(second)], VERIFICATION, OPEN_SET)
    check_samples(table[~table["sample_id"].isin(second.iloc[1:])], VERIFICATION, OPEN_SET)


def test_a_label_that_training_lacks():
    table = classified()
    table.loc[table["sample_id"] == "test-cat", "label"] = "cow"
    with pytest.raises(SamplesError, match=r"1 label\(s\) occur in dev or test but not in train: 'cow'"):
        check_samples(table, CLASSIFICATION, CLOSED_SET)


def test_a_training_pair_without_a_partner():
    table = sound_table()
    with pytest.raises(SamplesError, match=r"a pair without a partner: 2 student .*'l03/0', 'l03/1'.*without_partner"):
        check_samples(table[table["sample_id"] != "l03/text"], VERIFICATION, OPEN_SET)


def test_a_test_sample_needs_no_partner():
    table = sound_table()
    check_samples(table[table["sample_id"] != "l11/text"], VERIFICATION, OPEN_SET)


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("label", "verification is measured on labels unseen in training"),
        ("group", "a group is one instance, which must not be in training and in the test"),
        ("family", "a family is made of near-identical instances"),
    ],
)
def test_what_is_parted_is_counted_three_are_shown_and_the_reason_is_given(column, why):
    table = sound_table()
    if column != "label":
        table[column] = [f"{column}{number % 6}" for number in range(len(table))]
    else:
        parted = table[table["modality"] == "image"].assign(split="test")
        parted = parted.assign(sample_id=parted["sample_id"] + "+", group=parted["sample_id"])
        table = pd.concat([table, parted[parted["label"] < "l06"]], ignore_index=True)
    with pytest.raises(SamplesError) as raised:
        check_samples(table, VERIFICATION, OPEN_SET)
    message = str(raised.value)
    assert message.startswith(f"6 {column}(s) lie in more than one split: ") and f"Since {why}, put each" in message
    assert message.split("Since")[0].count("' in ") == 3
