"""The sounds of VoxCeleb1 and VoxCeleb2: ``<speaker>/<video>/<utterance>`` below whatever folders, wav or m4a."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots, first_few
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.voxceleb_speakers import (
    VOX1_META,
    Speakers,
    Tree,
    VoxCelebOptions,
    columns_of,
    utterance_keys,
)
from cross_modal_kd.sources.voxceleb_split import deal
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

# id10001/1zcIwhmdeo4/00001.wav, also .m4a.wav; and of 2017 A.J._Buckley/1zcIwhmdeo4_0000001.wav. YouTube's ids have 11
# characters, - and _ among them.
UTTERANCE = (
    r"(?:^|/)(?P<who>[^/]+)/(?P<video>[A-Za-z0-9_-]{11})(?:/(?P<number>[0-9]{1,6})|_(?P<segment>[0-9]{7}))"
    r"(?:\.[A-Za-z0-9]+)*(?P<ending>\.[A-Za-z0-9]+)$"
)
FILMS = (".mp4",)
ORIGINALS = (".wav", ".flac")
TREES = "id10001/1zcIwhmdeo4/00001.wav (or .m4a, .flac) below wav/, dev/wav/, dev/aac/ or any other folder"


def read_voxceleb(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows: label the speaker's id, group the utterance, domain the video. No Python object is made of a path.

    The ``sample_id`` is the utterance (``id10001/1zcIwhmdeo4/00001``), so that lists of trials find it whatever folders
    and ending they give it.

    All of these may lie below one root, in any folders: both parts of VoxCeleb1 in one ``wav/`` or each in its own,
    VoxCeleb2 as m4a or as what was made of it (``.wav``, ``.m4a.wav``, still below ``aac/``), and VoxCeleb1 by the
    names of 2017, for which ``vox1_meta.csv`` is needed. Of several files of one utterance the WAV or FLAC is used.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``VoxCelebOptions``.

    Returns:
        The rows, those of the test parts (or all, by a file of a split) with their split; and what is passed over, with
        its reason. Pictures and films are counted in the log. Memory: O(N).

    Raises:
        SamplesError: there is no utterance, a table is wrong, or is missing and needed.
        ValueError: an unknown or wrong option.
    """
    chosen = VoxCelebOptions.model_validate(options)
    tree = Tree.of(name, roots, chosen)
    rows, reason = _utterances(tree.path, tree.speakers, chosen)
    if rows.empty:
        raise tree.nothing(name, "utterance", TREES, reason)
    tree.warn_of_missing(name, rows["part"], chosen)
    rows, lost, dealt, lacking = deal(name, rows, tree, chosen)
    if lacking:
        logger.warning(
            "%s: of what %s names, %s no sound below %s: %s",
            *(name, chosen.split, how_many(len(lacking), "has", "have"), tree.root, first_few(lacking, 3)),
        )
    reason = reason.fillna(tree.path.map(lost).astype("str"))
    dealt += [
        each | {"what": f"{each['what']}, there", "found": int((rows["split"] == each["what"]).sum())} for each in dealt
    ]
    counts = tree.speakers.counted(rows["part"], rows["label"], [*chosen.train, *chosen.test])
    rows = rows.assign(sample_id=rows["group"], modality="speech", source=name)
    beside = (*modality_of("image").endings, *FILMS)
    return listing(rows, tree.rejected(name, reason, beside, "voxceleb_faces"), [*counts, *dealt])


def utterances_of_names(names: Sequence[str], meta: Path) -> list[str | None]:
    """What a list calls utterances by VGGFace1's names, as it was in 2017, by id: as ``sample_id`` has them.

    Args:
        names: n of them, ``Eartha_Kitt/x6uYqmx31kE_0000001.wav`` or ``Eartha_Kitt/x6uYqmx31kE/00001.wav``, with any
            folders before; by id, they become the same. Pictures stay what they are.
        meta: ``vox1_meta.csv``.

    Returns:
        n, ``id10270/x6uYqmx31kE/00001``; a name that is no utterance's is as it was, and None one of no speaker.

    Raises:
        SamplesError: the table is wrong.
    """
    given = pd.Series(names, dtype="str")
    options = VoxCelebOptions(vox1_meta=str(meta.absolute()))
    speakers = Speakers(VOX1_META, meta.parent, pd.Series([], dtype="str"), options)
    found = columns_of(given, UTTERANCE, ("who", "video", "number", "segment", "ending"))
    found = found.mask(found["ending"].str.lower().isin(modality_of("image").endings))
    number = found["number"].mask(found["number"] == "", found["segment"])
    keys = utterance_keys(speakers.ids_of(found["who"]), found["video"], number)
    keys = keys.mask(found["who"].isna(), given)
    return [None if pd.isna(key) else key for key in keys]


def _utterances(path: pd.Series, speakers: Speakers, options: VoxCelebOptions) -> tuple[pd.DataFrame, pd.Series]:
    """path, label, group, domain, split and part of what is used; and for each path why it is not, null where it is."""
    found = columns_of(path, UTTERANCE, ("who", "video", "number", "segment", "ending"))
    ending = found["ending"].str.lower()
    heard = [each for each in modality_of("speech").endings if each not in FILMS]
    reason = pd.Series(None, index=path.index, dtype="str")
    reason[~ending.isin(heard)] = f"no sound of a known ending: {', '.join(heard)}"
    reason[found["who"].isna()] = f"no utterance: expected {TREES}"
    found = found[reason.isna()]
    label = speakers.ids_of(found["who"])
    reason.update(speakers.unknown(found["who"][label.isna()]))
    found, label = found[label.notna()], label.dropna()
    part = speakers.parts_of(label, path[found.index])
    unused = options.unused(part)
    reason.update(unused.dropna())
    rows = pd.DataFrame(
        {
            "path": path[found.index],
            "label": label,
            "group": utterance_keys(
                label, found["video"], found["number"].mask(found["number"] == "", found["segment"])
            ),
            "domain": found["video"],
            "split": options.splits(part),
            "part": part,
            **speakers.conditions_of(label, found["video"]),
        }
    )[unused.isna()]
    again = _again(rows["group"], ending[rows.index])
    first = rows[~again].set_index("group")["path"]
    reason.update("the utterance is read from another file: " + rows["group"][again].map(first))
    return rows[~again], reason


def _again(group: pd.Series, ending: pd.Series) -> np.ndarray:
    """(n,) whether another file of the same utterance is used: the first that is no m4a, else the first."""
    if group.is_unique:
        return np.zeros(len(group), dtype=bool)
    codes = pd.factorize(group)[0]
    order = np.lexsort((~ending.isin(ORIGINALS).to_numpy(), codes))
    again = np.ones(len(group), dtype=bool)
    again[order[np.flatnonzero(np.diff(codes[order], prepend=-1))]] = False
    return again
