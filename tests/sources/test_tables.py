"""The small tables beside raw files: delimiters, lines that do not fit, forms of paths."""

import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.tables import read_csv
from cross_modal_kd.sources.any_table import read_table
from cross_modal_kd.sources.folder import read_folder


@pytest.fixture
def root(tmp_path):
    for name in ("cat/1.png", "cat/2.png", "cat/monday/3.png", "dog/1.png", "dog/film.mkv", "dog/.hidden/1.png"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path


def read(root, **options):
    return read_folder("f", Roots({"f": SourceConfig(layout="folder", root=str(root))}), options)


def captions(root, text, encoding="utf-8"):
    (root / "captions.csv").write_bytes(text.encode(encoding))
    return read(root)


def texts(rows):
    return rows[rows["modality"] == "text"].set_index("sample_id")["text"].to_dict()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_delimiter_is_found_out(root, delimiter, end, encoding):
    lines = ["path, text ,more", 'cat/1.png,"a, b; c|d\te",', "cat/2.png,two,x", ",,", "", "dog/1.png, NA ,"]
    cells = [line.split(",") if '"' not in line else ["cat/1.png", '"a, b; c|d\te"', ""] for line in lines]
    rows, rejected, _ = captions(root, end.join(delimiter.join(line) for line in cells) + end, encoding)
    assert texts(rows) == {
        "f/text/cat/1.png/0": "a, b; c|d\te",
        "f/text/cat/2.png/0": "two",
        "f/text/dog/1.png/0": " NA ",
    }
    assert rejected["path"].tolist() == ["dog/film.mkv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,text\ncat/1.png,a\ncat/2.png,b,\n",
            r"captions.csv, line 3: expected 2 fields between commas \(path, text\)"
            ", found 3: a comma at its end",
        ),
        (
            "path,text\ncat/1.png,a,\ncat/2.png,b,\n",
            "line 2: expected 2 fields .* found 3: a comma at its end.*; 2 lines",
        ),
        (
            "path,text\ncat/1.png,one, two\n",
            "line 2: expected 2 fields .* found 3: a comma inside a text: put the text in",
        ),
        (
            "path;text\ncat/1.png;one; two\n",
            "line 2: expected 2 fields between semicolons .* found 3: a semicolon inside",
        ),
        ('path,text\ncat/1.png,"a\nb"\ncat/2.png\n', "line 4: expected 2 fields .* found 1: a cell is missing"),
        (
            'path,text\ncat/1.png,a\ncat/2.png,"no end\ncat/3.png,b\n',
            "line 3: not a readable CSV file.*ends with a quote",
        ),
        ('path,text\ncat/1.png,"so" called\n', "line 2: not a readable CSV file.*written twice"),
        ("path,text,text\ncat/1.png,a,b\n", r"the column\(s\) 'text' stand there more than once"),
        ("", "it is empty"),
        ("path,text\n,,\n", "the table has no rows"),
    ],
)
def test_a_line_that_does_not_fit_is_named(root, text, message):
    with pytest.raises(SamplesError, match=message):
        captions(root, text)


def test_another_encoding_is_named_by_its_line(root):
    with pytest.raises(SamplesError, match=r"captions.csv, line 2: not a readable CSV file in UTF-8 \(byte 0xe9\)"):
        captions(root, "path,text\ncat/1.png,café\n", "latin-1")


def test_utf_16_without_its_mark_is_named_as_such(root):
    with pytest.raises(SamplesError, match="captions.csv: expected a table in UTF-8, found zero bytes: UTF-16 without"):
        captions(root, "path,text\ncat/1.png,a cat\n", "utf-16-le")
    with pytest.raises(SamplesError, match=r"captions.csv, line 2: not a readable CSV file in UTF-16-LE"):
        (root / "captions.csv").write_bytes("path,text\n".encode("utf-16") + b"x")
        read(root)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_tells_excel_the_delimiter_is_no_header(root, end):
    rows, *_ = captions(root, f"sep=;{end}path;text{end}cat/1.png;1,5 m, a cat{end}")
    assert texts(rows) == {"f/text/cat/1.png/0": "1,5 m, a cat"}
    with pytest.raises(SamplesError, match="captions.csv, line 3: expected 2 fields between semicolons"):
        captions(root, f"sep=;{end}path;text{end}cat/1.png{end}")


def test_json_lines_in_utf_16(tmp_path):
    (tmp_path / "t.jsonl").write_bytes('{"a": "é"}\n\n{"a": 2}\n'.encode("utf-16"))
    assert read_table(tmp_path / "t.jsonl", ["a"])["a"].tolist() == ["é", "2"]


def test_every_line_may_end_in_a_comma_if_the_first_does(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,,\n1,2,,\n\n3,4,,\n")
    table = read_csv(tmp_path / "t.csv", ["b", "a"])
    assert table.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}
    assert table.index.tolist() == [2, 4]


@pytest.mark.parametrize(
    "path", ["./cat/1.png", "cat//1.png", " cat/1.png", "cat\\1.png", ".\\cat\\1.png", "cat/x/../1.png"]
)
def test_a_path_is_known_in_any_form(root, path):
    rows, *_ = captions(root, f"path,text\n{path},a cat\n")
    assert texts(rows) == {"f/text/cat/1.png/0": "a cat"}
    (root / "splits.csv").write_text(f"path,split\n{path}, test\n")
    assert set(read(root).rows.dropna(subset="split")["sample_id"]) == {"f/cat/1.png", "f/text/cat/1.png/0"}


