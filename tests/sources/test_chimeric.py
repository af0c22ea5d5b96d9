import pandas as pd
import pytest

from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.sources.chimeric import assign_chimeric
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
    assigned, left_over = assign_chimeric(FACES, VOICES, TASK, seed=0)
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


def test_too_few_faces():
    with pytest.raises(SamplesError, match="3 image labels for 4 speech labels"):
        assign_chimeric(VOICES, FACES, TASK, seed=0)
