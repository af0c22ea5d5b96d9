"""Counts of published sets: what a copy is held against.

They are second-hand, read in what uses these sets and not counted on the data: CUB in data cards, Flowers in
torchvision, VoxCeleb1's identification split in a data card, CN-Celeb in WeSpeaker's logs and a report that counted
files.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from cross_modal_kd.samples import SamplesError

logger = logging.getLogger(__name__)

COUNTS: Mapping[str, Mapping[str, int]] = {
    "CUB-200-2011": {"images": 11_788, "classes": 200, "train": 5_994, "test": 5_794},
    "CUB-200-2011, class-disjoint split of Reed et al.": {"train classes": 150, "test classes": 50},
    "Oxford Flowers-102, class-disjoint split of Reed et al.": {"train classes": 82, "test classes": 20},
    "Oxford Flowers-102": {"images": 8_189, "classes": 102, "trnid": 1_020, "valid": 1_020, "tstid": 6_149},
    "CN-Celeb1": {
        "speakers of dev.lst": 797,
        "utterances of dev.lst's speakers": 107_953,
        "speakers of eval": 200,
        "enrolment models": 196,
        "test files": 17_777,
    },
    "VoxCeleb1 identification": {"train": 138_361, "dev": 6_904, "test": 8_251},
    "CN-Celeb2": {"speakers": 1_996},
    "CN-Celeb1, data/ by genre": {
        "interview": 59_556,
        "entertainment": 22_137,
        "singing": 12_561,
        "live_broadcast": 8_747,
        "speech": 8_404,
        "drama": 4_994,
        "play": 4_244,
        "recitation": 2_747,
        "vlog": 1_894,
        "movie": 1_127,
        "advertisement": 121,
    },
    "CN-Celeb1, eval/test by genre": {
        "interview": 6_175,
        "entertainment": 3_434,
        "singing": 2_017,
        "live_broadcast": 2_304,
        "speech": 2_089,
        "drama": 661,
        "play": 50,
        "recitation": 105,
        "vlog": 776,
        "movie": 146,
        "advertisement": 20,
    },
}


def check_counts(
    source: str, published: str, found: Mapping[str, int], splits: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Hold a copy against the published counts: a smaller copy is a warning, a whole one of other splits an error.

    Args:
        source: name of the source, for messages.
        published: a key of ``COUNTS``.
        found: counts of the copy, by some of the names that the published ones have.
        splits: those of the names that are sizes of splits.

    Returns:
        A row each of ``Listing.counts``.

    Raises:
        SamplesError: all that the splits hold together is the whole set, and they are others than the published ones.
    """
    official = COUNTS[published]
    rows = [
        {"source": source, "part": published, "what": name, "found": count, "published": official[name]}
        for name, count in found.items()
    ]
    other = [f"{name}: {count:,} of {official[name]:,}" for name, count in found.items() if count != official[name]]
    if not other:
        logger.info("%s: the counts of %s as published (%s)", source, published, _counted(found))
        return rows
    whole = sum(official[name] for name in splits) == sum(found[name] for name in splits)
    if splits and whole and any(found[name] != official[name] for name in splits):
        own, theirs = (_counted({name: counts[name] for name in splits}) for counts in (found, official))
        raise SamplesError(
            f"{source}: not the official split of {published}: found {own}; published are {theirs}. Restore the "
            "published file of the split"
        )
    logger.warning("%s: not the whole of %s: found %s (found of published)", source, published, "; ".join(other))
    return rows


def on_disk(source: str, published: str, found: int) -> dict[str, Any]:
    """How many of the images that the set's lists name are there.

    Args:
        source: name of the source.
        published: a key of ``COUNTS``.
        found: files.

    Returns:
        A row of ``Listing.counts``.
    """
    whole = COUNTS[published]["images"]
    return {"source": source, "part": published, "what": "images on disk", "found": found, "published": whole}


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
