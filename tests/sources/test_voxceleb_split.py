"""Splits of VoxCeleb that are files: the identification split of VoxCeleb1, and lists of speakers."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.config.ingestion import SourceConfig, SplitConfig
from cross_modal_kd.samples.checks import check_samples
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.splits import assign_splits
from cross_modal_kd.sources import published
from cross_modal_kd.sources.voxceleb import read_voxceleb
from cross_modal_kd.sources.voxceleb_faces import read_voxceleb_faces
from cross_modal_kd.tasks import kind_of
from voxceleb_trees import metas, touch

OTHER = "-_zcIw_-eo4"
IDEN = (
    "1 id10001/1zcIwhmdeo4/00001.wav\n"
    f"2 id10001/{OTHER}/00002.wav\n"
    "3 id10001/tCq2LcKO6xY/00003.wav\n"
    "1 id10270/x6uYqmx31kE/00001.wav\n"
    "3 id10270/x6uYqmx31kE/00002.wav\n"
)
SOUNDS = [line.split()[1] for line in IDEN.splitlines()]


def read(root: Path, layout=read_voxceleb, **options):
    return layout("vox", Roots({"vox": SourceConfig(layout="voxceleb", root=str(root))}), options)


def splits(listing) -> dict[str, str]:
    return dict(zip(listing.rows["path"], listing.rows["split"].fillna("-"), strict=True))


@pytest.fixture
def tree(tmp_path):
    touch(metas(tmp_path), *(f"wav/{path}" for path in SOUNDS))
    (tmp_path / "iden_split.txt").write_text(IDEN)
    return tmp_path


def test_the_identification_split_deals_utterances_of_every_speaker(tree):
    found = splits(read(tree, split="iden_split.txt"))
    assert list(found.values()) == ["dev", "train", "test", "train", "test"]
    assert found[f"wav/id10001/{OTHER}/00002.wav"] == "dev"  # of both parts of VoxCeleb1, those of its test among them
    plain = splits(read(tree))
    assert set(plain.values()) == {"-", "test"} and len(plain) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" id", " voxceleb1/id"),
        lambda text: text.replace("\n", "\r\n") + "\r\n",
        lambda text: "\ufeff" + text,
        lambda text: text.replace("id10001/1zcIwhmdeo4/00001", "A.J._Buckley/1zcIwhmdeo4_0000001"),
    ],
)
def test_copies_of_it_are_the_same(tree, change):
    expected = splits(read(tree, split="iden_split.txt"))
    (tree / "iden_split.txt").write_text(change(IDEN), encoding="utf-8")
    assert splits(read(tree, split=str(tree / "iden_split.txt"))) == expected


def test_what_it_names_and_is_not_there_is_said(tree, caplog):
    (tree / f"wav/{SOUNDS[0]}").unlink()
    counts = read(tree, split="iden_split.txt").counts.set_index("what")["found"]
    assert counts[["train", "train, there"]].tolist() == [2, 1]
    assert "of what iden_split.txt names, 1 has no sound below" in caplog.text
    assert f"'{SOUNDS[0].removesuffix('.wav')}'" in caplog.text
    (tree / "people.txt").write_text("id10001 train\nid10270 test\nid10002 test\n")
    read(tree, split="people.txt")
    assert "of what people.txt names, 1 has no sound below" in caplog.text and "'id10002'" in caplog.text


def test_what_it_does_not_name_is_passed_over_with_the_reason(tree):
    (tree / "iden_split.txt").write_text(IDEN.replace("2 id10001", "2 id10002"))
    listing = read(tree, split="iden_split.txt")
    assert len(listing.rows) == 4
    lost = listing.rejected.set_index("path")["reason"]
    assert lost[f"wav/id10001/{OTHER}/00002.wav"] == "iden_split.txt (the source's option split) has it in no split"


def test_its_counts_are_held_against_the_published_ones(tree, monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        counts = read(tree, split="iden_split.txt").counts
    of_split = counts[counts["part"] == "VoxCeleb1 identification"]
    assert of_split["found"].tolist() == [2, 1, 2] * 2 and of_split["published"].sum() == 2 * 153_516
    assert of_split["what"].tolist()[3:] == ["train, there", "dev, there", "test, there"]
    assert "not the whole of VoxCeleb1 identification: found train: 2 of 138,361" in caplog.text
    swapped = {"train": 2, "dev": 2, "test": 1}
    monkeypatch.setattr(published, "COUNTS", {**published.COUNTS, "VoxCeleb1 identification": swapped})
    with pytest.raises(SamplesError, match="not the official split of VoxCeleb1 identification: found train 2, dev 1"):
        read(tree, split="iden_split.txt")


def test_faces_are_of_the_split_of_their_utterance_or_else_of_their_whole_video(tree):
    touch(
        tree,
        "unzippedIntervalFaces/data/Eartha_Kitt/1.6/x6uYqmx31kE/1/12.jpg",
        "unzippedIntervalFaces/data/Eartha_Kitt/1.6/x6uYqmx31kE/2/12.jpg",
        "unzippedFaces/A.J._Buckley/1.6/tCq2LcKO6xY/0000375.jpg",
        "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000375.jpg",
        "VGGFace1/A.J._Buckley/1.jpg",
    )
    listing = read(tree, read_voxceleb_faces, split="iden_split.txt")
    assert splits(listing) == {
        "unzippedIntervalFaces/data/Eartha_Kitt/1.6/x6uYqmx31kE/1/12.jpg": "train",
        "unzippedIntervalFaces/data/Eartha_Kitt/1.6/x6uYqmx31kE/2/12.jpg": "test",
        "unzippedFaces/A.J._Buckley/1.6/tCq2LcKO6xY/0000375.jpg": "test",
    }
    # a video of two splits, and a still of none
    assert sum("has it in no split" in reason for reason in listing.rejected["reason"]) == 2


@pytest.mark.parametrize("head", ["", "name,split\n"])
def test_a_list_of_speakers_deals_voices_and_faces_alike(tree, head):
    lines = head + "A.J._Buckley,train\nid10002,val\nEartha_Kitt,test\nLouis_C.K.,train\n".replace(
        "Louis_C.K.", "id00012"
    )
    (tree / "people.csv").write_text(lines)
    touch(tree, "wav/id10002/1zcIwhmdeo4/00001.wav", "wav/id10003/1zcIwhmdeo4/00001.wav")
    touch(tree, "VGGFace1/A.J._Buckley/1.jpg", "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000375.jpg")
    found = read(tree, split="people.csv")
    by_label = dict(zip(found.rows["label"], found.rows["split"], strict=True))
    assert by_label == {"id10001": "train", "id10002": "dev", "id10270": "test"}
    assert found.rejected["path"].tolist().count("wav/id10003/1zcIwhmdeo4/00001.wav") == 1
    faces = splits(read(tree, read_voxceleb_faces, split="people.csv"))
    assert set(faces.values()) == {"train", "test"} and len(faces) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (IDEN + "4 id10001/1zcIwhmdeo4/00009.wav\n", "line 6: expected lines of '1 id10001/.*found '4 id10001"),
        (
            IDEN + "1 Nobody/1zcIwhmdeo4/00009.wav\n",
            "line 6: expected a speaker's id, or a name that vox1_meta.csv has",
        ),
        (IDEN + "3 id10001/1zcIwhmdeo4/00001.wav\n", "line 6: expected each utterance once, found '3 id10001"),
        ("A.J._Buckley train\nid10001 test\n", "line 2: expected each speaker once, found 'id10001 test'"),
        ("id10001 train\nid10002 tset\n", "line 2: expected lines of .*found 'id10002 tset'; correct the list"),
        ("id10001 train\nNobody test\n", "line 2: expected a speaker's id, or a name"),
        ("id10001 train 7\n", "line 1: expected lines of"),
        ("\n", "the list is empty, expected lines of"),
        (None, r"iden_split.txt: not a readable text .*correct the source's option split"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(tree, text, said):
    (tree / "iden_split.txt").unlink()
    if text is not None:
        (tree / "iden_split.txt").write_text(text)
    with pytest.raises(SamplesError, match=said):
        read(tree, split="iden_split.txt")


def test_a_list_leaves_out_speakers_videos_and_utterances_of_voices_and_faces(tree, caplog):
    caplog.set_level(logging.INFO)
    faces = [f"unzippedFaces/A.J._Buckley/1.6/{video}/0000375.jpg" for video in ("1zcIwhmdeo4", OTHER)]
    touch(tree, *faces, "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000375.jpg")
    forms = {
        "Eartha_Kitt\nNobody_Else\n": ([0, 1, 2], faces),
        f"id10001/{OTHER}\r\n\r\n": ([0, 2, 3, 4], [faces[0], "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000375.jpg"]),
        "wav/id10001/1zcIwhmdeo4/00001.wav 3.2\nA.J._Buckley/tCq2LcKO6xY_0000003.wav\n": ([1, 3, 4], None),
    }
    for text, (kept, pictures) in forms.items():
        (tree / "out.txt").write_text(text)
        rows, rejected, _ = read(tree, without="out.txt")
        assert sorted(rows["path"]) == sorted(f"wav/{SOUNDS[place]}" for place in kept)
        reason = "out.txt (the source's option without) leaves it out"
        assert (rejected["reason"] == reason).sum() == len(SOUNDS) - len(kept)
        if pictures is not None:
            assert set(read(tree, read_voxceleb_faces, without="out.txt").rows["path"]) == set(pictures)
    assert "'Nobody_Else'" in caplog.text and "vox: 2 files are left out, as" in caplog.text
    (tree / "out.txt").write_text("id10270\n")
    both = read(tree, without="out.txt", split="iden_split.txt")
    assert splits(both).keys() == {f"wav/{path}" for path in SOUNDS[:3]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id10001/no video\n", "out.txt, line 1: expected a speaker .id10001, A.J._Buckley., a video"),
        ("Nobody_Else\n", "out.txt: none of its 1 lines is of a speaker who is known here .'Nobody_Else'.; expected"),
        ("\n", "out.txt: the list is empty, expected a speaker"),
    ],
)
def test_a_list_of_what_is_left_out_that_is_none_is_named(tree, text, message):
    (tree / "out.txt").write_text(text)
    with pytest.raises(SamplesError, match=message):
        read(tree, without="out.txt")
    with pytest.raises(SamplesError, match="no.txt: not a readable text .*correct the source's option without"):
        read(tree, without="no.txt")


def test_a_split_that_is_a_pickle_is_not_loaded(tree):
    (tree / "train_valid_test_names.pkl").write_bytes(b"cos\nsystem\n(S'touch evil'\ntR.")
    with pytest.raises(
        SamplesError, match="names.pkl: a pickle can run any code as it is loaded, so none is; .*lines of"
    ):
        read(tree, split="train_valid_test_names.pkl")


def test_identification_is_a_closed_set_and_no_verification(tmp_path):
    speakers = ("id10001", "id10002", "id10270")
    videos = {"1zcIwhmdeo4": 1, OTHER: 2, "tCq2LcKO6xY": 3}
    names = {"id10001": "A.J._Buckley", "id10002": "Louis_C.K.", "id10270": "Eartha_Kitt"}
    clips = [f"{who}/{video}/{clip:05d}.wav" for who in speakers for video in videos for clip in (1, 2)]
    lines = [f"{videos[clip.split('/')[1]]} {clip}" for clip in clips]
    touch(metas(tmp_path), *(f"wav/{line.split()[1]}" for line in lines))
    touch(tmp_path, *(f"unzippedFaces/{names[who]}/1.6/{video}/0000375.jpg" for who in speakers for video in videos))
    (tmp_path / "iden_split.txt").write_text("\n".join(lines))
    layouts = (read_voxceleb, read_voxceleb_faces)
    rows = pd.concat([read(tmp_path, layout, split="iden_split.txt").rows for layout in layouts], ignore_index=True)
    rows = rows.assign(sha256=rows["sample_id"])  # no two files are alike
    task = {"name": "t", "title": "T", "student": "speech", "teacher": "image", "pairing": ["instance", "session"]}
    for kind in ("classification", "verification"):
        design = kind_of(TaskConfig(**task, kind=kind)).design
        samples = rows.assign(split=assign_splits(rows, design, SplitConfig()))
        assert samples["split"].tolist() == rows["split"].tolist()
        if kind == "classification":
            check_samples(samples, TaskConfig(**task, kind=kind), design)
            continue
        with pytest.raises(SamplesError, match="3 label.s. lie in more than one split: 'id10001' in dev and test and"):
            check_samples(samples, TaskConfig(**task, kind=kind), design)
