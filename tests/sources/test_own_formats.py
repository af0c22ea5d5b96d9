"""Formats that strangers bring: a miniature of each, its quirks, and what a broken one says."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from cross_modal_kd.config import IngestionConfig
from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.found_names import rows_of_names
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources import check_source, layout_of
from own_folders import tar

SIGNS = {".csv": ",", ".tsv": "\t"}


def files(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def read(root, layout, **options):
    source = SourceConfig(layout=layout, root=str(root), options=options)
    check_source("s", source)
    return layout_of("s", layout)("s", Roots({"s": source}), options)


def written(file, rows):
    """A table in the format of its ending."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pd.DataFrame(rows).to_csv(file, sep=SIGNS[file.suffix], index=False)


def facts(found, *columns):
    rows = found.rows.set_index("sample_id")[list(columns)]
    return {name: tuple(None if pd.isna(value) else value for value in row) for name, *row in rows.itertuples()}


def reasons(found):
    return found.rejected.set_index("path")["reason"].to_dict()


COLUMNS = {"image": "picture", "speech": "voice", "text": "words", "label": "who", "domain": "day", "split": "part"}


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_a_blank_label_is_none_and_a_column_of_them_need_not_be_there(tmp_path, kind):
    files(tmp_path, "a.png", "b.png")
    named = [("a.png", "one", "x"), ("b.png", "two", " " if kind == ".csv" else None)]
    written(tmp_path / f"t{kind}", [dict(zip(("picture", "words", "who"), row, strict=True)) for row in named])
    columns = {"image": "picture", "text": "words"}
    found = read(tmp_path, "table", file=f"t{kind}", columns=columns | {"label": "who"})
    assert [label for (label,) in facts(found, "label").values()] == ["x", None, "x", None]
    found = read(tmp_path, "table", file=f"t{kind}", columns=columns | {"label": None})
    assert {label for (label,) in facts(found, "label").values()} == {None} and found.rejected.empty
    metadata = [{"file_name": path, "label": label, "text": text} for path, text, label in named]
    (tmp_path / f"t{kind}").unlink()
    written(tmp_path / f"metadata{kind}", metadata)
    assert [label for (label,) in facts(read(tmp_path, "hf_folder", text="text"), "label").values()] == ["x", None] * 2


@pytest.mark.parametrize("kind", [".jsonl", ".parquet"])
def test_long_numbers_beside_a_null_are_not_rounded_into_one_label(tmp_path, kind):
    files(tmp_path, "a.png", "b.png", "c.png")
    rows = [(f"{n}.png", label) for n, label in zip("abc", (12345678901234567, 12345678901234568, None), strict=True)]
    table = pa.table({"f": [path for path, _ in rows], "label": [label for _, label in rows]})
    if kind == ".parquet":
        pq.write_table(table, tmp_path / "t.parquet")
    else:
        written(tmp_path / "t.jsonl", table.to_pylist())
    found = read(tmp_path, "table", file=f"t{kind}", columns={"image": "f"})
    assert [label for (label,) in facts(found, "label").values()] == ["12345678901234567", "12345678901234568", None]


def test_an_index_of_pandas_is_a_column_and_short_floats_are_labels_as_they_are_written(tmp_path):
    files(tmp_path, "a.png", "b.png")
    table = pd.DataFrame({"f": ["a.png", "b.png"], "label": [0.1, 2.0]}).astype({"label": "float32"})
    table.set_index("f").to_parquet(tmp_path / "t.parquet")
    found = read(tmp_path, "table", file="t.parquet", columns={"image": "f"})
    assert facts(found, "label") == {"s/a.png": ("0.1",), "s/b.png": ("2",)}
    table.index = [7, 9]
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(SamplesError, match=r"expected the column\(s\) 'g', found \['f', 'label'\]"):
        read(tmp_path, "table", file="t.parquet", columns={"image": "g"})


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (
            {"bytes": b"x", "path": "a.png"},
            r"as image, found a file itself, .*paths \(2 lines are so\)",
        ),
        (b"x", "as image, found bytes .*: write a text or a number; those of a file go below the root"),
        ({"x": 1}, "as image, found an object .*: write the one value that is meant into a column of its own"),
        (["a.png"], "as image, found .*; write a row for each"),
    ],
)
def test_what_a_cell_of_parquet_holds_in_place_of_a_text_is_named_with_what_to_do(tmp_path, cell, why):
    files(tmp_path, "a.png")
    pq.write_table(pa.table({"f": [cell, cell], "label": ["x", "y"]}), tmp_path / "t.parquet")
    with pytest.raises(SamplesError, match=why):
        read(tmp_path, "table", file="t.parquet", columns={"image": "f"})


