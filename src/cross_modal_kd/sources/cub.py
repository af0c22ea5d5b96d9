"""CUB-200-2011 (Wah et al., 2011) with the captions of Reed et al. (2016), as they are unpacked."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Box, Roots, SamplesError, boxed_path, first_few
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.named_files import held_against_disk
from cross_modal_kd.sources.published import check_counts, on_disk
from cross_modal_kd.sources.text_c10 import captions_folder, class_disjoint, read_captions

SET, REED = "CUB-200-2011", "CUB-200-2011, class-disjoint split of Reed et al."
FOLDER = "CUB_200_2011"
WITHIN = ("text_c10", "cvpr2016_cub/text_c10", "birds/text", "text")
CAPTIONS = (*WITHIN, *(f"../{place}" for place in WITHIN), *(f"{FOLDER}/{place}" for place in WITHIN))
TREE = f"{FOLDER}/images.txt with images/, image_class_labels.txt, train_test_split.txt and classes.txt beside it"


class CubOptions(Strict):
    """How the set is read.

    split: ``official`` is train_test_split.txt (200 classes in both parts; ingestion draws dev from the training
    images); ``reed`` is the class-disjoint one of the captions (trainvalclasses.txt, testclasses.txt: 150 classes are
    learnt, 50 others tested), for a verification; ``drawn`` leaves all to ``ingestion.split``.
    boxes: whether each image is cut to the bird's box (bounding_boxes.txt) as it is read.
    captions: folder of the captions, absolute or relative to the root; null looks for ``text_c10`` (or AttnGAN's
    ``text``) in the root and beside it.
    """

    split: Literal["official", "reed", "drawn"] = "official"
    boxes: bool = False
    captions: str | None = None


def read_cub(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows (label: the class, as its folder is called; group: the image) and text rows of their captions.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources; this one's is CUB_200_2011 or the folder above it.
        options: the fields of ``CubOptions``.

    Returns:
        The rows; and what is not used: images that are listed and missing, files that no list names, blank captions.

    Raises:
        SamplesError: a file is missing or contradicts another one, or the split is not the published one.
        ValueError: an unknown or wrong option.
    """
    chosen = CubOptions.model_validate(options)
    root = roots.root(name)
    base = next((folder for folder in (root, root / FOLDER) if (folder / "images.txt").is_file()), None)
    if base is None:
        raise SamplesError(f"sources.{name}.root: expected {TREE}, found no images.txt in {root} or {root / FOLDER}")
    images = _images(base)
    captions = captions_folder(name, root, chosen.captions, CAPTIONS)
    images["split"], counts = _splits(name, base, images, chosen, captions)
    prefix = "images/" if base == root else f"{FOLDER}/images/"
    there, rejected = held_against_disk(name, base / "images", prefix, images["file"], "images.txt")
    images["path"] = prefix + images["file"]
    if chosen.boxes:
        images["path"] = _boxed(base, images)
    images = images[there]
    counts.append(on_disk(name, SET, len(images)))
    rows = images.assign(modality="image", sample_id=f"{name}/" + images["group"])
    if captions is not None:
        texts, unused = read_captions(name, captions, images)
        rows, rejected = pd.concat([rows, texts]), rejected + unused
    return listing(rows.assign(source=name), pd.DataFrame(rejected), counts)


def _images(base: Path) -> pd.DataFrame:
    """file, label, group and stem of each image, by its number."""
    file = _numbered(base / "images.txt", "<class>/<file>.jpg").str.replace("\\", "/", regex=False)
    number = _numbered(base / "image_class_labels.txt", "a number of classes.txt", file.index)
    classes = _numbered(base / "classes.txt", "the name of a class")
    number = pd.to_numeric(number, errors="coerce")
    if len(unknown := number.index[~number.isin(classes.index)]):
        raise SamplesError(
            f"{base / 'image_class_labels.txt'}: expected numbers of classes.txt ({len(classes)} classes), found "
            f"others for {len(unknown)} images, the first is image {unknown[0]}; restore the published files"
        )
    label = number.map(classes)
    folder = file.str.rpartition("/")[0]
    if len(odd := file.index[folder != label]):
        raise SamplesError(
            f"{base}: image {odd[0]} lies in {folder[odd[0]]!r} and has the class {label[odd[0]]!r} ({len(odd)} are "
            "so): images.txt, image_class_labels.txt and classes.txt do not belong together; restore all three"
        )
    group = file.str.replace(r"\.[^./]+$", "", regex=True)
    stem = group.str.rpartition("/")[2]
    if stem.duplicated().any():
        raise SamplesError(
            f"{base / 'images.txt'}: expected each file name once, found {first_few(stem[stem.duplicated()])} again"
        )
    return pd.DataFrame({"file": file, "label": label, "group": group, "stem": stem})


