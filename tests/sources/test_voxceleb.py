"""Every tree of VoxCeleb's sounds that people have; the tables as they are given and as copies of them are."""

import logging
from pathlib import Path

import pytest
from pydantic import ValidationError

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.found_names import rows_of_names
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources.registry import check_source
from cross_modal_kd.sources.voxceleb import read_voxceleb
from cross_modal_kd.sources.voxceleb_speakers import FIRST_OF_VOX1, LAST_OF_VOX1, PUBLISHED
from voxceleb_trees import VOX1_META, VOX2_META, metas, touch


def read(root: Path, **options):
    return read_voxceleb("vox", Roots({"vox": SourceConfig(layout="voxceleb", root=str(root))}), options)


def found(root: Path, **options) -> dict:
    rows = read(root, **options).rows
    columns = ["path", "label", "group", "domain", "split"]
    return {key: tuple(values) for key, *values in rows[["sample_id", *columns]].fillna("-").itertuples(index=False)}


@pytest.mark.parametrize(
    ("path", "key", "split"),
    [
        ("wav/id10001/1zcIwhmdeo4/00001.wav", "id10001/1zcIwhmdeo4/00001", "-"),
        ("voxceleb1/dev/wav/id10001/1zcIwhmdeo4/00001.wav", "id10001/1zcIwhmdeo4/00001", "-"),
        ("voxceleb1/test/wav/id10270/x6uYqmx31kE/00001.wav", "id10270/x6uYqmx31kE/00001", "test"),
        ("wav/id10270/x6uYqmx31kE/00001.wav", "id10270/x6uYqmx31kE/00001", "test"),
        ("vox1_dev_wav/wav/id10003/tCq2LcKO6xY/00002.wav", "id10003/tCq2LcKO6xY/00002", "-"),
        ("id10003/tCq2LcKO6xY/00002.flac", "id10003/tCq2LcKO6xY/00002", "-"),
        ("A.J._Buckley/1zcIwhmdeo4_0000001.wav", "id10001/1zcIwhmdeo4/00001", "-"),
        ("Louis_C.K/1zcIwhmdeo4_0000012.wav", "id10002/1zcIwhmdeo4/00012", "-"),  # the dot lost by Windows
        ("Louis_C.K./1zcIwhmdeo4_0000012.wav", "id10002/1zcIwhmdeo4/00012", "-"),
        ("Eartha_Kitt/x6uYqmx31kE_0000001.wav", "id10270/x6uYqmx31kE/00001", "test"),
        ("dev/aac/id00012/21Uxsk56VDQ/00001.m4a", "id00012/21Uxsk56VDQ/00001", "-"),
        ("aac/id00017/5MkXgwdrmJw/00001.m4a", "id00017/5MkXgwdrmJw/00001", "test"),  # no folder says test
        ("voxceleb2_wav/dev/aac/id00012/21Uxsk56VDQ/00001.wav", "id00012/21Uxsk56VDQ/00001", "-"),
        ("voxceleb2/test/wav/id00017/5MkXgwdrmJw/00001.wav", "id00017/5MkXgwdrmJw/00001", "test"),
        ("VoxCeleb2/train/wav/id00137/21Uxsk56VDQ/00404.wav", "id00137/21Uxsk56VDQ/00404", "-"),
        ("dev/aac/id00012/21Uxsk56VDQ/00001.m4a.wav", "id00012/21Uxsk56VDQ/00001", "-"),
        ("wav/id10001/-_zcIw_-eo4/00001.wav", "id10001/-_zcIw_-eo4/00001", "-"),
        ("A.J._Buckley/-_zcIw_-e_4_0000001.wav", "id10001/-_zcIw_-e_4/00001", "-"),
    ],
)
def test_a_path_of_every_tree(tmp_path, path, key, split):
    touch(metas(tmp_path), path)
    speaker, video, _ = key.split("/")
    assert found(tmp_path) == {key: (path, speaker, key, video, split)}
    prefixes = ("", "wav/", "dev/wav/", "dev/aac/", "test/", "voxceleb1/")
    lists = [f"{prefix}{key}{ending}" for prefix in prefixes for ending in (".wav", ".flac", ".m4a", "")]
    assert rows_of_names([*lists, key.replace("/", "-")], list(found(tmp_path))).tolist() == [0] * 25