def test_a_name_without_its_ending_is_told_the_file_that_is_called_so(tmp_path):
    files(tmp_path, "a.png", "b.png")
    written(tmp_path / "t.csv", [{"f": "a", "label": "x"}, {"f": "b.png", "label": "y"}, {"f": "c", "label": "y"}])
    found = read(tmp_path, "table", file="t.csv", columns={"image": "f"})
    assert reasons(found) == {
        "a": "the file of its image is missing: a (there is a.png: write the ending) (t.csv, line 2)",
        "c": "the file of its image is missing: c (t.csv, line 4)",
    }


def test_values_of_a_json_line_stay_as_they_are_written(tmp_path):
    files(tmp_path, "a.png", "b.png", "c.png")
    rows = [
        {"f": "a.png", "label": "2024-01-02", "day": "2024-01-02", "t": "one\u2028line", "more": 1},
        {"f": "b.png", "label": "001", "day": "2024-01-03T10:00:00", "more": {"x": 1}},
        {"f": "c.png", "label": 1.0, "t": None, "day": None},
    ]
    lines = "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "t.jsonl").write_text(lines, encoding="utf-8-sig")
    found = read(tmp_path, "table", file="t.jsonl", columns={"image": "f", "text": "t", "domain": "day"})
    assert facts(found, "label", "domain") == {
        "s/a.png": ("2024-01-02", "2024-01-02"),
        "s/b.png": ("001", "2024-01-03T10:00:00"),
        "s/c.png": ("1", None),
        "s/text/1": ("2024-01-02", "2024-01-02"),
    }
    assert found.rows["text"].dropna().tolist() == ["one\u2028line"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"f": "a.png", "label": "x"', "delimiter"),
        (b'{"f": "a.png", "label": "x", "label": "y"}', "the key 'label' stands there twice"),
        (b'[{"f": "a.png", "label": "x"}]', "it holds"),
        (b'{"f": "a.png", "label": "caf\xe9"}', "UTF-8"),
        (b'{"f": "a.png", "label": "cut \\ud83d"}', "surrogates"),
    ],
)
def test_a_line_that_is_no_json_object_is_named(tmp_path, line, why):
    files(tmp_path, "a.png")
    (tmp_path / "t.jsonl").write_bytes(b'{"f": "a.png", "label": "x"}\n' + line + b"\n")
    with pytest.raises(SamplesError, match=rf"t.jsonl, line 2: not a readable table of a JSON object a line.*{why}"):
        read(tmp_path, "table", file="t.jsonl", columns={"image": "f"})


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_table_of_three_modalities(tmp_path, kind):
    files(tmp_path, "meta/a.png", "meta/b.png", "sound/a.wav")
    written(
        tmp_path / "meta" / f"t{kind}",
        [
            {"picture": "a.png", "voice": "../sound/a.wav", "words": "one", "who": 7, "day": "mon", "part": "val"},
            {"picture": "./b.png", "voice": None, "words": None, "who": 8, "day": None, "part": "Train"},
            {"picture": "c.png", "voice": None, "words": "three", "who": 8, "day": None, "part": None},
        ],
    )
    found = read(tmp_path, "table", file=f"meta/t{kind}", columns=COLUMNS)
    line = 2 if kind in SIGNS else 1
    assert facts(found, "modality", "label", "group", "domain", "split") == {
        "s/meta/a.png": ("image", "7", "meta/a.png", "mon", "dev"),
        "s/meta/b.png": ("image", "8", "meta/b.png", None, "train"),
        "s/sound/a.wav": ("speech", "7", "meta/a.png", "mon", "dev"),
        f"s/text/meta/{line}": ("text", "7", "meta/a.png", "mon", "dev"),
    }
    assert reasons(found) == {
        "meta/c.png": f"the file of its image is missing: meta/c.png (t{kind}, line {line + 2})",
    }


