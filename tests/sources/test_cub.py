"""CUB-200-2011 as it is unpacked: a miniature with every quirk, and broken ones."""

import logging

import numpy as np
import pytest
from PIL import Image

from cross_modal_kd.config import IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.pipelines.ingestion.nodes import inspect_samples, split_samples
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources import read_sources
from cross_modal_kd.sources.cub import read_cub
from published_sets import BOX, cub

ALBATROSS = "001.Black_footed_Albatross/Black_Footed_Albatross_0001_701"


def roots(root):
    return Roots({"cub": SourceConfig(layout="cub", root=str(root))})


def read(root, **options):
    return read_cub("cub", roots(root), options)


@pytest.fixture
def root(tmp_path):
    return cub(tmp_path)


def test_images_captions_and_the_official_split(root):
    rows, rejected, *_ = read(root)
    assert rejected.empty
    images, texts = (rows[rows["modality"] == modality] for modality in ("image", "text"))
    assert images["split"].value_counts().to_dict() == {"train": 24, "test": 12}  # 1 is training
    first = images.set_index("sample_id").loc[f"cub/{ALBATROSS}"]
    assert first["path"] == f"images/{ALBATROSS}.jpg" and first["label"] == "001.Black_footed_Albatross"
    assert first["split"] == "train" and first["group"] == ALBATROSS
    assert len(texts) == 10 * len(images) and rows["sample_id"].is_unique
    joined = texts.merge(images, on="group", suffixes=("", "_image"))
    assert len(joined) == len(texts) and (joined["split"] == joined["split_image"]).all()


def test_the_root_may_be_the_folder_above(root):
    rows, rejected, *_ = read(root.parent)
    assert f"CUB_200_2011/images/{ALBATROSS}.jpg" in set(rows["path"]) and rejected.empty
    assert (rows["modality"] == "text").any()


def test_dev_is_drawn_from_the_training_images_of_each_class(root):
    task = TaskConfig(name="cub", title="t", kind="classification", student="image", teacher="text")
    sources = SourcesConfig({"cub": SourceConfig(layout="cub", root=str(root))})
    ingestion = IngestionConfig()
    listed = read_sources(task, sources, ingestion)
    split = split_samples(*inspect_samples(*listed[:2], sources, ingestion), task, ingestion)
    images = split.samples[split.samples["modality"] == "image"]
    assert (images["split"] == "test").sum() == 12
    official = read(root).rows.set_index("sample_id")["split"]
    dev = images[images["split"] == "dev"]
    assert dev["label"].nunique() == 4 and (official[dev["sample_id"]] == "train").all()
    assert set(images.loc[images["split"] == "test", "sample_id"]) == set(
        official[(official == "test") & ~official.index.str.contains("/text/")].index
    )


def test_lists_of_windows_and_files_of_other_capitals(root):
    listed, images = root / "images.txt", root / "images"
    first, second, *others = sorted(images.rglob("*.jpg"))
    listed.write_text(listed.read_text().replace("/", "\\"))
    first.rename(first.with_suffix(".JPG"))
    rows, rejected, _ = read(root)
    assert (rows["modality"] == "image").sum() == 1 + len(others)
    reason = rejected.set_index("path")["reason"][f"images/{first.relative_to(images)}"]
    moved = first.relative_to(images).with_suffix(".JPG")
    assert reason == f"images.txt names it, and it lies there as {moved}: move or rename it"


def test_captions_in_utf_16_are_no_captions(root):
    folder = root.parent / "text_c10"
    first, *others = sorted(folder.rglob("*.txt"))
    first.write_text("a red bird\n", encoding="utf-16")
    rows, rejected, _ = read(root)
    reason = "no text in UTF-8: it has bytes of zero, as UTF-16 has; save it in UTF-8"
    assert rejected.set_index("path")["reason"][f"text_c10/{first.relative_to(folder)}"] == reason
    assert (rows["modality"] == "text").sum() == 10 * len(others)
    for file in others:
        file.write_text("a red bird\n", encoding="utf-16")
    with pytest.raises(SamplesError, match="text_c10: its captions are no text in UTF-8"):
        read(root)