def test_a_path_in_other_capitals_is_known_where_one_file_is_meant(root):
    rows, *_ = captions(root, "path,text\nCAT/1.PNG,a cat\n")
    assert texts(rows) == {"f/text/cat/1.png/0": "a cat"}
    (root / "cat" / "A.png").write_bytes(b"x")
    (root / "cat" / "a.png").write_bytes(b"x")
    rows, *_ = captions(root, "path,text\ncat/a.png,the small one\n")
    assert texts(rows) == {"f/text/cat/a.png/0": "the small one"}
    with pytest.raises(SamplesError, match="1 caption of a file that is missing: 'cat/A.PNG'"):
        captions(root, "path,text\ncat/A.PNG,which\n")


def test_empty_captions_are_named_as_such(root):
    rows, rejected, _ = captions(root, "path,text\ncat/1.png,\ncat/1.png,a cat\ncat/2.png, \n")
    assert texts(rows) == {"f/text/cat/1.png/1": "a cat"}
    assert rejected.set_index("path")["reason"].drop("dog/film.mkv").to_dict() == {
        "cat/1.png": "its caption is empty (captions.csv, line 2)",
        "cat/2.png": "its caption is empty (captions.csv, line 4)",
    }


@pytest.mark.parametrize("path", ["dog/film.mkv", "dog/.hidden/1.png"])
def test_a_caption_of_a_file_that_is_not_used_is_rejected(root, path):
    rows, rejected, _ = captions(root, f"path,text\ncat/1.png,a cat\n./{path},a dog\n")
    assert texts(rows) == {"f/text/cat/1.png/0": "a cat"}
    assert (path, "a caption of a file that is not used (captions.csv, line 3)") in set(
        zip(rejected["path"], rejected["reason"], strict=True)
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("domains.csv", "path;session\n./cat/1.png;a\ncat/2.png;\ndog/1.png;b\n"),
        ("captions.csv", "path,text,domain\ncat/1.png,one,a\ncat/1.png,two,a\ncat/2.png,three,\ndog/1.png,four,b\n"),
        ("splits.csv", "path,split,session\ncat/1.png,train,a\ndog/1.png,train,b\n"),
    ],
)
def test_a_source_may_have_a_domain_column(root, file, text):
    (root / file).write_text(text)
    rows = read(root).rows
    assert rows.dropna(subset="path").set_index("path")["domain"].dropna().to_dict() == {
        "cat/1.png": "a",
        "dog/1.png": "b",
    }
    if file == "captions.csv":
        assert rows.dropna(subset="text")["domain"].fillna("").tolist() == ["a", "a", "", "b"]


def test_a_domain_by_label_or_by_the_folder_below_it(root):
    assert read(root, domain="parent").rows.set_index("path")["domain"].dropna().to_dict() == {
        "cat/monday/3.png": "monday"
    }
    (root / "domains.csv").write_text("label,domain\ncat,studio\n")
    assert read(root).rows.groupby("label")["domain"].first().dropna().to_dict() == {"cat": "studio"}
    with pytest.raises(SamplesError, match="'cat/monday/3.png' has the domain 'monday' by its folder.*'studio' here"):
        read(root, domain="parent")


def test_wrong_domains_are_named(root):
    (root / "domains.csv").write_text("path,place\ncat/1.png,a\n")
    with pytest.raises(SamplesError, match="domains.csv: expected a column domain or session, found"):
        read(root)
    (root / "domains.csv").write_text("path,domain\ncat/1.png,a\n./cat/1.png,b\n")
    with pytest.raises(SamplesError, match="domains.csv, line 3: 'cat/1.png' has the domain 'a' and 'b'"):
        read(root)


@pytest.mark.parametrize("key", ["path", "label"])
def test_domains_of_what_is_not_there_are_named(root, key):
    there, wrong = {"path": ("cat/1.png", "cat/11.png"), "label": ("cat", "catt")}[key]
    (root / "domains.csv").write_text(f"{key},domain\n{there},a\n{wrong},b\n")
    with pytest.raises(SamplesError, match=f"domains.csv: no such {key}: '{wrong}'; correct the names"):
        read(root)
    (root / "bird").mkdir()  # without a file that is used, and dog/film.mkv is none
    also = {"path": "dog/film.mkv", "label": "bird"}[key]
    (root / "domains.csv").write_text(f"{key},domain\n{there},a\n{also},b\n")
    assert set(read(root).rows["domain"].dropna()) == {"a"}


def test_nothing_usable_says_what_was_passed_over(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.mkv").write_bytes(b"x")
    with pytest.raises(SamplesError, match="1 are passed over: 'cat/a.mkv: .mkv ending"):
        read(tmp_path)


def test_lines_that_stand_in_quotes_as_a_whole(tmp_path):
    (tmp_path / "t.csv").write_text('\ufeff"a\tb c"\r\n"1\tx, y"\r\n\r\n"2\tz"\r\n', encoding="utf-8", newline="")
    table = read_csv(tmp_path / "t.csv", ["a", "b c"])
    assert table.to_dict("list") == {"a": ["1", "2"], "b c": ["x, y", "z"]} and table.index.tolist() == [2, 4]
    (tmp_path / "t.csv").write_text('"a, with b"\n"1, 2"\n')  # one column of quoted cells stays what it is
    assert read_csv(tmp_path / "t.csv", ["a, with b"])["a, with b"].tolist() == ["1, 2"]
    (tmp_path / "t.csv").write_text('"a,b"\n1,2\n')
    with pytest.raises(SamplesError, match=r"expected the column\(s\) 'a', 'b', found \['a,b'\]"):
        read_csv(tmp_path / "t.csv", ["a", "b"])