@pytest.mark.parametrize("folder", ["", "lists/"])
@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("ID,duration,wav,start,stop,spk_id", {"speech": "wav", "label": "spk_id"}),  # SpeechBrain's train.csv
        ("ID,dur,path,start,stop,spk", {"speech": "path", "label": "spk"}),  # 3D-Speaker's
    ],
)
def test_tables_of_toolkits_of_stretches_are_tables_of_their_sounds(tmp_path, folder, head, columns):
    files(tmp_path, "wav/id1/a/1.wav", "wav/id2/b/1.wav")
    lines = [
        f"{path.replace('/', '--')}_{start},9.0,{tmp_path}/wav/{path},{start},{start + 48000},{path[:3]}"
        for path in ("id1/a/1.wav", "id2/b/1.wav", "id3/c/1.wav")
        for start in (0, 48000)
    ]
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / f"{folder}train.csv").write_text("\n".join([head, *lines]))
    found = read(tmp_path, "table", file=f"{folder}train.csv", columns=columns)
    assert facts(found, "label", "path") == {
        "s/wav/id1/a/1.wav": ("id1", "wav/id1/a/1.wav"),
        "s/wav/id2/b/1.wav": ("id2", "wav/id2/b/1.wav"),
    }
    assert all("is missing: wav/id3/c/1.wav" in reason for reason in found.rejected["reason"])


def test_an_image_folder_takes_what_torchvision_takes(tmp_path):
    endings = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
    files(
        tmp_path, *(f"{label}/deep/{number}{ending.upper()}" for label in "ab" for number, ending in enumerate(endings))
    )
    found = read(tmp_path, "image_folder")
    assert found.rejected.empty and found.rows["label"].value_counts().to_dict() == {"a": 9, "b": 9}


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"f": "a.png", "label": ["x"]}, "label"),
        ({"f": "a.png", "label": {"x": 1}}, "label"),
        ({"f": ["a.png", "b.png"], "label": "x"}, "image"),
        ({"f": "a.png", "label": "x", "t": ["one", "two"]}, "text"),
        ({"f": "a.png", "label": "x", "g": ["m"]}, "gender"),
    ],
)
def test_a_cell_of_several_values_is_refused_by_its_line(tmp_path, row, named):
    files(tmp_path, "a.png", "b.png")
    written(tmp_path / "t.jsonl", [row])
    columns = {"image": "f"} | ({"text": "t"} if "t" in row else {})
    columns |= {"conditions": {"gender": "g"}} if "g" in row else {}
    with pytest.raises(
        SamplesError,
        match=rf"t.jsonl, line 1: expected one text or number as {named}, found .* a (row|column) ",
    ):
        read(tmp_path, "table", file="t.jsonl", columns=columns)


def test_captions_as_lists_are_refused_by_their_line(tmp_path):
    files(tmp_path, "a.png")
    written(tmp_path / "metadata.jsonl", [{"file_name": "a.png", "label": "x", "t": ["one", "two"]}])
    with pytest.raises(SamplesError, match="metadata.jsonl, line 1: expected one text or number as text"):
        read(tmp_path, "hf_folder", text="t")


def test_a_table_names_conditions(tmp_path):
    files(tmp_path, "a.wav", "b.wav")
    rows = [{"f": "a.wav", "label": "x", "Sex": " F/x "}, {"f": "b.wav", "label": "y", "Sex": ""}]
    written(tmp_path / "t.csv", rows)
    found = read(tmp_path, "table", file="t.csv", columns={"speech": "f", "conditions": {"gender": "Sex"}})
    assert facts(found, "condition_gender") == {"s/a.wav": ("F_x",), "s/b.wav": (None,)}
    written(tmp_path / "t.csv", [*rows, {"f": "a.wav", "label": "x", "Sex": "m"}])
    with pytest.raises(SamplesError, match="'a.wav' has different values of gender"):
        read(tmp_path, "table", file="t.csv", columns={"speech": "f", "conditions": {"gender": "Sex"}})
    with pytest.raises(ValueError, match="conditions"):
        read(tmp_path, "table", file="t.csv", columns={"speech": "f", "conditions": {"Gender": "Sex"}})


