"""Every name that a file system allows, links, hidden and unusable things: read, or listed with a reason."""

import os
import unicodedata
from collections import Counter

import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources.files import Known, list_files
from cross_modal_kd.sources.folder import read_folder
from cross_modal_kd.sources.orl_faces import read_orl_faces

NAMES = (
    *(
        "C#",
        "a.parquet#b",
        "back\\slash",
        "100%20",
        "%2e%2e",
        "it's",
        'say "hi"',
        "new\nline",
        "tab\t",
        "a,b;c|d",
        " blank ",
    ),
    *(
        "ünïcode",
        "日本",
        "🙂",
        "-rf",
        "~",
        "$HOME",
        "*?[x]",
        "CON",
        "nan",
        "NA",
        "None",
        "1e5",
        "<b>",
        "=1+1",
        "a..b",
        "x" * 200,
    ),
)
E_ACUTE = {form: unicodedata.normalize(form, "café") for form in ("NFC", "NFD")}


def write(file, content=b"x"):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def roots(root):
    return Roots({"f": SourceConfig(layout="folder", root=str(root))})


def test_a_name_that_reads_like_a_part_of_a_picture_is_passed_over(tmp_path):
    write(tmp_path / "a/1.png#xywh=0,0,8,8")
    write(tmp_path / "a/1.png#xywh=0,0,8")
    found = list_files(tmp_path)
    assert found.paths == ["a/1.png#xywh=0,0,8"]
    assert "reads like a part of a picture" in found.passed_over["a/1.png#xywh=0,0,8,8"]


def read(root, **options):
    return read_folder("f", roots(root), options)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_label_or_file_is_read_back(tmp_path, name):
    for path in (f"{name}/1.png", f"cat/{name}.png", f"{name}/{name}/{name}.wav"):
        write(tmp_path / path, path.encode())
    rows, rejected, *_ = read(tmp_path)
    assert rejected.empty
    rows.to_parquet(tmp_path / "rows.parquet")
    assert Counter(rows["label"]) == {name: 2, "cat": 1}
    for row in rows.itertuples():
        assert row.sample_id == f"f/{row.path}"
        assert roots(tmp_path).bytes("f", row.path) == row.path.encode()


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"\xff\xfe.png", b"\xed\xa0\x80.png"])
def test_a_name_that_is_not_utf8_is_rejected_and_shown_escaped(tmp_path, name):
    write(tmp_path / "cat" / "1.png")
    for folder in (b"cat", b"d\xe9partement"):
        write(tmp_path / os.fsdecode(folder) / os.fsdecode(name))
    rows, rejected, *_ = read(tmp_path)
    assert rows["path"].tolist() == ["cat/1.png"]
    assert len(rejected) == 2
    assert rejected["path"].str.contains(r"\\x", regex=True).all()
    assert rejected["reason"].str.contains("not UTF-8").all()
    rejected.to_csv(tmp_path / "rejected.csv")


def test_a_name_that_reads_like_a_way_out_is_rejected(tmp_path):
    write(tmp_path / "cat" / "1.png")
    write(tmp_path / "cat" / "x\\..\\2.png")
    rows, rejected, *_ = read(tmp_path)
    assert len(rows) == 1
    assert rejected["path"].tolist() == ["cat/x\\..\\2.png"]


def test_hidden_folders_and_files_are_passed_over_at_every_depth(tmp_path, caplog):
    for path in (
        "cat/1.png",
        ".git/1.png",
        "cat/.ipynb_checkpoints/1.png",
        "cat/deep/.DS_Store/1/2.png",
        "cat/._1.png",
        "__MACOSX/cat/1.png",
    ):
        write(tmp_path / path)
    caplog.set_level("INFO")
    rows, rejected, *_ = read(tmp_path)
    assert rows["path"].tolist() == ["cat/1.png"]
    assert rejected.empty
    assert "5 hidden files or folders" in caplog.text


