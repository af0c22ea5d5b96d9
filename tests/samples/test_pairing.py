import tracemalloc

import pandas as pd
import pytest
from pydantic import ValidationError

from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.pairing import KEYS, item_keys, pair
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


LEVELS = TaskConfig(
    name="s", kind="verification", student="speech", teacher="image", pairing=["instance", "session", "label"]
)


def films() -> pd.DataFrame:
    """anna: a face of clip a/v/1, one of the video w and a still; bert: a still alone; carl: nothing."""
    voices = [("a/v/1", "anna", "v"), ("a/v/2", "anna", "v"), ("a/w/1", "anna", "w"), ("a/w/2", "anna", "w")]
    voices += [("a/x/1", "anna", "x"), ("b/v/1", "bert", "v"), ("c/v/1", "carl", "v")]
    faces = [("f1", "anna", "a/v/1", "v"), ("f2", "anna", None, "w"), ("f3", "anna", None, None)]
    faces.append(("f4", "bert", None, None))
    rows = [sample(key, label, "train", "speech", group=key, domain=video) for key, label, video in voices]
    rows += [sample(key, label, "train", "image", group=group, domain=video) for key, label, group, video in faces]
    return conform(pd.DataFrame(rows))


def test_of_several_levels_the_first_at_which_there_is_a_partner():
    pairing = pair(films(), LEVELS)
    assert teachers_of(pairing) == {
        "a/v/1": ["f1"],
        "a/v/2": ["f1"],
        "a/w/1": ["f2"],
        "a/w/2": ["f2"],
        "a/x/1": ["f1", "f2", "f3"],
        "b/v/1": ["f4"],  # the same video is another speaker's: that is no partner
        "c/v/1": [],
    }
    assert pairing.level.tolist() == [0, 1, 1, 1, 2, 2, -1]
    assert pairing.without_partner == ["c/v/1"] and pairing.without_student == []


@pytest.mark.parametrize("level", ["instance", "session", "label"])
def test_one_level_of_several_is_as_that_level_alone(level):
    alone = pair(films(), LEVELS.model_copy(update={"pairing": level}))
    listed = pair(films(), LEVELS.model_copy(update={"pairing": (level,)}))
    assert teachers_of(alone) == teachers_of(listed)
    expected = {
        row["sample_id"]: [
            other["sample_id"]
            for other in films().to_dict("records")
            if other["modality"] == "image" and all(other[key] == row[key] for key in KEYS[level])
        ]
        for row in films().to_dict("records")
        if row["modality"] == "speech"
    }
    assert teachers_of(alone) == expected


def test_items_are_measured_at_the_widest_level():
    table = films()
    assert item_keys(table, LEVELS).tolist() == table["label"].tolist()
    session = LEVELS.model_copy(update={"pairing": ("instance", "session")})
    assert item_keys(table, session).fillna("-").tolist()[:6] == [*["anna/v"] * 2, *["anna/w"] * 2, "anna/x", "bert/v"]
    assert item_keys(table, session).isna().sum() == 2  # the stills
    instance = LEVELS.model_copy(update={"pairing": "instance"})
    assert item_keys(table, instance).dropna().tolist() == table["group"].dropna().tolist()


def test_memory_grows_with_the_samples_and_not_with_their_pairs():
    count = 20_000  # of each modality: one label, so 4e8 pairs at the widest level
    ids = pd.Series(range(count)).astype("str")
    voices = pd.DataFrame(
        {"sample_id": "v" + ids, "modality": "speech", "label": "l", "domain": None, "group": "v" + ids}
    )
    faces = pd.DataFrame(
        {"sample_id": "f" + ids, "modality": "image", "label": "l", "domain": None, "group": "f" + ids}
    )
    table = pd.concat([voices, faces], ignore_index=True)
    tracemalloc.start()
    pairing = pair(table, LEVELS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (pairing.level == 2).all() and len(pairing.of(0)) == count
    assert peak < 2_000 * count  # bytes


@pytest.mark.parametrize("pairing", [[], ["label", "instance"], ["label", "label"], "video", ["video"]])
def test_levels_that_are_none_are_refused(pairing):
    with pytest.raises(ValidationError, match="pairing"):
        TaskConfig(name="s", kind="verification", student="speech", teacher="image", pairing=pairing)