@pytest.mark.parametrize(
    "name", ["Harry_Connick_Jr.", "Harry_Shum_Jr.", "John_Gallagher_Jr.", "Louis_C.K.", "Sammy_Davis_Jr."]
)
def test_a_name_that_ends_with_a_dot_is_found_with_and_without_it(tmp_path, name):
    metas(tmp_path, VOX1_META.replace("Louis_C.K.", name))
    touch(tmp_path, f"{name}/1zcIwhmdeo4_0000001.wav", f"{name[:-1]}/1zcIwhmdeo4_0000002.wav")
    assert [values[1] for values in found(tmp_path).values()] == ["id10002", "id10002"]


def test_gender_nationality_and_session_are_conditions(tmp_path):
    touch(metas(tmp_path), "wav/id10002/1zcIwhmdeo4/00001.wav", "aac/id00017/5MkXgwdrmJw/00001.m4a")
    touch(tmp_path, "wav/id10003/tCq2LcKO6xY/00002.wav")
    rows = read(tmp_path).rows.set_index("label").fillna("-")
    named = ["condition_gender", "condition_nationality", "condition_session"]
    assert rows.loc["id10002", named].tolist() == ["m", "Trinidad and Tobago", "1zcIwhmdeo4"]
    assert rows.loc["id00017", named].tolist() == ["m", "-", "5MkXgwdrmJw"]
    for table in tmp_path.glob("vox*_meta.csv"):
        table.unlink()
    touch(tmp_path, "vox2_test_aac/id00017/5MkXgwdrmJw/00001.m4a")
    (tmp_path / "aac/id00017/5MkXgwdrmJw/00001.m4a").unlink()
    assert [name for name in read(tmp_path).rows if name.startswith("condition")] == ["condition_session"]


@pytest.mark.parametrize("nation", ["Norway", "New Zealand"])
def test_norway_is_said_to_have_the_french_speakers_of_the_table(tmp_path, caplog, nation):
    metas(tmp_path, VOX1_META + f"id10009\tA\tm\t{nation}\tdev\n")
    touch(tmp_path, "wav/id10009/1zcIwhmdeo4/00001.wav")
    with caplog.at_level("INFO"):
        read(tmp_path)
    assert ("French speakers among Norway's" in caplog.text) == (nation == "Norway")


def test_a_table_without_a_gender_or_nation_knows_none(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    touch(metas(tmp_path, VOX1_META.replace("\tm\tIreland", "\t\t")), "wav/id10001/1zcIwhmdeo4/00001.wav")
    rows = read(tmp_path).rows
    assert not {"condition_gender", "condition_nationality"} & set(rows)  # no column of nothing
    assert "of the 148,642 utterances (1 ?)" in caplog.text


def test_a_name_of_two_speakers_is_nobodys(tmp_path):
    metas(tmp_path, VOX1_META + "id10009\tLouis_C.K\tm\tIreland\tdev\n")
    touch(tmp_path, "Louis_C.K./1zcIwhmdeo4_0000001.wav", "wav/id10009/1zcIwhmdeo4/00001.wav")
    rows, rejected, _ = read(tmp_path)
    assert rows["label"].tolist() == ["id10009"]
    assert rejected["reason"].tolist() == ["Louis_C.K. is the name of several speakers of a table: correct its lines"]


def test_the_counts_are_the_published_ones():
    speakers, utterances = (dict(zip(PUBLISHED, each, strict=True)) for each in zip(*PUBLISHED.values(), strict=True))
    assert speakers == {"vox1_dev": 1211, "vox1_test": 40, "vox2_dev": 5994, "vox2_test": 118}
    assert speakers["vox1_dev"] + speakers["vox1_test"] == LAST_OF_VOX1 - FIRST_OF_VOX1 + 1 == 1251
    assert utterances["vox1_dev"] + utterances["vox1_test"] == 153_516
    assert utterances["vox2_dev"] + utterances["vox2_test"] + utterances["vox1_dev"] == 1_276_888  # Kaldi's total


def test_both_sets_below_one_root(tmp_path, caplog):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/veri_test2.txt").write_text("1 id10270/x6uYqmx31kE/00001.wav id10270/8jEAjG6SegY/00008.wav\n")
    touch(
        metas(tmp_path),
        "wav/id10001/1zcIwhmdeo4/00001.wav",
        "wav/id10270/x6uYqmx31kE/00001.wav",
        "wav/id00012/21Uxsk56VDQ/00001.wav",
    )
    caplog.set_level(logging.INFO)
    assert len(found(tmp_path)) == 3 and read(tmp_path).rejected.empty  # tables and lists are no files of no use
    assert "vox: lists that are no samples: 'meta/veri_test2.txt' (score_trials.trials" in caplog.text


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "".join(f'"{line}"\n' for line in text.splitlines()),
        lambda text: "\ufeff" + "".join(f'"{line}"\r\n' for line in text.splitlines()),
    ],
    ids=["BOM", "CRLF", "quoted lines", "all of it"],
)
def test_the_tables_in_the_forms_of_their_copies(tmp_path, changed, caplog):
    caplog.set_level(logging.INFO)
    touch(metas(tmp_path, changed(VOX1_META), changed(VOX2_META)), "Tim_Minchin/tCq2LcKO6xY_0000002.wav")
    touch(tmp_path, "wav/id10002/tCq2LcKO6xY/00002.wav", "aac/id00017/5MkXgwdrmJw/00001.m4a")
    assert [values[4] for values in found(tmp_path).values()] == ["-", "test", "-"]
    assert "vox1_dev has 2 of the 1,211 speakers published and 2 of the 148,642 utterances (2 m; 2 nat" in caplog.text
    assert "vox2_test has 1 of the 118 speakers published and 1 of the 36,237 utterances (1 m)" in caplog.text


