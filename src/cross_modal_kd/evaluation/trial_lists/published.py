"""Published lists of trials: by their counts a list has its name, with whether it is cleaned.

The counts are second-hand, read in what uses these lists: VoxCeleb's in PaddleSpeech's README and scripts, CN-Celeb's
in a report that counted them.
"""

import hashlib
import logging
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)


class PublishedTrials(NamedTuple):
    """A list of trials as it was published.

    md5: of the file, None where it is not known. also: names that copies of it have, in another form or place:
    OpenSLR's SLR49, whose counts are the original list's, and what WeSpeaker's CN-Celeb recipes write.
    """

    name: str
    file: str
    trials: int
    targets: int
    md5: str | None = None
    also: tuple[str, ...] = ()


TRIALS = (
    PublishedTrials(
        "VoxCeleb1-O, original",
        "veri_test.txt",
        *(37_720, 18_860, "29fc7cc1c5d59f0816dc15d6e8be60f7"),
        also=("voxceleb1_test.txt", "voxceleb1_test_v2.txt"),
    ),
    PublishedTrials("VoxCeleb1-O, cleaned", "veri_test2.txt", 37_611, 18_802, "b73110731c9223c1461fe49cb48dddfc"),
    PublishedTrials("VoxCeleb1-E, original", "list_test_all.txt", 581_480, 290_743, "b9ecf7aa49d4b656aa927a8092844e4a"),
    PublishedTrials("VoxCeleb1-E, cleaned", "list_test_all2.txt", 579_818, 289_921, "a53e059deb562ffcfc092bf5d90d9f3a"),
    PublishedTrials(
        "VoxCeleb1-H, original", "list_test_hard.txt", 552_536, 276_270, "21c341b6b2168eea2634df0fb4b8fff1"
    ),
    PublishedTrials(
        "VoxCeleb1-H, cleaned", "list_test_hard2.txt", 550_894, 275_488, "857790e09d579a68eb2e339a090343c8"
    ),
    PublishedTrials(
        "CN-Celeb eval",
        "trials.lst",
        *(3_484_292, 17_755),
        also=("CNC-Eval-Avg.lst", "CNC-Eval-Concat.lst", "CNC-Eval-Core.lst"),
    ),
)


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
    called = [each for each in TRIALS if file.name in (each.file, *each.also)]
    if not called:
        return file.name
    (each,) = called
    found = f"{trials:,} trials with {'no labels' if targets is None else f'{targets:,} targets'}"
    logger.warning(
        "%s: found %s; %s has %s with %s targets: what comes out is not to be set beside figures of that list",
        *(file, found, each.name, f"{each.trials:,}", f"{each.targets:,}"),
    )
    return f"{file.name} (not {each.name}: {found})"


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
