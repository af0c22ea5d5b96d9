"""Oxford Flowers-102 as it is unpacked: a miniature with every quirk, and broken ones."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources.flowers import read_flowers
from published_sets import flowers


def read(root, **options):
    return read_flowers("flowers", Roots({"flowers": SourceConfig(layout="flowers", root=str(root))}), options)


@pytest.fixture
def root(tmp_path):
    return flowers(tmp_path)


def sizes(rows):
    return rows.loc[rows["modality"] == "image", "split"].value_counts().to_dict()


def test_the_official_split_trains_on_the_small_part(root, caplog):
    rows, rejected, *_ = read(root)
    assert rejected.empty and sizes(rows) == {"train": 12, "dev": 12, "test": 24}
    images = rows[rows["modality"] == "image"].set_index("path")
    assert images.loc["jpg/image_00001.jpg", ["label", "split", "group"]].tolist() == ["001", "train", "image_00001"]
    assert images.loc["jpg/image_00048.jpg", ["label", "split"]].tolist() == ["004", "test"]  # numbers are from 1
    texts = rows[rows["modality"] == "text"]
    assert len(texts) == 480 and set(texts["group"]) == set(images["group"])
    assert (
        "images: 48 of 8,189; classes: 4 of 102; trnid: 12 of 1,020; valid: 12 of 1,020; tstid: 24 of 6,149"
        in caplog.text
    )


def test_the_swapped_split_is_asked_for_by_name(root):
    assert sizes(read(root, split="swapped").rows) == {"train": 24, "dev": 12, "test": 12}
    assert read(root, split="drawn").rows["split"].isna().all()


def test_the_class_disjoint_split_by_its_name(root, caplog):
    rows, *_ = read(root, split="reed")
    labels = rows.groupby("split")["label"].unique().map(sorted).to_dict()
    assert labels == {"train": ["001", "002"], "test": ["003", "004"]} and sizes(rows) == {"train": 24, "test": 24}
    assert "train classes: 2 of 82; test classes: 2 of 20" in caplog.text
    (root.parent / "testclasses.txt").unlink()
    with pytest.raises(
        SamplesError, match="testclasses.txt: .*it lies in the archive of the captions, beside text_c10"
    ):
        read(root, split="reed")
    (root.parent / "text_c10").rename(root.parent / "elsewhere")
    with pytest.raises(SamplesError, match="options.split is 'reed', whose lists lie beside the captions: add these"):
        read(root, split="reed")


def test_the_root_may_be_the_folder_above(root):
    assert "flowers-102/jpg/image_00001.jpg" in set(read(root.parent).rows["path"])


def test_captions_are_joined_by_the_stem_alone(root):
    (root.parent / "text_c10/class_00001").rename(root.parent / "text_c10/class_1")
    rows, *_ = read(root)
    assert (rows["label"] == "001").sum() == 12 * 11


def test_names_of_the_classes(root):
    (root / "cat_to_name.json").write_text(json.dumps({"1": "pink  primrose", "2": "canna lily"}))
    assert set(read(root).rows["label"]) == {"001 pink primrose", "002 canna lily", "003", "004"}
    (root / "cat_to_name.json").write_text("[1]")
    with pytest.raises(SamplesError, match=r'cat_to_name.json: expected {"1": "pink primrose", ...}'):
        read(root)
    with pytest.raises(SamplesError, match="sources.flowers.options.names = 'other.json': there is no file"):
        read(root, names="other.json")


def test_names_beside_the_labels_are_found_from_the_folder_above_and_count_from_one(root):
    (root / "cat_to_name.json").write_text(json.dumps({"1": "pink primrose"}))
    assert "001 pink primrose" in set(read(root.parent).rows["label"])
    (root / "cat_to_name.json").write_text(json.dumps({"0": "pink primrose", "1": "canna lily"}))
    with pytest.raises(SamplesError, match="cat_to_name.json: expected classes from 1 on, found 0"):
        read(root)


def test_labels_that_are_no_whole_numbers_are_refused(root):
    savemat(root / "imagelabels.mat", {"labels": np.arange(48) + 1.5})
    with pytest.raises(SamplesError, match="imagelabels.mat: expected whole numbers in 'labels', found 1.5"):
        read(root)


@pytest.mark.parametrize("place", ["jpg/jpg/{}.jpg", "jpg/{}.JPG"])
def test_images_that_lie_elsewhere_or_in_capitals_are_said_with_where(root, place):
    for file in sorted((root / "jpg").iterdir()):
        (root / place.format(file.stem)).parent.mkdir(exist_ok=True)
        file.rename(root / place.format(file.stem))
    there = place.format("image_00001").removeprefix("jpg/")
    with pytest.raises(SamplesError, match=f"none of the 48 files .*; there is '{there}': move or rename them"):
        read(root)


def test_missing_and_unlabelled_files_are_rejected(root):
    (root / "jpg/image_00003.jpg").unlink()
    (root / "jpg/image_00099.jpg").write_bytes(b"x")
    reasons = read(root).rejected.set_index("path")["reason"]
    assert reasons["jpg/image_00003.jpg"] == "imagelabels.mat names it, and it is not there"
    assert reasons["jpg/image_00099.jpg"] == "imagelabels.mat does not name it"
    for file in (root / "jpg").iterdir():
        file.unlink()
    with pytest.raises(
        SamplesError, match="jpg: none of the 48 files of imagelabels.mat is there .'image_00001.jpg' and"
    ):
        read(root)


def test_an_image_in_no_split_is_rejected(root):
    savemat(root / "setid.mat", {"trnid": [1, 13], "valid": [4, 16], "tstid": [7, 19]})
    rows, rejected, *_ = read(root)
    assert sizes(rows) == {"train": 2, "dev": 2, "test": 2}
    assert (rejected["reason"] == "setid.mat has it in no split").sum() == 42


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"trnid": [1], "valid": [1], "tstid": [2]}, "of valid image 1 is in trnid too"),
        ({"trnid": [1, 1], "valid": [3], "tstid": [2]}, "of trnid it repeats images"),
        (
            {"trnid": [0], "valid": [3], "tstid": [2]},
            "trnid has the image 0, and imagelabels.mat has labels of 1 to 48",
        ),
        ({"trnid": [1], "tstid": [2]}, "expected the variable 'valid', which it has not"),
        ({"trnid": [], "valid": [3], "tstid": [2]}, "expected numbers in 'trnid', found none"),
    ],
)
def test_a_wrong_split_is_named(root, parts, message):
    savemat(root / "setid.mat", parts)
    with pytest.raises(SamplesError, match=f"setid.mat: .*{message}"):
        read(root)


def test_damaged_files_are_named(root):
    (root / "setid.mat").write_bytes((root / "setid.mat").read_bytes()[:150])
    with pytest.raises(SamplesError, match="setid.mat: not a readable file of Matlab"):
        read(root)
    (root / "setid.mat").unlink()
    with pytest.raises(
        SamplesError, match="setid.mat: the file is missing, expected imagelabels.mat, setid.mat and jpg/"
    ):
        read(root)
    savemat(root / "imagelabels.mat", {"labels": np.arange(48)})
    with pytest.raises(SamplesError, match="expected classes from 1 to 102, found 0: somebody has subtracted one"):
        read(root)


def whole(root, small_first):
    """The lists of the whole set, of one class, with the parts in this order."""
    numbers = np.arange(1, 8190)
    trnid, valid, tstid = numbers[:1020], numbers[1020:2040], numbers[2040:]
    savemat(root / "imagelabels.mat", {"labels": np.ones(8189)})
    savemat(
        root / "setid.mat",
        {"trnid": trnid if small_first else tstid, "valid": valid, "tstid": tstid if small_first else trnid},
    )


def test_the_whole_set_with_parts_of_other_sizes_is_refused(root):
    whole(root, small_first=False)
    with pytest.raises(
        SamplesError, match="not the official split of Oxford Flowers-102: found trnid 6,149, valid 1,020"
    ):
        read(root)
    whole(root, small_first=True)
    assert len(read(root).rejected) == 8189 - 48


def test_the_copy_by_folders_is_known(tmp_path):
    (tmp_path / "train/1").mkdir(parents=True)
    with pytest.raises(SamplesError, match=r"copy with folders train/1 and valid/1 \(6,552, 818 and 819 images"):
        read(tmp_path)
    (tmp_path / "train/1").rmdir()
    with pytest.raises(SamplesError, match="found no imagelabels.mat in .*; unpack the set there, or correct the root"):
        read(tmp_path)
