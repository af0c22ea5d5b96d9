"""Oxford Flowers-102 (Nilsback & Zisserman, 2008) with the captions of Reed et al. (2016), as they are unpacked."""

import json
import logging
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources.listing import Listing, as_rejected, listing
from cross_modal_kd.sources.named_files import held_against_disk
from cross_modal_kd.sources.published import check_counts, on_disk
from cross_modal_kd.sources.text_c10 import captions_folder, class_disjoint, read_captions

logger = logging.getLogger(__name__)

SET, REED = "Oxford Flowers-102", "Oxford Flowers-102, class-disjoint split of Reed et al."
LABELS, SPLIT, NAMES = "imagelabels.mat", "setid.mat", "cat_to_name.json"
FOLDERS = ("", "flowers-102", "102flowers")
CAPTIONS = tuple(f"{up}{place}" for up in ("", "../") for place in ("text_c10", "cvpr2016_flowers/text_c10"))
CAPTIONS = (*CAPTIONS, "flowers-102/text_c10")
TREE = f"{LABELS}, {SPLIT} and jpg/image_00001.jpg"
PARTS = {
    "official": {"trnid": "train", "valid": "dev", "tstid": "test"},
    "swapped": {"tstid": "train", "valid": "dev", "trnid": "test"},
}


class FlowersOptions(Strict):
    """How the set is read.

    split: ``official`` is setid.mat as it was published, which trains on the small part (1,020 images; dev 1,020, test
    6,149); ``swapped`` trains on the large one (6,149) and tests on 1,020, as some papers do: their figures are no
    figures of the official split; ``reed`` is the class-disjoint one of the captions (trainvalclasses.txt,
    testclasses.txt: 82 classes are learnt, 20 others tested), for a verification; ``drawn`` leaves all to
    ``ingestion.split``.
    captions: folder of the captions, absolute or relative to the root; null looks for ``text_c10`` in the root and
    beside it.
    names: a file of the names of the classes (``{"1": "pink primrose", ...}``), absolute or relative to the root; null
    takes ``cat_to_name.json`` where it lies in the root or beside imagelabels.mat, else labels are numbers, 001 to 102.
    """

    split: Literal["official", "swapped", "reed", "drawn"] = "official"
    captions: str | None = None
    names: str | None = None


