"""CN-Celeb1 and 2 as they are unpacked: a miniature with every quirk, and broken ones."""

import shutil
from collections import Counter

import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources.cnceleb import read_cnceleb
from cross_modal_kd.sources.published import COUNTS
from published_sets import cnceleb


def read(root, **options):
    return read_cnceleb("cn", Roots({"cn": SourceConfig(layout="cnceleb", root=str(root))}), options)


@pytest.fixture
def root(tmp_path):
    return cnceleb(tmp_path)


def test_training_is_dev_lst_and_cn_celeb2_under_its_own_names(root):
    rows, *_ = read(root)
    train = rows[rows["split"] == "train"].set_index("sample_id")
    assert train["label"].nunique() == 6 + 2
    assert {label for label in train["label"] if label.startswith("cnc2-")} == {"cnc2-id10001", "cnc2-id10002"}
    assert not any(label.startswith(("id008", "id1")) for label in train["label"])
    row = train.loc["cn/cnc2-id10001/live_broadcast-01-002"]
    assert row["path"] == "CN-Celeb2_flac/data/id10001/live_broadcast-01-002.flac"
    assert row["domain"] == "live_broadcast" and row["group"] == "cnc2-id10001/live_broadcast-01-002"


@pytest.mark.parametrize(
    ("enrolment", "name"), [("avg", "id00800/singing-01-001"), ("concat", "enroll/id00800-enroll")]
)
def test_the_test_split_is_of_one_named_protocol(root, enrolment, name):
    rows, rejected, *_ = read(root, enrolment=enrolment)
    test = rows[rows["split"] == "test"].set_index("sample_id")
    assert set(test["label"]) == {"id00800", "id00801", "id00802"}
    files = [each for each in test.index if each.startswith("cn/test/")]
    assert len(files) == 3 * 4 and test.loc["cn/test/id00802-interview-01-003", "domain"] == "interview"
    assert f"cn/{name}" in test.index
    assert len(test) - len(files) == {"avg": 4, "concat": 2}[enrolment]
    reasons = rejected.set_index("path")["reason"]
    assert (
        "the speaker id00802 is tested, not to be learnt" in reasons["CN-Celeb_flac/data/id00802/singing-01-001.flac"]
    )
    if enrolment == "avg":
        assert reasons["CN-Celeb_flac/eval/enroll/id00800-enroll.flac"].startswith("the protocol avg enrols by the")


def test_the_session_is_of_the_speaker_and_genres_have_underscores(root):
    rows, *_ = read(root, domain="session")
    domains = rows.set_index("sample_id")["domain"]
    assert domains["cn/id00003/live_broadcast-02-005"] == "id00003/live_broadcast-02"
    assert domains["cn/test/id00800-live_broadcast-02-005"] == "id00800/live_broadcast-02"


def test_lists_with_further_columns_or_folders_are_the_same_lists(root):
    expected = read(root).rows
    lists = root / "CN-Celeb_flac"
    for file, form in (
        (lists / "dev/dev.lst", "{} f\n"),
        (root / "CN-Celeb2_flac/spk.lst", "{}\tm\n"),
        (lists / "eval/lists/test.lst", "./eval/{} x\n"),
    ):
        file.write_text(chr(0xFEFF) + "".join(form.format(line) for line in file.read_text().split()))
    assert read(root).rows.equals(expected)


def test_lists_of_windows_and_its_copies_of_files(root):
    expected = read(root).rows
    for file in (root / "CN-Celeb_flac/eval/lists").glob("*.*"):
        file.write_text(file.read_text().replace("/", "\\"))
    copy = root / "CN-Celeb_flac/data/id00000/singing-01-001 (1).flac"
    copy.write_bytes(b"x")
    rows, rejected, _ = read(root)
    assert rows.equals(expected)
    reason = rejected.set_index("path")["reason"][str(copy.relative_to(root))]
    assert reason == "its name is not <genre>-<session>-<utterance>"


