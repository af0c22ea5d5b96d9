import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.sources.chimeric import assign_chimeric, partners
from cross_modal_kd.sources.listing import listing

TASK = TaskConfig(
    name="c", title="C", kind="verification", student="speech", teacher="image", pairing="label", chimeric=True
)


def rows(kind: str, labels: list[str], each: int) -> pd.DataFrame:
    return listing(
        [
            {"sample_id": f"{kind}/{label}/{n}", "label": label, "path": f"{label}/{n}", "source": kind, "group": "g"}
            for label in labels
            for n in range(each)
        ]
    ).rows


FACES, VOICES = rows("faces", ["s1", "s2", "s3", "s4"], 2), rows("voices", ["anna", "bert", "carl"], 5)


def test_every_voice_gets_one_face_identity_of_its_own():
    assigned, left_over, *_ = assign_chimeric(FACES, VOICES, TASK, seed=0)
    identity = assigned["path"].str.split("/").str[0]
    pairs = set(zip(identity, assigned["label"], strict=True))
    assert len(pairs) == 3
    assert {label for _, label in pairs} == {"anna", "bert", "carl"}
    assert len({face for face, _ in pairs}) == 3
    assert assigned["group"].isna().all()
    assert len(left_over) == 2
    assert left_over["reason"].str.contains("4 image labels for 3 speech labels").all()
    assert set(left_over["path"]).isdisjoint(assigned["path"])


def test_the_assignment_depends_on_the_seed_alone():
    once = assign_chimeric(FACES, VOICES, TASK, seed=3).rows
    again = assign_chimeric(
        FACES.sample(frac=1, random_state=1), VOICES.sample(frac=1, random_state=2), TASK, seed=3
    ).rows
    pd.testing.assert_frame_equal(
        once.sort_values("sample_id", ignore_index=True), again.sort_values("sample_id", ignore_index=True)
    )
    assert any(not once["label"].equals(assign_chimeric(FACES, VOICES, TASK, seed).rows["label"]) for seed in range(5))


@pytest.mark.parametrize("faces", [41, 60])
def test_a_label_that_is_added_takes_its_partner_from_few_others(faces):
    names, identities = [f"v{number}" for number in range(40)], [f"s{number}" for number in range(faces)]
    moved = []
    for seed in range(20):
        before = partners(names, identities[:-1], seed)
        assert len(set(before.values())) == len(before) == 40
        more = partners([*names, "new"], identities, seed)
        moved.append(sum(more[name] != before[name] for name in names))
        assert partners(names[::-1], identities[-2::-1], seed) == before
    assert np.mean(moved) < 4 and max(moved) < 15


def test_names_are_compared_in_one_form_of_unicode():
    assert (
        partners(["caf\u00e9"], ["a", "b", "\u00e9"], 3)["caf\u00e9"]
        == (partners(["cafe\u0301"], ["a", "b", "\u00e9"], 3)["cafe\u0301"])
    )


def test_what_is_frozen_is_held_and_the_others_are_drawn_from_the_rest():
    frozen = {"anna": "s3", "bert": "nobody", "gone": "s1"}
    assigned = assign_chimeric(FACES, VOICES, TASK, seed=0, frozen=frozen).rows
    of_label = {label: path.split("/")[0] for label, path in zip(assigned["label"], assigned["path"], strict=True)}
    assert of_label["anna"] == "s3" and len(set(of_label.values())) == 3


def test_too_few_faces():
    with pytest.raises(SamplesError, match="3 image labels for 4 speech labels"):
        assign_chimeric(VOICES, FACES, TASK, seed=0)
