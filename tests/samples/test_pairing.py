import pandas as pd
import pytest

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.schema import conform
from sample_tables import CHIMERIC, VERIFICATION, sample, sound_table, teachers_of


def brute_force(table: pd.DataFrame, student: str, teacher: str, key: str) -> dict[str, list[str]]:
    rows = table.to_dict("records")
    return {
        one["sample_id"]: [
            other["sample_id"]
            for other in rows
            if other["modality"] == teacher and other[key] == one[key] and other["split"] == one["split"]
        ]
        for one in rows
        if one["modality"] == student
    }


def test_instance_pairs_are_those_of_a_plain_loop():
    table = sound_table()
    extra = conform(
        pd.DataFrame([sample("l00/second", "l00", "train", "text"), sample("lonely", "l00", "train", group=None)])
    )
    table = pd.concat([table, extra], ignore_index=True)
    pairing = pair(table, VERIFICATION)
    expected = brute_force(table, "image", "text", "group")
    assert teachers_of(pairing) == expected
    assert teachers_of(pairing)["l00/0"] == ["l00/text", "l00/second"]
    assert pairing.without_partner == ["lonely"]
    assert pairing.without_student == []


def test_teacher_samples_that_no_student_sample_has_are_known():
    """The captions of a picture that was rejected serve the teacher alone."""
    table = sound_table()
    pairing = pair(table[table["sample_id"] != "l00/0"], VERIFICATION)
    group = table.loc[table["sample_id"] == "l00/0", "group"].iloc[0]
    others = table[(table["modality"] == "image") & (table["group"] == group) & (table["sample_id"] != "l00/0")]
    left = table[(table["modality"] == "text") & (table["group"] == group)]["sample_id"].tolist()
    assert pairing.without_student == ([] if len(others) else left)
    nobody = pair(table[table["modality"] == "text"], VERIFICATION)
    assert nobody.without_student == nobody.teacher_ids.tolist()


def voices_and_faces(per_label: int) -> pd.DataFrame:
    rows = []
    for label in ("anna", "bert"):
        for number in range(per_label):
            rows.append(sample(f"{label}/v{number}", label, "train", "speech", group=f"{label}/v{number}"))
            rows.append(sample(f"{label}/f{number}", label, "train", "image", group=None))
    return conform(pd.DataFrame(rows))


def test_label_pairs_are_those_of_a_plain_loop_and_share_their_candidates():
    table = voices_and_faces(5)
    pairing = pair(table, CHIMERIC)
    assert teachers_of(pairing) == brute_force(table, "speech", "image", "label")
    assert len(pairing.starts) - 1 == 2 and len(pairing.rows) == 10


def test_a_pair_never_reaches_into_another_split():
    table = voices_and_faces(2)
    table.loc[table["sample_id"] == "anna/f1", "split"] = "test"
    assert teachers_of(pair(table, CHIMERIC))["anna/v0"] == ["anna/f0"]


def test_pairs_before_splitting():
    table = voices_and_faces(2).drop(columns="split")
    assert teachers_of(pair(table, CHIMERIC))["bert/v1"] == ["bert/f0", "bert/f1"]


def test_require_partners_looks_only_at_the_ids_given():
    table = voices_and_faces(2)
    pairing = pair(table[~table["sample_id"].str.startswith("bert/f")], CHIMERIC)
    pairing.require_partners(["anna/v0"])
    with pytest.raises(SamplesError, match="a pair without a partner: 1 .*'bert/v1'"):
        pairing.require_partners(["anna/v0", "bert/v1"])
    with pytest.raises(SamplesError, match="a pair without a partner: 2 "):
        pairing.require_partners()
