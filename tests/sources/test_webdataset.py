"""A general webdataset: its keys, splits, labels and fields; and what is said of a broken one."""

import io
import json
import tarfile

import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.samples.tar_files import tar_entries
from cross_modal_kd.sources import check_source, layout_of
from own_folders import tar


def read(root, layout="webdataset", **options):
    source = SourceConfig(layout=layout, root=str(root), options=options)
    check_source("s", source)
    return layout_of("s", layout)("s", Roots({"s": source}), options)


def facts(found, *columns):
    rows = found.rows.set_index("sample_id")[list(columns)]
    return {name: tuple(None if pd.isna(value) else value for value in row) for name, *row in rows.itertuples()}


def reasons(found):
    return found.rejected.set_index("path")["reason"].to_dict()


def fields(**said):
    return json.dumps(said).encode()


def test_keys_end_at_the_first_dot_of_the_base_name_and_members_are_read_in_place(tmp_path):
    members = {
        "v1.0/a.left.jpg": b"left",
        "v1.0/a.RIGHT.PNG": b"right",
        "v1.0/a.txt": b"\xef\xbb\xbfa bird \n",
        "v1.0/a.cls": b"7\n",
        "v1.0/b.wav": b"sound",
        "v1.0/b.flac.jpg": b"face",
    }
    tar(tmp_path / "0.tar", members)
    found = read(tmp_path)
    assert facts(found, "modality", "label", "group", "path", "text", "split") == {
        "s/0.tar#v1.0/a.left.jpg": ("image", "7", "0.tar#v1.0/a", "0.tar#v1.0/a.left.jpg", None, None),
        "s/0.tar#v1.0/a.RIGHT.PNG": ("image", "7", "0.tar#v1.0/a", "0.tar#v1.0/a.RIGHT.PNG", None, None),
        "s/0.tar#v1.0/a.txt": ("text", "7", "0.tar#v1.0/a", None, "a bird", None),
        "s/0.tar#v1.0/b.wav": ("speech", None, "0.tar#v1.0/b", "0.tar#v1.0/b.wav", None, None),
        "s/0.tar#v1.0/b.flac.jpg": ("image", None, "0.tar#v1.0/b", "0.tar#v1.0/b.flac.jpg", None, None),
    }
    roots = Roots({"s": SourceConfig(layout="webdataset", root=str(tmp_path))})
    for path in found.rows["path"].dropna():
        assert roots.content("s", path) == members[path.partition("#")[2]]
    assert (roots.stamps(found.rows)["size"] == (tmp_path / "0.tar").stat().st_size).tolist() == [1, 1, 0, 1, 1]
    assert [each.name for each in tmp_path.iterdir()] == ["0.tar"]  # nothing was unpacked
    assert found.rejected.empty


def test_what_is_not_read_is_counted(tmp_path):
    names = ("README", "._a.jpg", "a.jpg", "a.pth", "b.jpg", "b.pth", "d.")
    tar(tmp_path / "0.tar", dict.fromkeys(names, b"x") | {"e.txt": b" \n"})
    (tmp_path / "0.idx").write_text("x")
    (tmp_path / "1.tar.gz").write_bytes(b"x")
    found = read(tmp_path)
    assert sorted(facts(found)) == ["s/0.tar#a.jpg", "s/0.tar#b.jpg"]
    told = found.rejected[["path", "reason"]].sort_values("reason").to_numpy().tolist()
    assert told == [
        ["0.tar", "1 member with the ending .txt and nothing in it: no text"],
        ["0.tar", "2 members with the ending .pth, which is not read"],
        ["0.tar", "3 members without a name and an ending, which tell what it is"],
        ["1.tar.gz", "a compressed tar: its members cannot be read in place; unpack it to a .tar"],
        ["0.idx", "no tar file: of a webdataset the tars alone are read"],
    ]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train-000000.tar", "val-000000.tar", "test-000000.tar"], ["train", "dev", "test"]),
        (["imagenet1k-train-0000.tar", "imagenet1k-validation-0.tar"], ["train", "dev"]),
        (["train/0.tar", "test/0.tar"], ["train", "test"]),
        (["train-0.tar", "train-1.tar"], [None, None]),  # all of one: nothing is parted
        (["test-0.tar", "0.tar"], ["test", None]),
        (["trained-0.tar", "latest.tar"], [None, None]),
    ],
)
def test_the_name_of_a_tar_says_the_split(tmp_path, names, splits):
    for number, name in enumerate(names):
        tar(tmp_path / name, {f"{number}.jpg": b"x"})
    found = read(tmp_path)
    assert facts(found, "split") == {
        f"s/{name}#{number}.jpg": (split,) for number, (name, split) in enumerate(zip(names, splits, strict=True))
    }