def read_flowers(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows (label: the class's number and, where there is one, name; group: the image) and text rows of captions.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources; this one's is flowers-102 or the folder above it.
        options: the fields of ``FlowersOptions``.

    Returns:
        The rows; and what is not used: images that are labelled and missing, files without a label, blank captions.

    Raises:
        SamplesError: a file is missing or contradicts another one, or the split is not the published one.
        ValueError: an unknown or wrong option.
    """
    chosen = FlowersOptions.model_validate(options)
    root = roots.root(name)
    folder = next((folder for folder in FOLDERS if (root / folder / LABELS).is_file()), None)
    if folder is None:
        raise SamplesError(f"sources.{name}.root: expected {TREE}, found no {LABELS} in {root}{_by_folders(root)}")
    base = root / folder
    images = _images(base)
    splits = _splits(base, images)
    sizes = {"images": len(images), "classes": images["number"].nunique()}
    parts = {part: int((splits == part).sum()) for part in PARTS["official"]}
    counts = check_counts(name, SET, sizes | parts, tuple(parts))
    captions = captions_folder(name, root, chosen.captions, CAPTIONS)
    if chosen.split == "reed":
        folders = images["number"].map(lambda number: f"class_{number:05d}")
        images["split"], of_split = class_disjoint(name, REED, folders, captions)
        counts += of_split
    elif chosen.split != "drawn":
        images["split"] = splits.map(PARTS[chosen.split]).astype("str")
        logger.info("%s: the %s split: %s", name, chosen.split, images["split"].value_counts().to_dict())
    names = _names(name, root, base, chosen.names)
    images["label"] = [f"{number:03d} {names[number]}".strip() for number in images["number"]]
    prefix = f"{folder}/jpg/" if folder else "jpg/"
    images["path"] = prefix + images["stem"] + ".jpg"
    there, rejected = held_against_disk(name, base / "jpg", prefix, images["stem"] + ".jpg", LABELS)
    without = splits.isna() & (chosen.split in PARTS)
    rejected += as_rejected(name, dict.fromkeys(images.loc[without & there, "path"], f"{SPLIT} has it in no split"))
    counts.append(on_disk(name, SET, int(there.sum())))
    images = images[there & ~without]
    rows = images.assign(modality="image", sample_id=f"{name}/" + images["stem"])
    if captions is not None:
        texts, unused = read_captions(name, captions, images)
        rows, rejected = pd.concat([rows, texts]), rejected + unused
    return listing(rows.assign(source=name), pd.DataFrame(rejected), counts)


def _images(base: Path) -> pd.DataFrame:
    """number (of the class, from 1), stem and group of each image, by its number."""
    labels = _vector(base / LABELS, "labels")
    if labels.min() < 1:
        raise SamplesError(
            f"{base / LABELS}: expected classes from 1 to 102, found {labels.min()}: somebody has subtracted one; "
            "restore the published file"
        )
    index = pd.RangeIndex(1, len(labels) + 1)
    stem = pd.Series([f"image_{number:05d}" for number in index], index=index, dtype="str")
    return pd.DataFrame(
        {"number": labels, "stem": stem, "group": stem, "split": pd.Series(None, index=index, dtype="str")}
    )


def _splits(base: Path, images: pd.DataFrame) -> pd.Series:
    """trnid, valid or tstid of each image, null where it is in none."""
    splits = pd.Series(None, index=images.index, dtype="str")
    for part in PARTS["official"]:
        numbers = _vector(base / SPLIT, part)
        if (outside := numbers[~np.isin(numbers, images.index)]).size:
            raise SamplesError(
                f"{base / SPLIT}: {part} has the image {outside[0]}, and {LABELS} has labels of 1 to {len(images)}; "
                "restore both files"
            )
        if (twice := splits[numbers].dropna()).size or len(set(numbers.tolist())) < len(numbers):
            where = f"image {twice.index[0]} is in {twice.iloc[0]} too" if twice.size else "it repeats images"
            raise SamplesError(
                f"{base / SPLIT}: expected each image in one split once, and of {part} {where}; restore the file"
            )
        splits[numbers] = part
    return splits


def _vector(file: Path, key: str) -> np.ndarray:
    """The whole numbers under a key of a file of Matlab."""
    from scipy.io import loadmat

    if not file.is_file():
        raise SamplesError(f"{file}: the file is missing, expected {TREE}; fetch it from where the images are from")
    try:
        found = loadmat(str(file), variable_names=[key])
        given = np.asarray(found[key]).ravel()
        values = given.astype(np.int64)
    except KeyError as error:
        raise SamplesError(
            f"{file}: expected the variable {key!r}, which it has not; restore the published file"
        ) from error
    except Exception as error:  # of a damaged file loadmat raises many kinds
        raise SamplesError(
            f"{file}: not a readable file of Matlab ({type(error).__name__}: {error}); restore it"
        ) from error
    if not values.size:
        raise SamplesError(f"{file}: expected numbers in {key!r}, found none; restore the published file")
    if (broken := given[given != values]).size:
        raise SamplesError(f"{file}: expected whole numbers in {key!r}, found {broken[0]}; restore the published file")
    return values


def _names(name: str, root: Path, base: Path, given: str | None) -> dict[int, str]:
    """The name of each class, empty where none is known."""
    names = dict.fromkeys(range(1, 10_000), "")
    beside = root / NAMES if (root / NAMES).is_file() else base / NAMES
    file = beside if given is None else root / given
    if not file.is_file():
        if given is not None:
            raise SamplesError(
                f"sources.{name}.options.names = {given!r}: there is no file {file}; correct it, or null"
            )
        return names
    try:
        said = {
            int(number): " ".join(str(word).split()) for number, word in json.loads(file.read_text("utf-8-sig")).items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise SamplesError(
            f'{file}: expected {{"1": "pink primrose", ...}}, found something else ({error}); correct it'
        ) from error
    if said.keys() - names.keys():
        raise SamplesError(
            f"{file}: expected classes from 1 on, found {min(said)}: they are counted from 1, as imagelabels.mat does; "
            "correct it, or take it away"
        )
    return names | said


def _by_folders(root: Path) -> str:
    """What to say of a copy whose splits are folders."""
    if not any((root / part / "1").is_dir() or (root / "dataset" / part / "1").is_dir() for part in ("train", "valid")):
        return "; unpack the set there, or correct the root"
    return (
        ". This looks like the copy with folders train/1 and valid/1 (6,552, 818 and 819 images, the last without "
        "labels): it has not the official split. Fetch the published files, or read its train folder with the layout "
        "folder"
    )