def test_linked_folders_and_files_are_followed(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for file in (root / "cat" / "1.png", elsewhere / "dogs" / "1.png", elsewhere / "dogs" / "deep" / "2.png"):
        write(file)
    (root / "dog").symlink_to(elsewhere / "dogs")
    (root / "cat" / "more").symlink_to(elsewhere / "dogs" / "deep")
    (root / "cat" / "2.png").symlink_to(elsewhere / "dogs" / "1.png")
    found = list_files(root)
    assert found.paths == ["cat/1.png", "cat/2.png", "cat/more/2.png", "dog/1.png"]
    assert found.passed_over == {"dog/deep": "a link to a folder whose files are listed already: cat/more"}


def test_links_that_cannot_be_followed_are_listed(tmp_path):
    root = tmp_path / "root"
    write(root / "zoo" / "1.png")
    write(root / ".store" / "birds" / "1.png")
    for name, target in {
        "alias": root / "zoo",
        "zoo/round": root,
        "zoo/above": tmp_path,
        "zoo/gone": root / "nowhere",
        "zoo/gone.png": root / "nowhere.png",
        "zoo/itself": root / "zoo" / "itself",
        "birds": root / ".store" / "birds",
    }.items():
        (root / name).symlink_to(target)
    found = list_files(root)
    assert found.paths == ["birds/1.png", "zoo/1.png"]
    assert found.passed_over == {
        "alias": "a link to a folder whose files are listed already: zoo",
        "zoo/above": "a link to a folder above the source's root: to follow it would go in a circle",
        "zoo/gone": "a link that leads to no file",
        "zoo/gone.png": "a link that leads to no file",
        "zoo/itself": "what it leads to cannot be looked at (Too many levels of symbolic links)",
        "zoo/round": "a link to a folder whose files are listed already: the source's root",
    }


def test_folders_that_link_to_each_other_end(tmp_path):
    folders = [tmp_path / "root" / f"l{number}" for number in range(8)]
    for folder in folders:
        write(folder / "1.png")
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other)
    found = list_files(tmp_path / "root")
    assert len(found.paths) == 8
    assert len(found.passed_over) == 64


def test_what_is_no_file_is_listed(tmp_path):
    write(tmp_path / "cat" / "1.png")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    found = list_files(tmp_path)
    assert found.paths == ["cat/1.png"]
    assert "a pipe" in found.passed_over["cat/pipe.png"]


def test_a_folder_that_cannot_be_opened_is_listed(tmp_path, monkeypatch):
    write(tmp_path / "cat" / "1.png")
    write(tmp_path / "dog" / "1.png")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "no")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list_files(tmp_path)
    assert found.paths == ["cat/1.png"]
    assert found.passed_over == {"dog": "the folder cannot be opened (PermissionError)"}


def test_forms_of_unicode_are_one_label_and_one_group(tmp_path):
    """A Mac's names and everybody else's; the paths stay as they are on the disk."""
    for form, number in (("NFC", 1), ("NFD", 2)):
        write(tmp_path / E_ACUTE[form] / f"{number}.png")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system has one form")
    rows, *_ = read(tmp_path)
    assert set(rows["label"]) == {E_ACUTE["NFC"]}
    assert rows["path"].tolist() == sorted([f"{E_ACUTE['NFC']}/1.png", f"{E_ACUTE['NFD']}/2.png"])
    assert set(rows["group"]) == {f"{E_ACUTE['NFC']}/1.png", f"{E_ACUTE['NFC']}/2.png"}


def test_a_table_may_write_a_path_in_any_form():
    known = Known([f"{E_ACUTE['NFD']}/1.png", "a/b.png", "back\\slash/1.png", " a/1.png"])
    for form in ("NFC", "NFD"):
        assert known.found(f"./{E_ACUTE[form]}//1.png") == f"{E_ACUTE['NFD']}/1.png"
    assert known.found("a\\b.png") == known.found(" a/b.png ") == "a/b.png"
    assert known.found("back\\slash/1.png") == "back\\slash/1.png"
    assert known.found(" a/1.png") == " a/1.png"
    assert known.found("./a/c.png") == "a/c.png"


def test_faces_pass_over_hidden_files(tmp_path):
    for path in ("s1/1.pgm", "s1/._1.pgm", "s2/x#1.pgm", ".s3/1.pgm", "README"):
        write(tmp_path / path)
    rows, rejected, *_ = read_orl_faces("f", roots(tmp_path), {})
    assert rows["path"].tolist() == ["s1/1.pgm", "s2/x#1.pgm"]
    assert rejected.empty