def test_fields_of_json_are_columns_as_those_of_a_table(tmp_path):
    tar(tmp_path / "train-0.tar", {
        "a.json": fields(who=3.0, bird="b1", day="monday", part="test", words="one", sex="f", more=[1]), "a.jpg": b"x",
        "b.json": fields(who=None, bird=" ", part="", words=""), "b.wav": b"x", "b.txt": b"two",
    })  # fmt: skip
    tar(tmp_path / "val-0.tar", {"c.jpg": b"x", "c.json": b"{}"})
    columns = {"label": "who", "group": "bird", "domain": "day", "split": "part", "text": "words"}
    found = read(tmp_path, columns=columns | {"conditions": {"gender": "sex"}})
    assert facts(found, "label", "group", "domain", "split", "text", "condition_gender") == {
        "s/train-0.tar#a.jpg": ("3", "b1", "monday", "test", None, "f"),
        "s/train-0.tar#a.json/words": ("3", "b1", "monday", "test", "one", "f"),
        "s/train-0.tar#b.wav": (None, "train-0.tar#b", None, "train", None, None),
        "s/train-0.tar#b.txt": (None, "train-0.tar#b", None, "train", "two", None),
        "s/val-0.tar#c.jpg": (None, "val-0.tar#c", None, "dev", None, None),
    }
    assert found.rejected.empty
    with pytest.raises(
        SamplesError, match=r"columns: expected a field 'kind' in the json .*found 'bird', 'day', 'more'"
    ):
        read(tmp_path, columns={"domain": "kind"})
    with pytest.raises(SamplesError, match=r"sources.s, field 'bird': expected one of .*found 'b1'"):
        read(tmp_path, columns={"split": "bird"})


def test_a_label_is_cls_or_a_field_and_may_lack(tmp_path):
    tar(tmp_path / "0.tar", {
        "a.jpg": b"x", "a.cls": b"great tit\n",
        "b.jpg": b"x", "b.json": fields(label="wren"),
        "c.jpg": b"x", "c.cls": b"wren", "c.json": fields(label="wren"),
        "d.jpg": b"x",
        "e.jpg": b"x", "e.cls": b"",
    })  # fmt: skip
    found = read(tmp_path)
    labels = {name[-5:-4]: label for name, (label,) in facts(found, "label").items()}
    assert labels == {"a": "great tit", "b": "wren", "c": "wren", "d": None, "e": None}
    tar(tmp_path / "0.tar", {"a.jpg": b"x"})
    with pytest.raises(
        SamplesError, match="expected a field 'label' in the json of a sample, and no sample has a json"
    ):
        read(tmp_path, columns={"label": "label"})  # asked for
    assert len(read(tmp_path).rows) == 1


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("a.json", b'{"label": ', "its json is broken"),
        ("a.json", b"[" * 100_000, "its json is broken"),
        ("a.json", b"[1, 2]", "expected an object of json, found '[1, 2]'"),
        ("a.json", fields(label=["x", "y"]), "expected one text or number as label, found"),
        ("a.json", fields(label="y"), "its label is 'y' here and 'x' in a.cls"),
        ("a.two.cls", b"y", "its label is 'y' here and 'x' in a.cls"),
        ("a.two.cls", b"x\ny", "expected a label, an integer or a word"),
        ("a.txt", b"caf\xe9", "not a text in UTF-8"),
        ("a.txt", b"x" * (2**20 + 1), "it has 1,048,577 bytes, and a text"),
    ],
)
def test_a_sample_with_a_broken_member_is_rejected_whole_with_the_reason(tmp_path, member, content, reason):
    tar(tmp_path / "0.tar", {"a.jpg": b"x", "a.cls": b"x", member: content, "b.jpg": b"x"})
    found = read(tmp_path)
    assert list(facts(found)) == ["s/0.tar#b.jpg"]
    why = reasons(found)
    assert reason in why[f"0.tar#{member}"]
    assert why["0.tar#a.jpg"] == why["0.tar#a.cls"] == f"of a sample that is not used, for {member}"