def test_captions_with_quirks(root, caplog):
    folder = root.parent / "text_c10/001.Black_footed_Albatross"
    first, second, third, fourth = sorted(folder.iterdir())[:4]
    first.write_bytes(b"\xef\xbb\xbf a  bird \r\n\r\n \nwith \xff\xfe wings\n")
    second.write_text("".join(f"line {n}\n" for n in range(11)))
    third.unlink()
    fourth.rename(folder / "Nobody_0001_1.txt")
    (root.parent / "text_c10/001.Black_footed_Albatross.t7").write_bytes(b"x")
    with caplog.at_level(logging.INFO):
        rows, rejected, *_ = read(root)
    texts = rows[rows["modality"] == "text"]
    assert texts.loc[texts["group"] == ALBATROSS, "text"].tolist() == ["a bird", "with �� wings"]
    assert (texts["group"].str.endswith(second.stem)).sum() == 11
    reasons = rejected.set_index("path")["reason"]
    assert reasons[f"text_c10/001.Black_footed_Albatross/{first.name}"] == "2 of its 4 lines are blank"
    assert "not a text of captions" in reasons["text_c10/001.Black_footed_Albatross.t7"]
    assert "captions of an image that is not used: Nobody_0001_1" in set(reasons)
    assert "2 images have none, 2 another number than 10; 2 blank lines left out, 1 caption with bytes" in caplog.text


def test_lists_parted_by_tabs_or_of_another_system_are_the_same_lists(root):
    expected = read(root).rows
    for name in ("images.txt", "classes.txt", "image_class_labels.txt", "train_test_split.txt"):
        text = (root / name).read_text()
        (root / name).write_bytes((chr(0xFEFF) + text.replace(" ", "\t", 1).replace("\n", "\r\n")).encode())
    assert read(root).rows.equals(expected)


@pytest.mark.parametrize("place", ["CUB_200_2011/text_c10", "birds/text", "CUB_200_2011/cvpr2016_cub/text_c10"])
def test_captions_wherever_they_are_unpacked(root, place):
    target = root.parent / place
    target.parent.mkdir(parents=True, exist_ok=True)
    (root.parent / "text_c10").rename(target)
    assert (read(root).rows["modality"] == "text").sum() == 360


def test_without_captions_it_is_said_where_they_were_looked_for(root, caplog):
    (root.parent / "text_c10").rename(root.parent / "elsewhere")
    assert set(read(root).rows["modality"]) == {"image"}
    assert "no captions: none of text_c10, " in caplog.text
    assert (read(root, captions="../elsewhere").rows["modality"] == "text").any()
    with pytest.raises(SamplesError, match=r"sources.cub.options.captions = 'nowhere': there is no folder"):
        read(root, captions="nowhere")
    (root.parent / "empty").mkdir()
    with pytest.raises(
        SamplesError, match="expected <class>/<stem>.txt of the images, such as Black_Footed_Albatross_0001"
    ):
        read(root, captions="../empty")


def test_boxes_cut_the_image_as_it_is_read(root):
    rows, *_ = read(root, boxes=True)
    row = rows.set_index("sample_id").loc[f"cub/{ALBATROSS}"]
    assert row["path"] == f"images/{ALBATROSS}.jpg#xywh=30,10,64,64"
    image = modality_of("image")
    about = dict(row) | {"source": "cub"}
    found = image.inspect(about, roots(root), IngestionConfig())
    assert (found["width"], found["height"]) == (64, 64)
    with Image.open(root / f"images/{ALBATROSS}.jpg") as whole:
        left, top, width, height = BOX
        expected = np.asarray(whole)[top : top + height, left : left + width]
    np.testing.assert_array_equal(image.read(about, roots(root)).value, expected)
    stamp = roots(root).stamps(rows[rows["path"].notna()][:1])
    assert stamp["size"].item() == (root / f"images/{ALBATROSS}.jpg").stat().st_size


def test_a_grey_image_becomes_rgb(root):
    file = root / f"images/{ALBATROSS}.jpg"
    with Image.open(file) as opened:
        grey = opened.convert("L")
    grey.save(file)
    assert (
        modality_of("image").read({"source": "cub", "path": f"images/{ALBATROSS}.jpg"}, roots(root)).value.shape[2] == 3
    )


def test_the_class_disjoint_split_by_its_name(root):
    rows, *_ = read(root, split="reed")
    labels = rows.groupby("split")["label"].unique()
    assert len(labels["train"]) == len(labels["test"]) == 2 and not set(labels["train"]) & set(labels["test"])
    (root.parent / "testclasses.txt").write_text("003.Sooty_Albatross\n")
    with pytest.raises(SamplesError, match=r"the class '004.Groove_billed_Ani' \(1 are so\) is neither in trainval"):
        read(root, split="reed")
    (root.parent / "testclasses.txt").write_text("001.Black_footed_Albatross\n")
    with pytest.raises(SamplesError, match=r"testclasses.txt: expected classes that trainvalclasses.txt has not"):
        read(root, split="reed")


