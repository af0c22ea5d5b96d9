"""Names of lists among the names of embeddings."""

import pytest

from cross_modal_kd.samples import SamplesError, rows_of_names

THERE = ["vox/id1/clip-_A/00001", "vox/id1/clip-_A/00002", "vox/id2/clip/00001", "id3/a.wav", "id3/a.flac"]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("vox/id1/clip-_A/00001", 0),
        ("id1/clip-_A/00001.wav", 0),
        ("./id1/clip-_A/00002.m4a", 1),
        ("id1\\clip-_A\\00002.flac", 1),
        ("/data/wav/vox/id2/clip/00001.wav", 2),
        ("id3/a.flac", 4),  # the very same name goes first
        ("id1/00001.wav", -1),
        ("clip-_a/00001.wav", -1),
        ("1/clip-_A/00001.wav", -1),  # whole folders only
        ("", -1),
    ],
)
def test_a_name_is_found_with_other_folders_before_it_and_another_ending(name, row):
    assert rows_of_names([name], THERE).tolist() == [row]


def test_many_at_once_and_none():
    wanted = ["id3/a.wav", "id1/clip-_A/00001.wav", "nobody", "id1/clip-_A/00001.wav"]
    assert rows_of_names(wanted, THERE).tolist() == [3, 0, -1, 0]
    assert rows_of_names([], THERE).tolist() == [] and rows_of_names(["a"], []).tolist() == [-1]


def test_a_member_of_a_tar_is_found_by_its_name_in_it():
    there = ["set/train-0.tar#id1/1.wav", "set/train-1.tar#2.wav"]
    assert rows_of_names(["id1/1.flac", "2.wav", "train-0.tar#id1/1.wav", "1.wav"], there).tolist() == [0, 1, 0, 0]
    assert rows_of_names(["0.wav"], ["set/film.mp4#0"]).tolist() == [-1]


def test_both_forms_of_an_accented_letter_are_one_name():
    assert rows_of_names(["caf" + "e" + chr(0x301) + "/1.wav"], ["set/caf" + chr(0xE9) + "/1"]).tolist() == [0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("00001.wav", "'00001.wav' may be 'vox/id1/clip-_A/00001' or 'vox/id2/clip/00001': write it as"),
        ("id3/a.m4a", "'id3/a.m4a' may be 'id3/a.wav' or 'id3/a.flac'"),
    ],
)
def test_a_name_that_may_be_one_of_several_is_refused(name, message):
    with pytest.raises(SamplesError, match=message):
        rows_of_names(["id3/a.wav", name], THERE)