def test_without_tables_numbers_and_folders_say_what_is_of_the_test(tmp_path):
    touch(tmp_path, "wav/id10269/1zcIwhmdeo4/00001.wav", "wav/id10270/x6uYqmx31kE/00001.wav")
    touch(tmp_path, "wav/id10309/x6uYqmx31kE/00001.wav", "wav/id10310/x6uYqmx31kE/00001.wav")
    touch(tmp_path, "vox2_test_aac/id00012/ab_dev_xyz-/00001.m4a", "voxceleb2/dev/aac/id00017/ab/ab_test_xyz/00001.m4a")
    splits = {values[1]: values[4] for values in found(tmp_path).values()}
    assert splits == {"id10269": "-", "id10270": "test", "id10309": "test", "id10310": "-", "id00012": "test"}
    touch(tmp_path, "voxceleb2/dev/aac/id00017/ab_test_xyz/00001.m4a")
    assert {values[1]: values[4] for values in found(tmp_path).values()}["id00017"] == "-"


def test_the_tables_where_an_option_has_them(tmp_path):
    metas(tmp_path)
    touch(tmp_path / "data", "aac/id00017/5MkXgwdrmJw/00001.m4a", "Eartha_Kitt/x6uYqmx31kE_0000001.wav")
    options = {"vox1_meta": "../vox1_meta.csv", "vox2_meta": str(tmp_path / "vox2_meta.csv")}
    assert [values[4] for values in found(tmp_path / "data", **options).values()] == ["test", "test"]
    with pytest.raises(SamplesError, match="nowhere.csv: the file is missing"):
        read(tmp_path / "data", vox2_meta="nowhere.csv")


def test_a_sound_and_what_it_was_converted_to_are_one_utterance(tmp_path, caplog):
    caplog.set_level("INFO")
    key = "id00012/21Uxsk56VDQ/00001"
    touch(metas(tmp_path), f"dev/aac/{key}.m4a", f"dev/aac/{key}.m4a.wav", f"dev/wav/{key}.wav", f"dev/mp4/{key}.mp4")
    rows, rejected, *_ = read(tmp_path)
    assert rows["path"].tolist() == [f"dev/aac/{key}.m4a.wav"]
    reasons = rejected.set_index("path")["reason"].to_dict()
    same = f"the utterance is read from another file: dev/aac/{key}.m4a.wav"
    assert reasons[f"dev/aac/{key}.m4a"] == reasons[f"dev/wav/{key}.wav"] == same
    assert f"dev/mp4/{key}.mp4" not in reasons and "1 file is left to the layout voxceleb_faces" in caplog.text


def test_what_is_not_used_is_told(tmp_path):
    touch(
        metas(tmp_path),
        "wav/id10001/1zcIwhmdeo4/00001.wav",
        "wav/id10004/1zcIwhmdeo4/00001.wav",
        "wav/Nobody/1zcIwhmdeo4_0000001.wav",
        "wav/id10001/tooshort/00001.wav",
        "wav/id10001/1zcIwhmdeo4/00002.txt",
        "data/id10001/singing-01-001.flac",  # CN-Celeb2, whose ids are VoxCeleb1's too
        "vox1_dev_wav.zip",
    )
    rows, rejected, *_ = read(tmp_path)
    assert rows["path"].tolist() == ["wav/id10001/1zcIwhmdeo4/00001.wav"]
    reasons = rejected.set_index("path")["reason"].to_dict()
    assert len(reasons) == 6
    assert reasons["wav/id10004/1zcIwhmdeo4/00001.wav"] == "its speaker is in neither of the two tables"
    assert "'Nobody' is neither an id nor a name" in reasons["wav/Nobody/1zcIwhmdeo4_0000001.wav"]
    assert reasons["vox1_dev_wav.zip"].startswith(
        "an archive, or a part of one: join the parts (cat vox1_dev_wav_parta*"
    )
    for path in ("wav/id10001/tooshort/00001.wav", "data/id10001/singing-01-001.flac"):
        assert "no utterance: expected id10001/1zcIwhmdeo4/00001.wav" in reasons[path]
    assert "no sound of a known ending: .wav" in reasons["wav/id10001/1zcIwhmdeo4/00002.txt"]


