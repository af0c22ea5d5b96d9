"""Every tree of faces that go with VoxCeleb's voices: by utterance, by video, by identity."""

import logging

import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources.voxceleb_faces import read_voxceleb_faces
from voxceleb_trees import metas, touch

NAME, VIDEO = "A.J._Buckley", "1zcIwhmdeo4"


def read(root, **options):
    roots = Roots({"faces": SourceConfig(layout="voxceleb_faces", root=str(root))})
    return read_voxceleb_faces("faces", roots, options)


@pytest.mark.parametrize(
    ("path", "label", "group", "domain", "split"),
    [
        ("unzippedFaces/A.J._Buckley/1.6/1zcIwhmdeo4/0000375.jpg", "id10001", "-", "1zcIwhmdeo4", "-"),
        ("A.J._Buckley/1zcIwhmdeo4/0000375.jpg", "id10001", "-", "1zcIwhmdeo4", "-"),
        ("unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000475.jpg", "id10270", "-", "x6uYqmx31kE", "test"),
        ("unzippedFaces/Louis_C.K/1.6/1zcIwhmdeo4/0000375.jpg", "id10002", "-", "1zcIwhmdeo4", "-"),
        ("unzippedFaces/Louis_C.K./1.6/1zcIwhmdeo4/0000375.jpg", "id10002", "-", "1zcIwhmdeo4", "-"),
        ("unzippedFaces/Tim_Minchin/1.6/-_zcIw_-eo4/0000375.jpg", "id10003", "-", "-_zcIw_-eo4", "-"),
        (
            *("unzippedIntervalFaces/data/A.J._Buckley/1.6/1zcIwhmdeo4/1/12.jpg", "id10001"),
            *("id10001/1zcIwhmdeo4/00001", "1zcIwhmdeo4", "-"),
        ),
        (
            *("frame_align/id00012/21Uxsk56VDQ/00001/0010.jpg", "id00012"),
            *("id00012/21Uxsk56VDQ/00001", "21Uxsk56VDQ", "-"),
        ),
        (
            *("frame_align/id00017/5MkXgwdrmJw/00101/0010.JPG", "id00017"),
            *("id00017/5MkXgwdrmJw/00101", "5MkXgwdrmJw", "test"),
        ),
        ("VGGFace1/Tim_Minchin/00000001_154.jpg", "id10003", "-", "-", "-"),  # a name of 11 characters
        ("VGGFace2/train/n000012/0001_01.jpg", "id00012", "-", "-", "-"),
        ("VGGFace2/train/n000136/0001_01.jpg", "id00137", "-", "-", "-"),  # not the number of the id
    ],
)
def test_a_picture_of_every_tree(tmp_path, path, label, group, domain, split):
    touch(metas(tmp_path), path)
    rows, rejected, *_ = read(tmp_path)
    columns = ["sample_id", "modality", "path", "label", "group", "domain", "split"]
    expected = [(f"faces/{path}", "image", path, label, group, domain, split)]
    assert list(rows[columns].fillna("-").itertuples(index=False, name=None)) == expected
    assert len(rejected) == 0


def test_frames_of_a_face_track_are_addresses_in_it(tmp_path):
    touch(metas(tmp_path), "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4", "dev/mp4/id00017/5MkXgwdrmJw/00002.mp4")
    rows, *_ = read(tmp_path, frames=3)
    first = rows[rows["label"] == "id00012"]
    assert first["path"].tolist() == [f"dev/mp4/id00012/21Uxsk56VDQ/00001.mp4#{k}/3" for k in (1, 2, 3)]
    assert set(first["group"]) == {"id00012/21Uxsk56VDQ/00001"}
    assert rows["sample_id"].is_unique and rows["split"].fillna("-").tolist() == ["-"] * 3 + ["test"] * 3