def test_a_set_without_its_test_files_is_refused(root):
    shutil.rmtree(root / "CN-Celeb_flac/eval/test")
    with pytest.raises(SamplesError, match="eval/test: none of the 12 files of test.lst is there .'test/id00800"):
        read(root)


def test_an_utterance_in_two_formats_is_one(root):
    folder = root / "CN-Celeb_flac/data/id00000"
    (folder / "singing-01-001.wav").write_bytes(b"made of it")
    rows, rejected, _ = read(root)
    assert rows["sample_id"].is_unique
    reason = rejected.set_index("path")["reason"]["CN-Celeb_flac/data/id00000/singing-01-001.wav"]
    assert reason == "the utterance is read from another file: CN-Celeb_flac/data/id00000/singing-01-001.flac"


@pytest.mark.parametrize("part", ["CN-Celeb_flac", "CN-Celeb2_flac"])
def test_one_of_the_sets_alone(root, part):
    rows, *_ = read(root / part)
    assert rows["label"].str.startswith("cnc2-").all() == (part == "CN-Celeb2_flac")
    assert rows["path"].str.startswith("data/").any()


def test_the_published_counts_agree_with_each_other():
    one, two = (COUNTS[name] for name in ("CN-Celeb1", "CN-Celeb2"))
    assert one["speakers of dev.lst"] + two["speakers"] == 2_793  # READMEs print 2973
    assert one["utterances of dev.lst's speakers"] + 18_579 == 126_532  # those of the tested speakers, all of data/
    assert one["speakers of eval"] - one["enrolment models"] == 4  # who are tested and have no model


def test_the_published_counts_by_genre_are_of_all_files():
    data, test = (sum(COUNTS[f"CN-Celeb1, {part} by genre"].values()) for part in ("data/", "eval/test"))
    assert (data, test) == (126_532, COUNTS["CN-Celeb1"]["test files"])


def test_a_whole_copy_has_its_counts_by_genre(root, caplog, monkeypatch):
    part = "CN-Celeb1, data/ by genre"
    assert part not in set(read(root).counts["part"])  # a miniature is no copy
    files = sorted((root / "CN-Celeb_flac/data").rglob("*.flac"))
    genres = Counter(file.name.partition("-")[0] for file in files)
    monkeypatch.setitem(COUNTS, part, dict(genres))
    caplog.set_level("INFO")
    counts = read(root).counts
    found = counts[counts["part"] == part].set_index("what")["found"]
    assert found.to_dict() == genres and f"cn: the counts of {part} as published" in caplog.text
    one, other = list(genres)[:2]
    monkeypatch.setitem(COUNTS, part, {**genres, one: genres[one] + 1, other: genres[other] - 1})
    read(root)
    assert f"not the whole of {part}: found {one}: {genres[one]} of {genres[one] + 1}; {other}:" in caplog.text
    files[0].unlink()
    assert part not in set(read(root).counts["part"])


def test_counts_and_what_is_missing_are_said(root, caplog):
    (root / "CN-Celeb_flac/eval/test/id00800-interview-01-003.flac").unlink()
    (root / "CN-Celeb_flac/data/id00800/singing-01-001.flac").unlink()
    read(root)
    said = caplog.text
    assert "cn: 1 of 12 of test.lst have no file under" in said and "'test/id00800-interview-01-003'" in said
    assert "cn: 1 of 4 of enrolment (avg) have no file under" in said and "'data/id00800/singing-01-001'" in said
    assert "speakers of dev.lst: 6 of 797; utterances of dev.lst's speakers: 36 of 107,953" in said
    assert "enrolment models: 2 of 196; test files: 12 of 17,777" in said and "speakers: 2 of 1,996" in said


