"""What the samples of a task can teach, and how large its splits are: by plain loops, and what is told of it."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import SplitConfig, TaskConfig
from cross_modal_kd.samples import (
    SamplesError,
    asked_for,
    assign_splits,
    conform,
    count_contents,
    count_shared,
    count_shares,
    doubts_of,
    far_from_asked,
    few_contents,
    pair,
    require_differences,
)
from cross_modal_kd.tasks import kind_of


def task(pairing="label", kind="verification") -> TaskConfig:
    return TaskConfig(name="t", title="T", kind=kind, student="image", teacher="text", pairing=pairing)


@pytest.fixture
def samples() -> pd.DataFrame:
    """60 pictures of 6 labels, some of them copies, and 40 texts of which many say the same."""
    rng = np.random.default_rng(0)
    rows = []
    for modality, count, contents in (("image", 60, 45), ("text", 40, 9)):
        for number in range(count):
            content, label = int(rng.integers(contents)), f"l{rng.integers(6)}"
            rows.append(
                {"sample_id": f"{modality}{number}", "modality": modality, "label": label, "group": f"g{number % 30}",
                 "split": str(rng.choice(["train", "dev", "test"])), "source": "s", "sha256": f"{content:064x}",
                 "path": f"{number}.png" if modality == "image" else None,
                 "text": f"says {content}" if modality == "text" else None}
            )  # fmt: skip
    return conform(pd.DataFrame(rows))


def test_contents_are_counted_as_by_plain_loops(samples):
    found = count_contents(samples, task()).set_index("modality")
    for modality in ("image", "text"):
        rows = samples[(samples["modality"] == modality) & (samples["split"] == "train")].to_dict("records")
        of_label = {
            label: [row["sha256"] for row in rows if row["label"] == label] for label in {row["label"] for row in rows}
        }
        lost = [
            label for label, held in of_label.items()
            if all(any(one in theirs for other, theirs in of_label.items() if other != label) for one in held)
        ]  # fmt: skip
        held = [row["sha256"] for row in rows]
        row = found.loc[modality]
        assert (row["samples"], row["contents"], row["labels"]) == (len(rows), len(set(held)), len(of_label))
        assert (row["first_lost"] if lost else None) == min(lost, default=None)
        assert row["lost"] == len(lost) and row["most"] == max(map(held.count, held))
        copied = [label for label, each in of_label.items() if len(each) > 1 and len(set(each)) == 1]
        assert row["copies"] == len(copied) and (row["first_copied"] if copied else None) == min(copied, default=None)
        assert row["example"] in [each["text"] if modality == "text" else each["path"] for each in rows]
    assert found.loc["text", "lost"] > 0  # else this looks at nothing


def test_boxes_of_one_picture_are_different_contents(samples):
    boxes = samples[samples["modality"] == "image"].assign(sha256="0" * 64, split="train")
    boxes["path"] = [f"photo.jpg#xywh={number},0,9,9" for number in range(len(boxes))]
    table = pd.concat([boxes, samples[samples["modality"] == "text"]])
    require_differences(table, task())
    assert count_contents(table, task())["contents"].tolist()[0] == len(boxes)
    with pytest.raises(SamplesError, match="60 image samples of the train split all hold the same .photo.jpg#xywh=0"):
        require_differences(
            table.assign(path=table["path"].mask(table["path"].notna(), "photo.jpg#xywh=0,0,9,9")), task()
        )


def test_signs_that_are_not_seen_make_no_text_another(samples):
    texts = samples["text"].notna()
    unseen = [f"a tree{chr(0x200B) * at}" for at in range(texts.sum())]
    samples.loc[texts, "text"] = unseen
    samples.loc[texts, "sha256"] = [f"{at:064x}" for at in range(texts.sum())]
    with pytest.raises(SamplesError, match="text samples of the train split all hold the same"):
        require_differences(samples.assign(split="train"), task())
    samples.loc[texts, "text"] = [f"caf\u00e9 {at}" for at in range(texts.sum())]
    assert count_contents(samples.assign(split="train"), task())["contents"].tolist()[1] == texts.sum()


def test_what_few_contents_mean_depends_on_the_pairing(samples):
    plain = {"samples": 9, "labels": 3, "lost": 0, "first_lost": None, "first_copied": "c"}
    image = plain | {"modality": "image", "contents": 9, "copies": 0, "most": 1, "example": "a"}
    text = plain | {"modality": "text", "contents": 4, "copies": 3, "most": 3, "example": "b"}
    counts = pd.DataFrame([image, text])
    assert few_contents(counts, task()) == []
    (said,) = few_contents(counts, task("instance"))
    assert said.startswith("9 text samples hold 4 different contents (the commonest 3 times: 'b'), and are paired one")
    assert few_contents(counts.assign(contents=9), task("instance")) == []
    (lost,) = few_contents(counts.assign(lost=[0, 2], first_lost="b"), task())
    assert lost.startswith(
        "2 labels have text samples that are found under other labels too, and no other (the first is 'b')"
    )
    (copies,) = few_contents(counts.assign(copies=[1, 0]), task())
    assert copies.startswith("1 label has several image samples that are copies of one (the first is 'c')")


@pytest.mark.parametrize("pairing", ["instance", "label", ["instance", "label"]])
def test_shared_partners_are_counted_as_by_plain_loops(samples, pairing):
    pairing = pair(samples, task(pairing))
    split = dict(zip(samples["sample_id"], samples["split"], strict=True))
    of = {
        name: (pairing.level[at], *pairing.teacher_ids.iloc[pairing.of(at)])
        for at, name in enumerate(pairing.student_ids)
    }
    found = count_shared(samples, pairing)
    assert list(found["split"]) == ["train", "dev", "test"]
    for row in found.itertuples():
        mine = [held for name, held in of.items() if split[name] == row.split and held[1:]]
        assert row.paired == len(mine) and row.shared == sum(mine.count(held) > 1 for held in mine)
        assert row.most == max(map(mine.count, mine))


def labels(number: int) -> pd.DataFrame:
    rows = [
        {"sample_id": f"{label}/{each}", "modality": "image", "label": f"label{label}", "group": f"{label}/{each}",
         "source": "s", "path": f"{label}/{each}.png", "sha256": f"{label}{each}"}
        for label in range(number) for each in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_split_far_from_its_share_is_told_and_one_near_to_it_is_not():
    design, split, rows = kind_of(task()).design, SplitConfig(), labels(21)
    far = set()
    for seed in range(40):
        chosen = split.model_copy(update={"seed": seed})
        found = rows.assign(split=assign_splits(rows, design, chosen))
        shares = count_shares(found, task(), design, asked_for(rows, chosen)).set_index("split")
        counts = {name: found.loc[found["split"] == name, "label"].nunique() for name in ("train", "dev", "test")}
        assert shares["dealt"].to_dict() == shares["labels"].to_dict() == counts
        assert shares["samples"].to_dict() == {name: 2 * count for name, count in counts.items()}
        said = far_from_asked(shares.reset_index())
        asked = {"train": 12.6, "dev": 2.1, "test": 6.3}
        expected = [
            name for name in counts
            if abs(counts[name] - asked[name]) >= 1.5 and not 1 / 1.5 <= counts[name] / asked[name] <= 1.5
        ]  # fmt: skip
        assert bool(said) == bool(expected)
        far.add(bool(said))
        if said:
            test = f"test {counts['test']} ({counts['test'] / 21:.0%}, asked 30%)"
            assert "of 21 labels train" in said and test in said and "ingestion.split.seed" in said
    assert far == {True, False}


@pytest.mark.parametrize("asked", [(0.6, 0.1, 0.3), (0.6, 0.2, 0.2)])
def test_of_few_labels_a_split_that_no_seed_brings_nearer_is_told_with_what_would(asked):
    design = kind_of(task()).design
    split = SplitConfig(**dict(zip(("train", "dev", "test"), asked, strict=True)))

    def said(rows, design=design, given=None):
        found = rows.assign(split=assign_splits(rows, design, split) if given is None else given)
        return far_from_asked(count_shares(found, task(), design, asked_for(rows, split)))

    told = said(labels(6))
    assert f"of 6 labels train 2 (33%, asked 60%), dev 2 (33%, asked {asked[1]:.0%}), test 2" in told
    assert "Each is to hold 2 labels at least, so that no other ingestion.split.seed comes much nearer" in told
    assert told.endswith("more labels would")
    assert said(labels(8), given=["train"] * 8 + ["dev"] * 4 + ["test"] * 4) == ""  # as near as can be
    pictures = labels(12).assign(
        label=[f"label{number % 8}" for number in range(24)], sha256=[f"{number}" for number in range(24)]
    )
    pictures["group"] = pictures["sample_id"]
    told = said(pictures, kind_of(task(kind="classification")).design)
    assert "of 24 groups train 8 (33%, asked 60%)" in told and "Each is to hold 8 groups at least" in told


def test_shares_that_nobody_asked_for_are_far_from_nothing(tmp_path):
    rows = labels(6)
    official = rows.assign(split=["test"] * 8 + ["train"] * 4)
    assert asked_for(official, SplitConfig()) is None and asked_for(rows, SplitConfig()) is not None
    shares = count_shares(official, task(), kind_of(task()).design, None)
    assert shares["asked"].isna().all() and far_from_asked(shares) == ""
    (tmp_path / "split.csv").write_text("cluster,split\nlabel:label1,test\n")
    frozen = SplitConfig(frozen=str(tmp_path / "split.csv"))
    assert asked_for(rows, frozen) is None


def test_labels_and_texts_that_may_be_meant_otherwise_are_told_of():
    def told(labels, texts=()):
        rows = pd.DataFrame(
            {"label": [*labels, *["x"] * len(texts)], "text": [*[None] * len(labels), *texts]}, dtype="str"
        )
        return doubts_of(rows)

    assert told(["cat", "dog", "10", "1", "0", "2024-01-05", "05/01/2024", "True", "1e3", None]) == []
    (numbers,) = told(["1", "01", "1.0", "1,00", "100", "-1", "0", "00"])
    assert "different ones: '00' and '0'; '01' and '1' and '1,00' and '1.0'; give" in numbers.replace(
        "'0' and '00'", "'00' and '0'"
    )
    (words,) = told(["TRUE", "true", "no"])
    assert "'TRUE' and 'true'" in words
    assert told(["none", "na", "nil"], ["na", "none", "nan a"]) == []
    nothing, texts = told(["nan", "NA", "NA", "cat"], ["None", "#N/A", "a nan"])
    assert nothing.startswith("3 samples have the label 'NA', 'nan', which programs write where there is none")
    assert texts.startswith("2 samples have the text ") and "'None'" in texts and "a nan" not in texts


def test_groups_that_may_be_meant_as_one_are_told_of():
    table = pd.DataFrame({"label": ["x"] * 4, "text": None, "path": ["a/1", "a/01", "b", "c"]}, dtype="str")
    (said,) = doubts_of(table.assign(group=["1", "01", "1.0", "2"]))
    assert said.startswith("groups that differ in capitals") and "'01' and '1' and '1.0'; give" in said
    assert doubts_of(table.assign(group=table["path"])) == []