@pytest.mark.parametrize("name", ["vox1_dev_wav_partaa", "vox1_test_wav.zip", "a/vox1.tar.gz"])
def test_a_part_that_was_not_unpacked_is_said_with_the_archives_that_lie_there(tmp_path, caplog, name):
    touch(metas(tmp_path), "dev/aac/id00012/21Uxsk56VDQ/00001.m4a", name)
    read(tmp_path, train=["vox2_dev"], test=["vox1_dev", "vox1_test"])
    said = f"vox: nothing of vox1_dev, vox1_test (test) is below {tmp_path}, but '{name}': an archive, or a part"
    assert said in caplog.text and "nothing of vox2_dev" not in caplog.text
    (tmp_path / "dev/aac/id00012/21Uxsk56VDQ/00001.m4a").unlink()
    with pytest.raises(SamplesError, match=rf"no utterance of VoxCeleb .* the first: {name}: an archive, or a part of"):
        read(tmp_path)


def test_all_of_voxceleb1_as_the_test(tmp_path):
    touch(metas(tmp_path), "wav/id10001/1zcIwhmdeo4/00001.wav", "wav/id10270/x6uYqmx31kE/00001.wav")
    touch(tmp_path, "aac/id00012/21Uxsk56VDQ/00001.m4a", "aac/id00017/5MkXgwdrmJw/00001.m4a")
    rows, rejected, *_ = read(tmp_path, train=["vox2_dev"], test=["vox1_dev", "vox1_test"])
    splits = rows.set_index("label")["split"].fillna("-").to_dict()
    assert splits == {"id10001": "test", "id10270": "test", "id00012": "-"}
    assert rejected["reason"].tolist() == [
        "of vox2_test, which is neither in train nor in test of the source's options"
    ]


def test_a_part_in_training_and_in_the_test():
    source = SourceConfig(layout="voxceleb", root=".", options={"train": ["vox1_dev"], "test": ["vox1_dev"]})
    with pytest.raises(
        SamplesError, match=r"\['vox1_dev'\] in train and in test.* lists E and H .* trained on vox2_dev"
    ):
        check_source("vox", source)
    with pytest.raises(ValidationError):
        read_voxceleb("vox", None, {"train": ["vox3"]})


@pytest.mark.parametrize(
    ("files", "vox1", "vox2", "message"),
    [
        (["a/b.wav"], None, None, r"sources.vox.root: no utterance of VoxCeleb under .*: expected id10001/1zcIwhmdeo4/"
                                  r".*found at its top 'a'. Correct the root. 1 files are passed over, the first: a/b"),
        ([], None, None, "found at its top no file"),
        (["Eartha_Kitt/x6uYqmx31kE_0000001.wav"], None, None, r"Eartha_Kitt' is neither .*; without vox1_meta.csv and"),
        (["aac/id00017/5MkXgwdrmJw/00001.m4a"], VOX1_META, None,
         r"sources.vox: whether aac/id00017/5MkXgwdrmJw/00001.m4a is of the dev or the test set of VoxCeleb2 is not "
         r"known: expected vox2_meta.csv below .*options.vox2_meta"),
        (["x"], VOX1_META.replace("Set", "Split"), None, r"vox1_meta.csv: expected the column\(s\) 'Set', found"),
        (["x"], VOX1_META.replace("\tdev", "\ttrain"), None, "vox1_meta.csv, line 2: Set is 'train', expected dev or"),
        (["x"], VOX1_META.replace("id10002", "id10001"), None, "line 3: VoxCeleb1 ID is 'id10001', expected each spea"),
        (["x"], None, VOX2_META.replace("id00017", "17"), "vox2_meta.csv, line 3: VoxCeleb2 ID is '17', expected id a"),
        (["x"], VOX1_META.replace("\t", " "), None, r"vox1_meta.csv: expected the column\(s\) 'Gender'"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(tmp_path, files, vox1, vox2, message):
    touch(metas(tmp_path, vox1, vox2), *files)
    with pytest.raises(SamplesError, match=message):
        read(tmp_path)