def test_strange_files_are_rejected_with_their_reason(root):
    data = root / "CN-Celeb_flac/data"
    for name in ("id00001/whatever.flac", "id00001/notes.doc", "id00999/singing-01-001.flac", "stray.flac"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(b"x")
    (root / "CN-Celeb_flac/eval/test/id00800-singing-09-009.flac").write_bytes(b"x")
    (root / "CN-Celeb2_flac/data/id10077").mkdir()
    (root / "CN-Celeb2_flac/data/id10077/vlog-01-001.flac").write_bytes(b"x")
    reasons = read(root).rejected.set_index("path")["reason"]
    assert reasons["CN-Celeb_flac/data/id00001/whatever.flac"] == "its name is not <genre>-<session>-<utterance>"
    assert "no sound of data/<speaker>/" in reasons["CN-Celeb_flac/data/id00001/notes.doc"]
    assert "no sound of data/<speaker>/" in reasons["CN-Celeb_flac/data/stray.flac"]
    assert "neither in dev.lst nor in eval" in reasons["CN-Celeb_flac/data/id00999/singing-01-001.flac"]
    assert reasons["CN-Celeb_flac/eval/test/id00800-singing-09-009.flac"] == "it is not in test.lst"
    assert reasons["CN-Celeb2_flac/data/id10077/vlog-01-001.flac"] == "its speaker is not in spk.lst"


def test_what_wespeaker_has_joined_has_the_genre_and_session_of_its_name(root):
    folder = root / "CN-Celeb_flac/data/id00000"
    (folder / "live_broadcast-01-002.flac").rename(folder / "live_broadcast-01-002-combine3.flac")
    row = read(root, domain="session").rows.set_index("sample_id").loc["cn/id00000/live_broadcast-01-002-combine3"]
    assert row["domain"] == "id00000/live_broadcast-01" and row["condition_genre"] == "live_broadcast"


def test_an_older_release_in_wav(root):
    for file in root.rglob("*.flac"):
        file.rename(file.with_suffix(".wav"))
    rows, *_ = read(root)
    assert (rows["split"] == "test").sum() == 16


def test_a_tested_speaker_in_dev_lst_ends_the_run(root):
    with (root / "CN-Celeb_flac/dev/dev.lst").open("a") as stream:
        stream.write("id00802\n")
    with pytest.raises(SamplesError, match=r"dev.lst: 1 of its speakers are tested in eval \('id00802'\)"):
        read(root)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "CN-Celeb_flac/eval/lists/enroll.map",
            "id00800-enroll\n",
            "enroll.map: expected 'model utterance utterance ...'",
        ),
        (
            "CN-Celeb_flac/eval/lists/enroll.map",
            "a b/1.wav\na b/2.wav\n",
            "enroll.map: .* each model once, found 'a b/2.wav'",
        ),
        ("CN-Celeb_flac/eval/lists/test.lst", "\n", "test.lst: the list is empty"),
        (
            "CN-Celeb_flac/eval/lists/test.lst",
            None,
            "test.lst: the list is missing, expected CN-Celeb_flac/ with dev/dev.lst",
        ),
    ],
)
def test_broken_lists_are_named(root, file, content, message):
    (root / file).unlink()
    if content is not None:
        (root / file).write_text(content)
    with pytest.raises(SamplesError, match=message):
        read(root)


def test_a_folder_of_neither_set(tmp_path):
    with pytest.raises(
        SamplesError, match="expected CN-Celeb_flac/ with dev/dev.lst, .*found neither list under [^,]*$"
    ):
        read(tmp_path)
    (tmp_path / "cn-celeb2_v2.tar.gzaa").write_bytes(b"x")
    with pytest.raises(SamplesError, match=r"but 'cn-celeb2_v2.tar.gzaa': join the parts \(cat cn-celeb2_v2.tar.gza\*"):
        read(tmp_path)
    for name in ("a", "b"):
        cnceleb(tmp_path / name, dev=1, tested=2, second=1, each=3)
        (tmp_path / name / "CN-Celeb_flac").rename(tmp_path / f"{name}1")
    with pytest.raises(SamplesError, match="expected one dev/dev.lst, found it in .*; give the folder of one"):
        read(tmp_path)
