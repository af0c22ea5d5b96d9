import io

import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources.emoji import family_of, read_emoji, text_views

CONCEPTS = [
    ("1f600", "grinning face", "grinning_face|face|smile|Face", "face"),
    ("1f468-200d-1f680", "man astronaut", "man_astronaut|space", "role"),
    ("1f469-200d-1f680", "woman astronaut", "woman_astronaut|space", "role"),
    ("1f431", "cat face", "cat|animal", "animal"),
    ("1f63a", "smiling cat", "cat, happy|animal", "animal"),
    ("1f9a0", "microbe", "microbe", "animal"),
]


def png(colour: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def root(tmp_path):
    concepts = pd.DataFrame(CONCEPTS, columns=["code", "name", "keywords", "subcategory"]).assign(category="all")
    concepts.to_csv(tmp_path / "concepts.csv", index=False)
    drawn = [(code, style) for code, *_ in CONCEPTS for style in ("ann", "bob") if (code, style) != ("1f9a0", "bob")]
    pictures = {pair: png(number) for number, pair in enumerate(drawn)}
    pictures["1f63a", "bob"] = pictures["1f431", "bob"]
    images = [{"code": code, "style": style, "png": data} for (code, style), data in pictures.items()]
    pd.DataFrame(images).to_parquet(tmp_path / "images.parquet")
    return tmp_path


def read(root, **options):
    roots = Roots({"emoji": SourceConfig(layout="emoji", root=str(root))})
    return read_emoji("emoji", roots, options).rows, roots


def test_pictures_and_texts_of_a_concept_share_its_group(root):
    rows, roots = read(root, texts=["name", "name_keywords"])
    of_face = rows[rows["group"] == "1f600"].set_index("sample_id")
    assert set(of_face.index) == {
        "emoji/ann/1f600",
        "emoji/bob/1f600",
        "emoji/text/1f600/name",
        "emoji/text/1f600/name_keywords",
    }
    assert of_face.loc["emoji/text/1f600/name_keywords", "text"] == "grinning face: face, smile"
    assert of_face.loc["emoji/bob/1f600", "domain"] == "bob"
    assert roots.bytes("emoji", of_face.loc["emoji/bob/1f600", "path"]) == png(1)
    assert (rows["label"] == rows["group"]).all()


def test_a_text_can_name_the_category_but_not_where_it_is_the_label(root):
    rows, *_ = read(root, texts=["name", "category"])
    told = rows[rows["sample_id"].str.endswith("/category")].set_index("group")["text"]
    assert told["1f431"] == "animal, all" and len(told) == 6
    with pytest.raises(ValidationError, match="'category' names the subcategory, which is the label"):
        read(root, label="subcategory", texts=["category"])


def test_families_can_be_taken_apart(root):
    assert read(root)[0]["family"].notna().all() and read(root, families="apart")[0]["family"].isna().all()


def test_subcategories_as_labels(root):
    rows, *_ = read(root, label="subcategory", min_concepts=2)
    assert set(rows["label"]) == {"role", "animal"}
    rows, *_ = read(root, label="subcategory", exclude_subcategories=["role"])
    assert set(rows["label"]) == {"face", "animal"}


def test_a_concept_needs_enough_artists(root):
    rows, *_ = read(root, min_styles=2)
    assert "1f9a0" not in set(rows["group"])
    assert len(set(rows["group"])) == 5


def test_families_bind_variants_and_identical_pictures(root):
    rows, *_ = read(root)
    family = rows.groupby("group")["family"].first()
    assert family["1f468-200d-1f680"] == family["1f469-200d-1f680"]
    assert family["1f431"] == family["1f63a"]
    assert family.nunique() == 4
    first, *_ = read(root, variants="first")
    assert set(first["group"]) == {"1f600", "1f468-200d-1f680", "1f431", "1f9a0"}


def test_only_the_styles_asked_for(root):
    rows, *_ = read(root, styles=["ann"])
    assert set(rows["domain"].dropna()) == {"ann"}
    with pytest.raises(SamplesError, match="styles: no images of 'eve'; there are: 'ann', 'bob'"):
        read(root, styles=["eve"])


def test_wrong_options_are_named(root):
    with pytest.raises(ValidationError, match="unknown key 'textz'"):
        read(root, textz=["name"])
    with pytest.raises(SamplesError, match="there is no 'flags'; there are: 'animal', 'face', 'role'"):
        read(root, exclude_subcategories=["flags"])
    with pytest.raises(SamplesError, match="no concept is left"):
        read(root, min_styles=3)


def test_pictures_of_a_concept_that_is_not_described(root):
    concepts = pd.read_csv(root / "concepts.csv", dtype="str")
    concepts[concepts["code"] != "1f600"].to_csv(root / "concepts.csv", index=False)
    with pytest.raises(SamplesError, match="has concepts that concepts.csv lacks: '1f600'"):
        read(root)


def test_text_views_have_no_repeats():
    assert text_views("keycap: *", "keycap_|star|star") == {
        "name": "keycap: *",
        "keywords": "keycap, star",
        "name_keywords": "keycap: *: keycap, star",
    }
    assert text_views("fingerprint", "fingerprint")["name_keywords"] == "fingerprint"


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("1f468", "1f9d1"),
        ("1f6b6-200d-2640-200d-27a1", "1f6b6"),
        ("1f468-200d-1f469-200d-1f466", "1f46a"),
        ("1f469-200d-2764-200d-1f468", "1f491"),
        ("1f46d", "1f46b"),
        ("1f635-200d-1f4ab", "1f635-200d-1f4ab"),
        ("1f467", "1f9d2"),
    ],
)
def test_family_of(code, family):
    assert family_of(code) == family


def test_a_damaged_file_of_pictures_is_named_with_what_to_do(root):
    (root / "images.parquet").write_bytes((root / "images.parquet").read_bytes()[:200])
    with pytest.raises(SamplesError, match="images.parquet: not a readable Parquet file .*; restore it"):
        read(root)