def odd_member(name, kind, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("b.jpg", tarfile.SYMTYPE, "a symbolic link to '/etc/passwd', which is not followed"),
        ("b.jpg", tarfile.LNKTYPE, "a hard link to '/etc/passwd', which is not followed"),
        ("b.jpg", tarfile.FIFOTYPE, "no file: a pipe or a device"),
        ("../b.jpg", tarfile.REGTYPE, "its name reads like a path out of the source's root"),
        ("x/../../b.jpg", tarfile.REGTYPE, "its name reads like a path out of the source's root"),
        ("/etc/b.jpg", tarfile.REGTYPE, "its name reads like a path out of the source's root"),
        ("b\udce9.jpg", tarfile.REGTYPE, "its name is not UTF-8"),
    ],
)
def test_links_and_names_that_lead_out_are_rejected(tmp_path, name, kind, reason):
    file = tar(tmp_path / "0.tar", {"a.jpg": b"x"})
    with tarfile.open(file, "a") as opened:
        opened.addfile(odd_member("folder.d", tarfile.DIRTYPE))
        opened.addfile(odd_member(name, kind, linkname="/etc/passwd"))
    found = read(tmp_path)
    assert list(facts(found)) == ["s/0.tar#a.jpg"]
    ((path, why),) = reasons(found).items()
    assert path == f"0.tar#{name}".replace("\udce9", "\\xe9") and reason in why


def test_members_of_a_tar_that_holds_nothing_else_are_counted_to_the_last(tmp_path):
    tar(tmp_path / "0.tar", {f"{name}.{ending}": b"x" for name in "ab" for ending in ("c", "d", "e", "f", "g", "h")})
    with pytest.raises(SamplesError, match=r"found 2 members with the ending .c.* and 2 more; take"):
        read(tmp_path)


def test_a_key_that_comes_twice_in_one_tar(tmp_path):
    tar(tmp_path / "0.tar", {"a.jpg": b"x", "b.jpg": b"x", "a.txt": b"x"})
    with pytest.raises(SamplesError, match=r"0.tar: the key 'a' comes twice \(its members do not follow each other\)"):
        read(tmp_path)
    tar(tmp_path / "0.tar", {"a.jpg": b"x", "a.JPG": b"x"})
    with pytest.raises(SamplesError, match=r"the key 'a' comes twice \(two of its members have one ending\)"):
        read(tmp_path)


def test_a_key_in_two_tars_is_two_samples_and_said(tmp_path, caplog):
    for name in ("0.tar", "1.tar"):
        tar(tmp_path / name, {"a.jpg": name.encode(), "a.txt": b"x", f"own{name[0]}.jpg": b"x"})
    found = read(tmp_path)
    assert found.rows["sample_id"].is_unique and found.rows["group"].nunique() == 4
    assert "1 key stands in more than one tar, 'a' in 0.tar and another: each is a sample of its own" in caplog.text