def test_a_table_of_sounds_and_texts_with_several_texts_of_a_file(tmp_path):
    files(tmp_path, "a.wav")
    written(tmp_path / "t.csv", [{"f": "a.wav", "t": each, "label": "x"} for each in ("one", "two")])
    found = read(tmp_path, "table", file="t.csv", columns={"speech": "f", "text": "t"})
    assert facts(found, "group") == {"s/a.wav": ("a.wav",), "s/text/2": ("a.wav",), "s/text/3": ("a.wav",)}


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([{"f": "a.png"}], {"image": "f"}, r"t.csv: expected the column\(s\) 'label', found \['f'\]"),
        ([{"f": "a.png", "label": "x", "s": "eval"}], {"image": "f", "split": "s"}, "column split: .* found 'eval'"),
        (
            [{"f": "a.png", "label": "x"}, {"f": "a.png", "label": "y"}],
            {"image": "f"},
            "lines 2 and 3: 'a.png' has different values of label",
        ),
        ([{"f": "no.png", "label": "x"}], {"image": "f"}, "none of its 1 rows can be used .*no.png"),
        ([{"f": "a.png", "label": "x"}], {"speech": "f"}, "its speech is no file of speech"),
        ([{"f": "a.png", "label": "x"}], {}, "options .layout table.*expected a column of image, speech or text"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, rows, columns, message):
    files(tmp_path, "a.png")
    written(tmp_path / "t.csv", rows)
    with pytest.raises(SamplesError, match=message):
        read(tmp_path, "table", file="t.csv", columns=columns)