def test_all_may_be_drawn(root):
    assert read(root, split="drawn").rows["split"].isna().all()


def test_missing_and_unlisted_images_are_counted(root, caplog):
    (root / f"images/{ALBATROSS}.jpg").unlink()
    (root / "images/001.Black_footed_Albatross/copy.jpg").write_bytes(b"x")
    rows, rejected, *_ = read(root)
    reasons = rejected.set_index("path")["reason"]
    assert reasons[f"images/{ALBATROSS}.jpg"] == "images.txt names it, and it is not there"
    assert reasons["images/001.Black_footed_Albatross/copy.jpg"] == "images.txt does not name it"
    assert f"captions of an image that is not used: {ALBATROSS.rpartition('/')[2]}" in set(reasons)
    assert f"cub/{ALBATROSS}" not in set(rows["sample_id"])
    assert "1 of the 36 files of images.txt are missing" in caplog.text


def test_a_miniature_is_a_warning_with_both_numbers(root, caplog):
    read(root)
    assert (
        "not the whole of CUB-200-2011: found images: 36 of 11,788; classes: 4 of 200; train: 24 of 5,994"
        in caplog.text
    )


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("images.txt", None, "expected CUB_200_2011/images.txt with images/, .* found no images.txt in"),
        (
            "train_test_split.txt",
            None,
            "train_test_split.txt: the file is missing, expected CUB_200_2011/images.txt with",
        ),
        (
            "train_test_split.txt",
            "1 1\n2 0\n",
            "for each of the 36 images of images.txt, found 2 lines .image 3 is not",
        ),
        ("images.txt", "\n", "images.txt: the file is empty; restore the published one"),
        ("images.txt", "1\n", "images.txt, line 1: expected a new number and <class>/<file>.jpg, found '1'"),
        ("images.txt", "\n1 a/b.jpg\n1 a/c.jpg\n", "images.txt, line 3: expected a new number"),
        ("bounding_boxes.txt", "1 60.0 27.0\n", "bounding_boxes.txt: expected a line for each"),
        (
            "classes.txt",
            "1 001.Black_footed_Albatross\n",
            "expected numbers of classes.txt .1 classes., found others for 27",
        ),
    ],
)
def test_broken_lists_are_named(root, file, content, message):
    (root / file).unlink()
    if content is not None:
        (root / file).write_text(content)
    with pytest.raises(SamplesError, match=message):
        read(root, boxes=True)


def rewritten(file, change):
    file.write_text("".join(f"{change(line)}\n" for line in file.read_text().splitlines()))


def test_wrong_values_are_named(root):
    rewritten(root / "bounding_boxes.txt", lambda line: line.rpartition(" ")[0])
    with pytest.raises(
        SamplesError, match="expected 'image x y width height' on each line, found '30.0 10.0 64.0' for image 1"
    ):
        read(root, boxes=True)
    rewritten(root / "image_class_labels.txt", lambda line: line.replace(" 1", " 2") if line.startswith("3 ") else line)
    with pytest.raises(
        SamplesError, match="image 3 lies in '001.Black_footed_Albatross' and has the class '002.Laysan"
    ):
        read(root)
    rewritten(root / "image_class_labels.txt", lambda line: "3 1" if line.startswith("3 ") else line)
    rewritten(root / "train_test_split.txt", lambda line: f"{line}.0")
    with pytest.raises(SamplesError, match=r"expected 1 \(train\) or 0 \(test\) for each image, found '0.0', '1.0'"):
        read(root)


def test_a_whole_set_with_the_flag_inverted_is_refused(root):
    folder = "001.Black_footed_Albatross"
    numbers = range(1, 11_789)
    (root / "images.txt").write_text("".join(f"{n} {folder}/{n}.jpg\n" for n in numbers))
    (root / "image_class_labels.txt").write_text("".join(f"{n} 1\n" for n in numbers))
    (root / "train_test_split.txt").write_text("".join(f"{n} {int(n > 5994)}\n" for n in numbers))
    with pytest.raises(
        SamplesError, match="not the official split of CUB-200-2011: found train 5,794, test 5,994; published"
    ):
        read(root)