DAMAGE = {  # two members: headers at 0 and 1,024, contents at 512 and 1,536, the end at 2,560
    "within a member": (lambda tar: tar[:2000], "its member 'b.jpg' of 900 bytes would end at byte 2,436 of 2,000"),
    "behind a member": (lambda tar: tar[:2500], "unexpected end of data"),
    "within a header": (lambda tar: tar[:1200], "its headers break off at byte 1,024 of 1,200"),
    "before the end": (
        lambda tar: tar[:2560],
        "its headers break off at byte 2,560 of 2,560, without the mark of an end",
    ),
    "no header": (lambda tar: tar[:1024] + b"x" * 512 + tar[1536:], "its headers break off at byte 1,024 of 10,240"),
    "joined by cat": (lambda tar: tar + tar, "more data follow its end at byte 2,560, as where tars are joined by cat"),
    "no tar": (lambda _: b"no tar" * 200, "invalid header"),
    "empty": (lambda _: b"", "empty file"),
    "a page": (lambda _: b"<!doctype html><html></html>", "truncated header"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_tar_is_named(tmp_path, how):
    file = tar(tmp_path / "0.tar", {"a.jpg": b"x", "b.jpg": b"x" * 900})
    assert [each.offset for each in tar_entries(file)] == [512, 1536]
    damage, message = DAMAGE[how]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(SamplesError, match=rf"0.tar: not a readable tar file \({message}.*\); copy it once more"):
        read(tmp_path)


def test_a_member_larger_than_the_file_is_named(tmp_path):
    with (tmp_path / "0.tar").open("wb") as file:
        for size in (3, 10**12):
            info = tarfile.TarInfo(f"{size}.jpg")
            info.size = size
            file.write(info.tobuf() + bytes(512))
        file.write(bytes(1024))
    with pytest.raises(
        SamplesError, match=r"'1000000000000.jpg' of 1,000,000,000,000 bytes would end at byte .* of 4,096"
    ):
        read(tmp_path)


@pytest.mark.parametrize(("mode", "kind"), [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz")])
def test_compressed_tars_are_refused_with_the_reason(tmp_path, mode, kind):
    with tarfile.open(tmp_path / f"0.tar.{mode}", f"w:{mode}") as opened:
        opened.addfile(odd_member("a.jpg", tarfile.REGTYPE, size=1), io.BytesIO(b"x"))
    said = rf"found '0.tar.{mode}'; members of a compressed tar cannot be read in place: unpack each to a .tar"
    with pytest.raises(SamplesError, match=said):
        read(tmp_path)
    (tmp_path / f"0.tar.{mode}").rename(tmp_path / "0.tar")
    with pytest.raises(
        SamplesError, match=f"0.tar: .*compressed with {kind}, and members .* in place.; unpack it to a .tar"
    ):
        read(tmp_path)


def test_a_shard_of_wespeaker_is_never_read_as_a_webdataset_nor_the_other_way_round(tmp_path):
    tar(tmp_path / "0.tar", {"id1/v/1.wav.spk": b"id1", "id1/v/1.wav.wav": b"x"})
    (tmp_path / "shard.list").write_text("0.tar\n")
    with pytest.raises(SamplesError, match="found a shard of WeSpeaker .'id1/v/1.wav.spk'.*take layout: wespeaker"):
        read(tmp_path)
    assert len(read(tmp_path, "wespeaker", list="shard.list").rows) == 1
    tar(tmp_path / "0.tar", {"a.wav": b"x", "a.cls": b"1"})
    with pytest.raises(SamplesError, match="expected a shard of WeSpeaker.*found none among 2 .*layout: webdataset"):
        read(tmp_path, "wespeaker", list="shard.list")
    assert len(read(tmp_path).rows) == 1


def test_a_tar_that_is_neither_is_refused_with_what_was_found(tmp_path):
    tar(tmp_path / "0.tar", {"a.jpg": b"x"})
    tar(tmp_path / "weights.tar", {"a.pth": b"x", "b.pth": b"x", "data": b"x"})
    said = "weights.tar: expected samples of .*found 2 members with the ending .pth, .*1 member without a name"
    with pytest.raises(SamplesError, match=said):
        read(tmp_path)
    tar(tmp_path / "weights.tar", {})
    with pytest.raises(SamplesError, match="weights.tar: .*found none; take the tar out"):
        read(tmp_path)


def test_a_folder_without_a_tar_and_one_of_which_nothing_can_be_used(tmp_path):
    with pytest.raises(SamplesError, match="expected the .tar files of a webdataset .*found no file; correct the root"):
        read(tmp_path)
    tar(tmp_path / "0.tar", {"a.jpg": b"x", "a.json": b"{"})
    with pytest.raises(
        SamplesError, match="no sample in 1 tar can be used: '0.tar#a.jpg: of a sample that is not used"
    ):
        read(tmp_path)