def test_a_damaged_or_missing_table_is_named(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"f": "a.png"\n')
    with pytest.raises(SamplesError, match="t.jsonl, line 1: not a readable table of a JSON object a line"):
        read(tmp_path, "table", file="t.jsonl", columns={"image": "f"})
    with pytest.raises(SamplesError, match="u.csv: the file is missing"):
        read(tmp_path, "table", file="u.csv", columns={"image": "f"})
    with pytest.raises(SamplesError, match="leads outside"):
        read(tmp_path, "table", file="../u.csv", columns={"image": "f"})


def test_an_image_folder(tmp_path):
    files(tmp_path, "10/a.png", "9/deep/b.JPG", "9/notes.txt", "9/c.wav")
    (tmp_path / "11").mkdir()
    found = read(tmp_path, "image_folder")
    assert facts(found, "label", "split") == {"s/10/a.png": ("10", None), "s/9/deep/b.JPG": ("9", None)}
    assert reasons(found)["11"] == "a class folder without an image"
    assert set(reasons(found)) == {"11", "9/notes.txt", "9/c.wav"}


def test_an_image_folder_of_splits_with_captions(tmp_path):
    files(tmp_path, "train/cat/1.png", "val/cat/1.png", "test/dog/1.png")
    (tmp_path / "val" / "dog").mkdir()
    (tmp_path / "captions.csv").write_text("path,text\nval/cat/1.png,a cat\n")
    found = read(tmp_path, "image_folder")
    assert facts(found, "label", "group", "split") == {
        "s/train/cat/1.png": ("cat", "train/cat/1.png", "train"),
        "s/val/cat/1.png": ("cat", "val/cat/1.png", "dev"),
        "s/test/dog/1.png": ("dog", "test/dog/1.png", "test"),
        "s/text/val/cat/1.png/0": ("cat", "val/cat/1.png", "dev"),
    }
    assert reasons(found) == {"val/dog": "a class folder without an image"}


def test_an_image_folder_without_an_image(tmp_path):
    with pytest.raises(SamplesError, match="expected <class>/<image>, or <train|val|test>"):
        read(tmp_path, "image_folder")


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_a_folder_of_hugging_face_with_metadata(tmp_path, kind):
    files(tmp_path, "train/x/1.png", "validation/1.png", "test/left.wav")
    for split, path in (("train", "x/1.png"), ("validation", "1.png")):
        written(tmp_path / split / f"metadata{kind}", [{"file_name": path, "text": f"of {split}", "label": 3}])
    found = read(tmp_path, "hf_folder", text="text")
    line = 2 if kind == ".csv" else 1
    assert facts(found, "label", "split", "text") == {
        "s/train/x/1.png": ("3", "train", None),
        "s/validation/1.png": ("3", "dev", None),
        f"s/text/train/{line}": ("3", "train", "of train"),
        f"s/text/validation/{line}": ("3", "dev", "of validation"),
    }
    assert reasons(found) == {"test/left.wav": "the metadata do not name it"}


def test_pairs_and_lists_of_files_in_one_row(tmp_path):
    files(tmp_path, "a.png", "a.wav", "b.png", "c.png")
    row = {"image_file_name": "a.png", "audio_file_name": "a.wav", "speaker": "x"}
    written(tmp_path / "metadata.jsonl", [row])
    found = read(tmp_path, "hf_folder", label="speaker")
    assert facts(found, "modality", "group") == {"s/a.png": ("image", "a.png"), "s/a.wav": ("speech", "a.png")}
    written(tmp_path / "metadata.jsonl", [{"file_names": ["b.png", "c.png"], "speaker": "x"}])
    found = read(tmp_path, "hf_folder", label="speaker")
    assert found.rows["group"].tolist() == ["metadata.jsonl, row 1"] * 2


def test_folders_give_labels_of_hugging_face_only_without_metadata(tmp_path):
    files(tmp_path, "train/cat/1.png", "test/dog/1.png")
    assert facts(read(tmp_path, "hf_folder"), "label", "split") == {
        "s/train/cat/1.png": ("cat", "train"),
        "s/test/dog/1.png": ("dog", "test"),
    }
    files(tmp_path, "train/cat/deep/2.png")
    with pytest.raises(SamplesError, match="all files at one depth; found files at 2 depths"):
        read(tmp_path, "hf_folder")
    written(tmp_path / "metadata.csv", [{"file_name": "train/cat/1.png"}])
    with pytest.raises(SamplesError, match="expected the column 'label'.*beside metadata the folders give no labels"):
        read(tmp_path, "hf_folder")


def test_metadata_of_two_kinds_or_of_other_columns(tmp_path):
    files(tmp_path, "a.png")
    written(tmp_path / "metadata.csv", [{"file_name": "a.png", "label": "x"}])
    written(tmp_path / "test" / "metadata.csv", [{"file_name": "a.png", "other": "x"}])
    with pytest.raises(SamplesError, match="test/metadata.csv: expected the columns of metadata.csv"):
        read(tmp_path, "hf_folder")
    written(tmp_path / "test" / "metadata.jsonl", [{"file_name": "a.png", "label": "x"}])
    with pytest.raises(SamplesError, match="expected metadata of one kind"):
        read(tmp_path, "hf_folder")


def kaldi(root, **lists):
    files(root, "wav/a-1.wav", "wav/a-2.wav", "wav/b-1.wav")
    given = {
        "wav.scp": f"a-1 wav/a-1.wav\na-2 {root}/wav/a-2.wav\na-3 touch {root}/ran |\n"
        "b-1 wav/b-1.wav\nb-2 /x/b-2.wav\n",
        "utt2spk": "a-1 a\na-2 a\na-3 a\nb-2 b\n",
        "spk2utt": "a a-1 a-2 a-3\nb b-2\n",
        "text": "a-1 one two\na-2\n",
    } | {name.replace("_", "."): text for name, text in lists.items()}
    (root / "data").mkdir(exist_ok=True)
    for name, text in given.items():
        (root / "data" / name).write_text(text)


def test_a_kaldi_directory_whose_commands_are_never_run(tmp_path):
    kaldi(tmp_path)
    found = read(tmp_path, "kaldi", folder="data", texts=True)
    assert facts(found, "label", "group", "path", "text") == {
        "s/a-1": ("a", "a-1", "wav/a-1.wav", None),
        "s/a-2": ("a", "a-2", "wav/a-2.wav", None),
        "s/text/a-1": ("a", "a-1", None, "one two"),
        "s/b-1": (None, "b-1", "wav/b-1.wav", None),
    }
    why = reasons(found)
    assert "a command, which is never run" in why[f"touch {tmp_path}/ran |"]
    assert not (tmp_path / "ran").exists()
    assert "lies outside the source's root" in why["/x/b-2.wav"]
    assert why["wav/a-2.wav"] == "no words in text"


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"spk2utt": "a a-1 a-2\nb a-3 b-2\n"}, "spk2utt: 1 utterances have another speaker .*'a-3' is of 'b' here"),
        ({"utt2spk": "a-1\n"}, "utt2spk, line 1: expected an id, a blank and a value, found 'a-1'"),
        ({"utt2spk": "a-1 a\na-1 b\n"}, "utt2spk, line 2: the id 'a-1' stands there twice"),
        ({"wav_scp": "a-1 touch x |\n"}, "wav.scp: none of its 1 utterances can be used .*never run"),
        ({"segments": "u a-1 2 1\n"}, "segments: .*the start before the end .*found 'a-1 2 1' of 'u'"),
        ({"segments": "u a-1 0\n"}, "segments: expected 'utterance recording start end'"),
        ({"segments": "u z 0 1\n", "utt2spk": "u a\n", "spk2utt": "a u\n"}, "none .*recording is not in wav.scp: z"),
        ({"utt2dur": "a-1 none\n"}, "utt2dur: expected seconds above 0, found 'none' of 'a-1'"),
        ({"utt2spk": ""}, "utt2spk: it is empty"),
    ],
)
def test_a_wrong_kaldi_directory_is_named(tmp_path, lists, message):
    kaldi(tmp_path, **lists)
    with pytest.raises(SamplesError, match=message):
        read(tmp_path, "kaldi", folder="data")