def test_of_many_frames_some_are_taken_evenly_spread(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    touch(metas(tmp_path), *(f"A.J._Buckley/1.6/1zcIwhmdeo4/{25 * n:07d}.jpg" for n in range(10)))
    touch(tmp_path, *(f"frame_align/id00012/21Uxsk56VDQ/00001/{n:04d}.jpg" for n in range(2)))
    touch(tmp_path, *(f"n000017/{n:04d}_01.jpg" for n in range(7)))
    rows, *_ = read(tmp_path, frames=5)
    taken = {label: [path[-11:] for path in paths] for label, paths in rows.groupby("label")["path"]}
    assert taken["id10001"] == [f"{25 * n:07d}.jpg" for n in (0, 2, 4, 6, 8)]
    assert len(taken["id00012"]) == 2 and len(taken["id00017"]) == 5
    assert "7 frames beyond frames: 5 of each are not used" in caplog.text
    assert "2 faces of 1 speaker known by utterance" in caplog.text
    assert "5 faces of 1 speaker known by video" in caplog.text
    assert "5 faces of 1 speaker known by identity" in caplog.text


def test_what_is_not_used_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    touch(
        tmp_path,
        "dev/aac/id00012/21Uxsk56VDQ/00001.m4a",
        "wav/id10001/1zcIwhmdeo4/00001.wav",
    )
    touch(
        metas(tmp_path),
        "unzippedFaces/A.J._Buckley/1.6/1zcIwhmdeo4/0000375.jpg",
        "unzippedFaces/Nobody/1.6/1zcIwhmdeo4/0000375.jpg",
        "unzippedFaces/A.J._Buckley/1.6/1zcIwhmdeo4/Thumbs.db",
        "txt/id00012/21Uxsk56VDQ/00001.txt",
        "mp4/id00099/21Uxsk56VDQ/00001.mp4",
        "mp4/trailer.mp4",
        "cover.jpg",
    )
    rows, rejected, *_ = read(tmp_path)
    assert len(rows) == 1
    reasons = rejected.set_index("path")["reason"].to_dict()
    assert len(reasons) == 5
    assert "'Nobody' is neither an id nor a name" in reasons["unzippedFaces/Nobody/1.6/1zcIwhmdeo4/0000375.jpg"]
    assert "no image of a known ending: .png" in reasons["unzippedFaces/A.J._Buckley/1.6/1zcIwhmdeo4/Thumbs.db"]
    assert "1 text of face tracks (txt/<id>/<video>/), not read" in caplog.text  # of which there are a million
    assert reasons["mp4/id00099/21Uxsk56VDQ/00001.mp4"] == "its speaker is in neither of the two tables"
    assert "2 files are left to the layout voxceleb" in caplog.text
    for path in ("mp4/trailer.mp4", "cover.jpg"):
        assert "no face: expected unzippedFaces/A.J._Buckley/1.6/" in reasons[path]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["unzippedFaces/A.J._Buckley/1.6/1zcIwhmdeo4/0000375.jpg"],
         r"no face of VoxCeleb under .*A.J._Buckley' is neither .*; without vox1_meta.csv and vox2_meta.csv, which"),
        (["n000012/0001_01.jpg"], r"n000012' is neither an id nor a name that a table has"),
        (["a/b.jpg"], "found at its top 'a'. Correct the root. 1 files are passed over, the first: a/b.jpg"),
        ([], "found at its top no file"),
        (["mp4/id00012/21Uxsk56VDQ/00001.mp4"], "whether mp4/id00012/21Uxsk56VDQ/00001.mp4 is of the dev or the test"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(tmp_path, files, message):
    touch(tmp_path, *files)
    with pytest.raises(SamplesError, match=message):
        read(tmp_path)


def test_crops_of_a_part_that_is_not_asked_for(tmp_path):
    touch(metas(tmp_path), "A.J._Buckley/1.6/1zcIwhmdeo4/0000375.jpg", "frame_align/id00012/21Uxsk56VDQ/00001/0.jpg")
    rows, rejected, *_ = read(tmp_path, train=["vox2_dev"], test=[])
    assert rows["label"].tolist() == ["id00012"] and "of vox1_dev" in rejected["reason"].iloc[0]


def test_a_set_that_was_unpacked_twice_is_read_once(tmp_path):
    one, twice = f"unzippedFaces/{NAME}/1.6/{VIDEO}/0000375.jpg", f"unzippedFaces/unzippedFaces/{NAME}/1.6/{VIDEO}"
    touch(metas(tmp_path), one, f"{twice}/0000375.jpg", f"{twice}/0000400.jpg")
    rows, rejected, _ = read(tmp_path)
    assert set(rows["path"]) == {one, f"{twice}/0000400.jpg"}
    assert rejected["reason"].tolist() == [f"the picture is read from another file: {one}"]


@pytest.mark.parametrize("folder", ["a.j._buckley", "A.J. Buckley", "ID10001", "id10001 "])
def test_a_folder_in_other_letters_is_said_with_what_it_should_be(tmp_path, folder):
    touch(metas(tmp_path), f"{folder}/{VIDEO}/0000375.jpg", f"id10002/{VIDEO}/00001/0000375.jpg")
    known = "id10001" if folder.lower().startswith("id") else "A.J._Buckley"
    (reason,) = read(tmp_path).rejected["reason"]
    assert reason == (
        f"no speaker of VoxCeleb: '{folder}' is neither an id nor a name that a table has; there is '{known}': rename "
        "the folder"
    )


def test_a_track_in_capitals_is_named_for_what_it_is(tmp_path):
    touch(metas(tmp_path), "dev/mp4/id00012/21Uxsk56VDQ/00001.MP4", "dev/mp4/id00012/21Uxsk56VDQ/00002.mp4")
    rejected = read(tmp_path).rejected.set_index("path")["reason"]
    assert "in small letters: rename it" in rejected["dev/mp4/id00012/21Uxsk56VDQ/00001.MP4"]
