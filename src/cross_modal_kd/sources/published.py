"""Counts of published sets and lists of trials: what a copy is held against, and by which a list has its name.

They are second-hand, read in what uses these sets and not counted on the data: VoxCeleb's lists in PaddleSpeech's
README and scripts, CN-Celeb in WeSpeaker's logs and a report that counted files, CUB in data cards,
Flowers in torchvision.
"""

import hashlib
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from cross_modal_kd.samples import SamplesError

logger = logging.getLogger(__name__)


class PublishedTrials(NamedTuple):
    """A list of trials as it was published. md5: of the file, None where it is not known."""

    name: str
    file: str
    trials: int
    targets: int
    md5: str | None = None


TRIALS = (
    PublishedTrials("VoxCeleb1-O, original", "veri_test.txt", 37_720, 18_860, "29fc7cc1c5d59f0816dc15d6e8be60f7"),
    PublishedTrials("VoxCeleb1-O, cleaned", "veri_test2.txt", 37_611, 18_802, "b73110731c9223c1461fe49cb48dddfc"),
    PublishedTrials("VoxCeleb1-E, original", "list_test_all.txt", 581_480, 290_743, "b9ecf7aa49d4b656aa927a8092844e4a"),
    PublishedTrials("VoxCeleb1-E, cleaned", "list_test_all2.txt", 579_818, 289_921, "a53e059deb562ffcfc092bf5d90d9f3a"),
    PublishedTrials(
        "VoxCeleb1-H, original", "list_test_hard.txt", 552_536, 276_270, "21c341b6b2168eea2634df0fb4b8fff1"
    ),
    PublishedTrials(
        "VoxCeleb1-H, cleaned", "list_test_hard2.txt", 550_894, 275_488, "857790e09d579a68eb2e339a090343c8"
    ),
    PublishedTrials("CN-Celeb eval", "trials.lst", 3_484_292, 17_755),
)

COUNTS: Mapping[str, Mapping[str, int]] = {
    "CUB-200-2011": {"images": 11_788, "classes": 200, "train": 5_994, "test": 5_794},
    "CUB-200-2011, class-disjoint split of Reed et al.": {"train classes": 150, "test classes": 50},
    "Oxford Flowers-102": {"images": 8_189, "classes": 102, "trnid": 1_020, "valid": 1_020, "tstid": 6_149},
    "CN-Celeb1": {
        "speakers of dev.lst": 797,
        "utterances of dev.lst's speakers": 107_953,
        "speakers of eval": 200,
        "enrolment models": 196,
        "test files": 17_777,
    },
    "CN-Celeb2": {"speakers": 1_996},
}


def check_counts(source: str, published: str, found: Mapping[str, int], splits: Collection[str] = ()) -> None:
    """Hold a copy against the published counts: a smaller copy is a warning, a whole one of other splits an error.

    Args:
        source: name of the source, for messages.
        published: a key of ``COUNTS``.
        found: counts of the copy, by some of the names that the published ones have.
        splits: those of the names that are sizes of splits.

    Raises:
        SamplesError: all that the splits hold together is the whole set, and they are others than the published ones.
    """
    official = COUNTS[published]
    other = [f"{name}: {count:,} of {official[name]:,}" for name, count in found.items() if count != official[name]]
    if not other:
        logger.info("%s: the counts of %s as published (%s)", source, published, _counted(found))
        return
    whole = sum(official[name] for name in splits) == sum(found[name] for name in splits)
    if splits and whole and any(found[name] != official[name] for name in splits):
        own, theirs = (_counted({name: counts[name] for name in splits}) for counts in (found, official))
        raise SamplesError(
            f"{source}: not the official split of {published}: found {own}; published are {theirs}. Restore the "
            "published file of the split"
        )
    logger.warning("%s: not the whole of %s: found %s (found of published)", source, published, "; ".join(other))


def name_of_trials(file: Path, trials: int, targets: int | None) -> str:
    """What a list of trials is called in tables: as published where its counts are, with whether it is cleaned.

    Args:
        file: of the list; it is read where its counts are those of a list whose MD5 is known.
        trials: that it has.
        targets: of them; None without labels.

    Returns:
        The name; that of the file, with what is other, where the list is not one of ``TRIALS``.
    """
    for each in TRIALS:
        if (trials, targets) == (each.trials, each.targets):
            if each.md5 is None or _md5(file) == each.md5:
                return each.name
            return f"{each.name} (by its counts; the file is not byte for byte the published one)"
    called = [each for each in TRIALS if each.file == file.name]
    if not called:
        return file.name
    (each,) = called
    found = f"{trials:,} trials with {'no labels' if targets is None else f'{targets:,} targets'}"
    logger.warning(
        "%s: found %s; %s has %s with %s targets: what comes out is not to be set beside figures of that list",
        *(file, found, each.name, f"{each.trials:,}", f"{each.targets:,}"),
    )
    return f"{file.name} (not {each.name}: {found})"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