def test_segments_of_a_kaldi_directory_are_stretches_of_their_recordings(tmp_path, caplog):
    rate, root = 8000, tmp_path
    wave = (8000 * np.sin(np.arange(4 * rate) * 0.3)).astype(np.int16) + np.arange(4 * rate, dtype=np.int16)
    (root / "wav").mkdir()
    soundfile.write(root / "wav/r1.wav", wave, rate)
    soundfile.write(root / "wav/r2.flac", wave[::-1].copy(), rate)
    (root / "wav/r3.m4a").write_bytes(b"x")
    lists = {
        "wav.scp": "r1 wav/r1.wav\nr2 wav/r2.flac\nr3 wav/r3.m4a\nr4 cat x |\n",
        "segments": "u1 r1 0.5 1.75\nu2 r1 3 -1\nu3 r2 1 2.05 A\nu4 r3 0 1\nu5 r4 0 1\nu6 r9 0 1\nu7 r1 3.5 9\n",
        "utt2spk": "".join(f"u{number} {'ab'[number % 2]}\n" for number in range(1, 8)),
        "spk2gender": "a f\nb m\n",
        "utt2dur": "u1 1.25\n",
    }
    for name, text in lists.items():
        (root / name).write_text(text)
    found = read(root, "kaldi")
    assert facts(found, "label", "path", "condition_gender") == {
        "s/u1": ("b", "wav/r1.wav#t=0.5,1.75", "m"),
        "s/u2": ("a", "wav/r1.wav#t=3,", "f"),
        "s/u3": ("b", "wav/r2.flac#t=1,2.05", "m"),
        "s/u7": ("b", "wav/r1.wav#t=3.5,9", "m"),
    }
    why = reasons(found)
    assert "a stretch is read of .wav, .flac" in why["wav/r3.m4a"] and "never run" in why["cat x |"]
    assert "its recording is not in wav.scp: r9" in why["r9"]
    assert "6 of 7 utterances are not in" in caplog.text
    source = SourceConfig(layout="kaldi", root=str(root))
    roots, ingestion, modality = Roots({"s": source}), IngestionConfig(), modality_of("speech")
    rows = found.rows.set_index("sample_id")
    for name, expected in (("u1", wave[4000:14000]), ("u2", wave[24000:]), ("u3", wave[::-1][8000:16400])):
        row = rows.loc[f"s/{name}"].to_dict()
        decoded = modality.read(row, roots).value
        assert np.abs(decoded - expected / 32768).max() < 1e-4 and len(decoded) == len(expected)
        assert modality.inspect(row, roots, ingestion)["duration_s"] == pytest.approx(len(expected) / rate)
    with pytest.raises(UnreadableSampleError, match="the recording ends at 4.00 s, within or before the stretch"):
        modality.inspect(rows.loc["s/u7"].to_dict(), roots, ingestion)
    stamps = roots.stamps(found.rows)
    assert (stamps["size"] > 0).all()  # those of the recording
    names = rows_of_names(["u2", "u1.wav"], list(rows.index))
    assert names.tolist() == [1, 0]  # as Kaldi's lists of trials have them


