"""Captions of Reed et al. (2016), ``text_c10/<class>/<stem>.txt``, some ten lines each, and their split by classes."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cross_modal_kd.samples import SamplesError, first_few, shown
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import as_rejected
from cross_modal_kd.sources.published import check_counts
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

UNREADABLE = "�"  # what stands for bytes that are no UTF-8
LINES = 10
ZEROS = "no text in UTF-8: it has bytes of zero, as UTF-16 has; save it in UTF-8"


def captions_folder(name: str, root: Path, given: str | None, places: Sequence[str]) -> Path | None:
    """Where the captions of a set lie.

    Args:
        name: of the source.
        root: of the source.
        given: the option ``captions``: a folder, absolute or relative to the root; None looks in ``places``.
        places: relative to the root.

    Returns:
        A folder; None where there is none, which the log says.

    Raises:
        SamplesError: the given folder is not there.
    """
    if given is not None:
        if not (root / given).is_dir():
            raise SamplesError(
                f"sources.{name}.options.captions = {given!r}: there is no folder {root / given}; correct it, or null, "
                f"which looks for {', '.join(places)} from the root"
            )
        return root / given
    found = next((root / place for place in places if (root / place).is_dir()), None)
    if found is None:
        logger.warning(
            "%s: no captions: none of %s is there (from %s); sources.%s.options.captions names another folder",
            *(name, ", ".join(places), root, name),
        )
    return found


def read_captions(name: str, folder: Path, images: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """A row for each caption of each image, joined by the stem of the files alone.

    Bytes that are no UTF-8 become U+FFFD. Lines without a word are left out, and every number of lines is taken: both
    are counted in the log.

    Args:
        name: of the source.
        folder: of ``captions_folder``.
        images: rows with stem, label, group and split, each stem once.

    Returns:
        Text rows (sample_id, modality, label, group, split, text), and source, path and reason of what is not used.

    Raises:
        SamplesError: the folder has captions of none of the images.
    """
    files = list_files(folder)
    rejected = as_rejected(name, files.passed_over)
    image_of = images.set_index("stem")[["label", "group", "split"]].to_dict("index")
    rows, seen, odd, replaced, blank = [], set[str](), 0, 0, 0

    def leave_out(path: str, reason: str) -> None:
        rejected.append({"source": name, "path": shown(f"{folder.name}/{path}"), "reason": reason})

    for path in files.paths:
        stem = PurePosixPath(path).stem
        text = (folder / path).read_text(encoding="utf-8-sig", errors="replace") if path.endswith(".txt") else None
        if reason := _unused(stem, text, image_of, seen):
            leave_out(path, reason)
            continue
        seen.add(stem)
        lines = str(text).splitlines()
        texts = [" ".join(line.split()) for line in lines]
        said = [(number, text) for number, text in enumerate(texts) if text.strip(f"{UNREADABLE} ")]
        if len(said) < len(texts):
            blank += len(texts) - len(said)
            leave_out(path, f"{len(texts) - len(said)} of its {len(texts)} lines are blank")
        odd += len(said) != LINES
        replaced += sum(UNREADABLE in text for _, text in said)
        group = image_of[stem]["group"]
        rows += [
            {"sample_id": f"{name}/text/{group}/{number}", "modality": "text", "text": text, **image_of[stem]}
            for number, text in said
        ]
    if not rows:
        if any(each["reason"] == ZEROS for each in rejected):
            raise SamplesError(f"{folder}: its captions are {ZEROS}")
        raise SamplesError(
            f"{folder}: expected <class>/<stem>.txt of the images, such as {images['stem'].iloc[0]}.txt, found "
            f"{len(files.paths)} files and none of them; correct sources.{name}.options.captions"
        )
    logger.info(
        "%s: %s of %s; %s none, %d another number than %d; %s left out, %s with bytes that are no UTF-8",
        *(name, how_many(len(rows), "caption"), how_many(len(seen), "image")),
        *(how_many(len(image_of) - len(seen), "image has", "images have"), odd, LINES),
        *(how_many(blank, "blank line"), how_many(replaced, "caption")),
    )
    return pd.DataFrame(rows), rejected


def _unused(stem: str, text: str | None, image_of: Mapping[Any, Any], seen: Collection[str]) -> str:
    """Why a file has no captions that are used; empty where it has."""
    if text is None:
        return "not a text of captions (.txt)"
    if stem not in image_of:
        return f"captions of an image that is not used: {stem}"
    if stem in seen:
        return f"a second file of captions of the image {stem}"
    return ZEROS if "\0" in text else ""


def class_disjoint(
    name: str, published: str, classes: pd.Series, captions: Path | None
) -> tuple[pd.Series, list[dict[str, Any]]]:
    """The split of Reed et al., of the lists that lie beside the captions: some classes are learnt, others tested.

    Args:
        name: of the source.
        published: a key of ``COUNTS``, of this split.
        classes: (n,) of the images, as ``trainvalclasses.txt`` and ``testclasses.txt`` name them.
        captions: folder of the captions; None where there is none.

    Returns:
        (n,) ``train`` or ``test``; rows of ``Listing.counts``.

    Raises:
        SamplesError: there are no captions, a list is missing, or a class is in both lists or in neither.
    """
    if captions is None:
        raise SamplesError(f"sources.{name}.options.split is 'reed', whose lists lie beside the captions: add these")
    listed = {
        part: (captions.parent / file, set(_classes(captions.parent / file)))
        for part, file in (("train", "trainvalclasses.txt"), ("test", "testclasses.txt"))
    }
    twice = listed["train"][1] & listed["test"][1]
    if twice:
        raise SamplesError(
            f"{listed['test'][0]}: expected classes that trainvalclasses.txt has not, found {first_few(twice)} in both"
        )
    split_of = {label: part for part, (_, labels) in listed.items() for label in labels}
    split = classes.map(split_of).astype("str")
    if (without := classes[split.isna()].unique()).size:
        raise SamplesError(
            f"{captions.parent}: the class {without[0]!r} ({len(without)} are so) is neither in trainvalclasses.txt "
            f"nor in testclasses.txt; restore the published lists, or take another sources.{name}.options.split"
        )
    there = classes.groupby(split).nunique()
    found = {f"{part} classes": int(there.get(part, 0)) for part in ("train", "test")}
    return split, check_counts(name, published, found)


def _classes(file: Path) -> list[str]:
    """Those of a list, one a line."""
    try:
        found = file.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SamplesError(
            f"{file}: not a readable text in UTF-8 ({error}); it lies in the archive of the captions, beside text_c10"
        ) from error
    return found
