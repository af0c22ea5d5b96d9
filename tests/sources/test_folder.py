import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources import layout_of
from cross_modal_kd.sources.folder import read_folder


@pytest.fixture
def root(tmp_path):
    for name in ("cat/1.png", "cat/2.JPG", "dog/v1/1.wav", "dog/v1/1.png", "dog/notes.txt", "top.png", "cat/.hidden"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path


def read(root, **options):
    return read_folder("f", Roots({"f": SourceConfig(layout="folder", root=str(root))}), options)


def test_images_and_sounds_by_their_folder(root):
    rows, rejected, *_ = read(root)
    assert rows.loc[rows["label"].isna(), "path"].tolist() == ["top.png"]
    found = rows[rows["label"].notna()].set_index("path")[["label", "modality", "group"]].to_dict("index")
    assert found == {
        "cat/1.png": {"label": "cat", "modality": "image", "group": "cat/1.png"},
        "cat/2.JPG": {"label": "cat", "modality": "image", "group": "cat/2.JPG"},
        "dog/v1/1.png": {"label": "dog", "modality": "image", "group": "dog/v1/1.png"},
        "dog/v1/1.wav": {"label": "dog", "modality": "speech", "group": "dog/v1/1.wav"},
    }
    reasons = rejected.set_index("path")["reason"].to_dict()
    assert set(reasons) == {"dog/notes.txt"}
    assert "a file of no registered modality; those read are image: .png, .jpg" in reasons["dog/notes.txt"]
    assert all(ending in reasons["dog/notes.txt"] for ending in (".tiff", ".wav", ".m4a", ".aac", ".mp4", ".webm"))


def test_what_lies_in_the_unlabelled_folder_has_no_label(root):
    rows, *_ = read(root, unlabelled="dog")
    assert set(rows.loc[rows["label"].isna(), "path"]) == {"dog/v1/1.png", "dog/v1/1.wav", "top.png"}
    assert set(rows["label"].dropna()) == {"cat"}


@pytest.mark.parametrize(("group", "expected"), [("stem", "dog/v1/1"), ("parent", "dog/v1")])
def test_a_sound_and_an_image_of_one_instance(root, group, expected):
    rows, *_ = read(root, group=group)
    assert (rows.loc[rows["label"] == "dog", "group"] == expected).all()


def test_captions_take_label_and_group_of_their_file(root):
    (root / "captions.csv").write_text("path,text\ncat/1.png,a cat\ncat/1.png,sleeping\n")
    rows, *_ = read(root)
    texts = rows[rows["modality"] == "text"]
    assert texts["text"].tolist() == ["a cat", "sleeping"]
    assert texts["sample_id"].is_unique
    assert set(texts["group"]) == {"cat/1.png"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("captions.csv", "path,caption\ncat/1.png,a\n", r"captions.csv: expected the column\(s\) 'text', found"),
        ("captions.csv", "path,text\ncat/9.png,a\n", "1 caption of a file that is missing: 'cat/9.png'"),
        ("splits.csv", "label\ncat\n", r"splits.csv: expected the column\(s\) 'split'"),
        ("splits.csv", "name,split\ncat,train\n", "expected a column path or label"),
        ("splits.csv", "label,split\ncat,validation\n", r"split must be one of .* found 'validation'"),
        ("splits.csv", "label,split\ncat,train\ncat,test\n", "each label may be given once; repeated: 'cat'"),
        ("splits.csv", "label,split\ncow,train\n", "no such label in the source f: 'cow'"),
    ],
)
def test_wrong_tables_are_named(root, file, text, message):
    (root / file).write_text(text)
    with pytest.raises(SamplesError, match=message):
        read(root)


@pytest.mark.parametrize("name", ["Captions.csv", "SPLITS.CSV"])
def test_a_table_in_other_capitals_is_said_not_to_be_read(root, name):
    (root / name).write_text("path,text\ncat/1.png,a cat\n")
    reason = read(root).rejected.set_index("path")["reason"][name]
    assert reason == f"to be read it has to be called {name.lower()}"


def test_an_official_split_by_label_and_by_path(root):
    (root / "captions.csv").write_text("path,text\ncat/1.png,a cat\n")
    (root / "splits.csv").write_text("label,split\ncat,train\n")
    by_label = read(root).rows
    assert (by_label.loc[by_label["label"] == "cat", "split"] == "train").all()
    assert by_label.loc[by_label["label"] == "dog", "split"].isna().all()
    (root / "splits.csv").write_text("path,split\ncat/1.png,test\ndog/v1/1.png,train\n")
    by_path = read(root).rows.set_index("sample_id")["split"]
    assert by_path["f/cat/1.png"] == by_path["f/text/cat/1.png/0"] == "test"
    assert by_path["f/dog/v1/1.png"] == "train"
    assert by_path[["f/cat/2.JPG"]].isna().all()


def test_an_empty_folder(tmp_path):
    with pytest.raises(SamplesError, match=r"sources.f.root: no <label>/<file>"):
        read(tmp_path)


def test_an_unknown_layout_lists_those_there_are():
    with pytest.raises(
        SamplesError, match="unknown layout 'inaturalist'; there are: .*'emoji', .*'folder', .*'voices'"
    ):
        layout_of("birds", "inaturalist")