@pytest.mark.parametrize("member", ["t=1", "t=2,1", "x", "t=-1,2", "t=1,1"])
def test_an_address_that_is_no_stretch_is_refused(tmp_path, member):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    roots = Roots({"s": SourceConfig(layout="kaldi", root=str(tmp_path))})
    with pytest.raises(SamplesError, match=r"a.wav#.*: expected a stretch, t=start,end in seconds"):
        roots.content("s", f"a.wav#{member}")


def test_a_file_whose_name_reads_like_a_stretch_is_the_file(tmp_path):
    for name in ("a.wav", "a.wav#t=0,0.5.wav"):
        soundfile.write(tmp_path / name, np.zeros(8000), 8000)
    roots = Roots({"s": SourceConfig(layout="kaldi", root=str(tmp_path))})
    assert roots.content("s", "a.wav#t=0,0.5.wav") == tmp_path / "a.wav#t=0,0.5.wav"


def test_a_raw_list_of_wespeaker(tmp_path):
    key = "id00012/21U.vid/00001.wav"
    files(tmp_path, "wav/1.wav")
    rows = [
        {"key": key, "spk": "id00012", "wav": f"{tmp_path}/wav/1.wav", "vad": [[0.1, 0.2]]},
        {"key": "k2", "spk": "id00013", "wav": "wav/2.wav", "vad": []},
        {"key": "k3", "spk": "id00013", "wav": "sox x |", "vad": []},
    ]
    written(tmp_path / "raw.jsonl", rows)
    (tmp_path / "raw.jsonl").rename(tmp_path / "raw.list")
    found = read(tmp_path, "wespeaker")
    assert facts(found, "label", "group", "path") == {f"s/{key}": ("id00012", key, "wav/1.wav")}
    assert "the file is missing" in reasons(found)["wav/2.wav"]
    assert "never run" in reasons(found)["sox x |"]


def test_shards_of_wespeaker_are_parted_at_the_last_dot_and_read_in_place(tmp_path):
    key = "id1/v.x/00001.wav"
    tar(
        tmp_path / "shards_0.tar",
        {f"{key}.spk": b"id1", f"{key}.wav": b"sound", "k2.spk": b"id2", "k3.flac": b"x", "README": b"x"},
    )
    (tmp_path / "shard.list").write_text(f"{tmp_path}/shards_0.tar\nshards_1.tar\n")
    found = read(tmp_path, "wespeaker", list="shard.list")
    address = f"shards_0.tar#{key}.wav"
    assert facts(found, "label", "group", "path") == {f"s/{key}": ("id1", key, address)}
    roots = Roots({"s": SourceConfig(layout="wespeaker", root=str(tmp_path))})
    assert roots.bytes("s", address) == b"sound"
    assert (roots.stamps(found.rows)["size"] > 0).all()
    with pytest.raises(SamplesError, match=r"shards_0.tar has no member 'x.wav' among its 5"):
        roots.bytes("s", "shards_0.tar#x.wav")
    why = reasons(found)
    assert "without a sound" in why["k2"]
    assert "without a speaker" in why["shards_0.tar#k3.flac"]
    assert "missing" in why["shards_1.tar"]


def test_a_damaged_shard_and_no_list_are_named(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no tar" * 200)
    (tmp_path / "shard.list").write_text("a.tar\n")
    with pytest.raises(SamplesError, match="a.tar: not a readable tar file"):
        read(tmp_path, "wespeaker", list="shard.list")
    with pytest.raises(SamplesError, match="expected WeSpeaker's raw.list or shard.list"):
        read(tmp_path, "wespeaker")