def _splits(
    name: str, base: Path, images: pd.DataFrame, chosen: CubOptions, captions: Path | None
) -> tuple[pd.Series, list[dict[str, Any]]]:
    """The split of each image, null for one that is drawn; and the counts."""
    sizes = {"images": len(images), "classes": images["label"].nunique()}
    if chosen.split != "official":
        counts = check_counts(name, SET, sizes)
        if chosen.split == "reed":
            split, of_split = class_disjoint(name, REED, images["label"], captions)
            return split, counts + of_split
        return pd.Series(None, index=images.index, dtype="str"), counts
    is_train = _numbered(base / "train_test_split.txt", "1 (train) or 0 (test)", images.index)
    if not is_train.isin(["0", "1"]).all():
        raise SamplesError(
            f"{base / 'train_test_split.txt'}: expected 1 (train) or 0 (test) for each image, found "
            f"{first_few(is_train.unique())}; restore the published file"
        )
    split = is_train.map({"1": "train", "0": "test"})
    parts = {part: int((split == part).sum()) for part in ("train", "test")}
    return split, check_counts(name, SET, sizes | parts, tuple(parts))


def _boxed(base: Path, images: pd.DataFrame) -> pd.Series:
    """Paths that end in the bird's box."""
    file = base / "bounding_boxes.txt"
    boxes = _numbered(file, "x y width height", images.index)
    numbers = boxes.str.split(expand=True).apply(pd.to_numeric, errors="coerce")
    wrong = boxes.index[(numbers.isna() | (numbers < 0)).any(axis=1)] if numbers.shape[1] == 4 else boxes.index
    if len(wrong):
        raise SamplesError(
            f"{file}: expected 'image x y width height' on each line, found {boxes[wrong[0]]!r} for image {wrong[0]}"
        )
    paths = zip(images["path"], numbers.loc[images.index].itertuples(index=False), strict=True)
    return pd.Series([boxed_path(path, Box(*box)) for path, box in paths], index=images.index, dtype="str")


def _numbered(file: Path, what: str, wanted: pd.Index | None = None) -> pd.Series:
    """The rest of each line by the number that it begins with; of all wanted numbers, in their order."""
    found: dict[int, str] = {}
    for line, words in _lines(file):
        number, *others = words.split(None, 1)
        rest = "".join(others)
        if not number.isdigit() or not rest.strip() or int(number) in found:
            raise SamplesError(f"{file}, line {line}: expected a new number and {what}, found {words!r:.120}")
        found[int(number)] = rest.strip()
    table = pd.Series(found, dtype="str")
    if table.empty:
        raise SamplesError(f"{file}: the file is empty; restore the published one")
    if wanted is None:
        return table
    if len(lacking := wanted.difference(table.index)) or len(table) > len(wanted):
        few = f"image {lacking[0]} is not in it" if len(lacking) else f"{len(table)} lines for {len(wanted)} images"
        raise SamplesError(
            f"{file}: expected a line for each of the {len(wanted)} images of images.txt, found {len(table)} lines "
            f"({few}); restore the published file"
        )
    return table[wanted]


def _lines(file: Path) -> list[tuple[int, str]]:
    """(number, text) of the lines that are not blank."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SamplesError(f"{file}: the file is missing, expected {TREE}; unpack the set again") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SamplesError(f"{file}: not a readable text in UTF-8 ({error}); restore the published file") from error
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
