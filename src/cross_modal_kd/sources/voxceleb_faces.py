"""The faces that go with VoxCeleb's voices: crops by name or by id, frames of VoxCeleb2's face tracks, and stills."""

import logging
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.sources.voxceleb_speakers import (
    Speakers,
    Tree,
    VoxCelebOptions,
    columns_of,
    utterance_keys,
)
from cross_modal_kd.sources.voxceleb_split import deal
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

# Below any folders: the first ends in <utterance>/<frame>, a face track is <utterance>.mp4 itself. The folder 1.6
# (boxes enlarged so much) may be there or not.
IN_UTTERANCE = r"(?:^|/)(?P<who>[^/]+)/(?:1\.6/)?(?P<video>[A-Za-z0-9_-]{11})/(?P<number>[0-9]{1,7})/[^/]+$"
TRACK = r"(?:^|/)(?P<who>[^/]+)/(?P<video>[A-Za-z0-9_-]{11})/(?P<number>[0-9]{1,7})\.mp4$"
IN_VIDEO = r"(?:^|/)(?P<who>[^/]+)/(?:1\.6/)?(?P<video>[A-Za-z0-9_-]{11})/[^/]+$"
STILL = r"(?:^|/)(?P<who>[^/]+)/[^/]+$"
BASE = r"(?P<base>[^/]+)$"
ENDING = r"[^/](?P<ending>\.[^./]+)$"
TREES = (
    "unzippedFaces/A.J._Buckley/1.6/<YouTube id, 11 characters>/0000375.jpg, "
    "unzippedIntervalFaces/data/A.J._Buckley/1.6/<YouTube id>/<utterance>/<frame>.jpg, "
    "id00012/<YouTube id>/<utterance>/<frame>.jpg, id00012/<YouTube id>/<utterance>.mp4, or stills below a name "
    "(vox1_meta.csv) or n000012 (vox2_meta.csv)"
)
LEVELS = ("utterance", "video", "identity")


class VoxCelebFacesOptions(VoxCelebOptions):
    """What the layout takes.

    train, test: as ``VoxCelebOptions`` has them, and best the same as those of the voices.
    vox1_meta, vox2_meta, split, without: as ``VoxCelebOptions`` has them.
    frames: that are taken of what a path says most closely: an utterance, else a video, else an identity; evenly spread
    over those there are. Of a face track (.mp4) so many are, each in the middle of one of so many equal parts.
    """

    frames: int = Field(5, ge=1, le=100_000)


def read_voxceleb_faces(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows: label the speaker's id, domain the video, group the utterance, each as far as the path says it.

    - By utterance: the dense set of VoxCeleb1 (its numbers without zeros), aligned frames by id, VoxCeleb2's tracks.
    - By video: the crops of one frame a second of VoxCeleb1.
    - By identity: stills of VGGFace1 (by name) and VGGFace2 (``n000012``).

    Names become ids by ``vox1_meta.csv``, whether or not a dot at their end was lost; VGGFace2's numbers by
    ``vox2_meta.csv``. A frame of a track is the address ``00001.mp4#2/5``, which is decoded when it is read.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``VoxCelebFacesOptions``.

    Returns:
        The rows, those of the test parts with their split; and the files that are passed over, with the reason. Sounds,
        and frames beyond ``frames``, are counted in the log.

    Raises:
        SamplesError: there is no face, a table is wrong, or is missing and needed.
        ValueError: an unknown or wrong option.
    """
    chosen = VoxCelebFacesOptions.model_validate(options)
    tree = Tree.of(name, roots, chosen)
    rows, reason = _faces(tree.path, tree.speakers, chosen)
    if rows.empty:
        raise tree.nothing(name, "face", TREES, reason)
    rows, lost, *_ = deal(name, rows, tree, chosen)
    reason = reason.fillna(tree.path.map(lost).astype("str"))
    rows = _some(name, rows, chosen.frames)
    _count(name, rows)
    rows = rows.assign(sample_id=f"{name}/" + rows["path"], modality="image", source=name)
    sounds = tuple(each for each in modality_of("speech").endings if each != ".mp4")
    return listing(rows, tree.rejected(name, reason, sounds, "voxceleb"))


def _faces(path: pd.Series, speakers: Speakers, options: VoxCelebOptions) -> tuple[pd.DataFrame, pd.Series]:
    """path, label, group, domain, split and track of what is used; and for each path why it is not, else null."""
    ending = columns_of(path, ENDING, ["ending"])["ending"].str.lower()
    track = ending == ".mp4"
    reason = pd.Series(None, index=path.index, dtype="str")
    endings = [*modality_of("image").endings, ".mp4"]
    reason[~ending.isin(endings)] = f"no image of a known ending: {', '.join(endings)}"
    reason[track & ~path.str.endswith(".mp4")] = "a film is read where it ends in .mp4, in small letters: rename it"
    reason[~path.str.contains("/", regex=False)] = f"no face: expected {TREES}"
    looked_at = path[reason.isna()]
    found = pd.DataFrame(None, index=looked_at.index, columns=["who", "video", "number", "label"], dtype="str")
    for pattern, of_tracks in ((TRACK, True), (IN_UTTERANCE, False), (IN_VIDEO, False), (STILL, False)):
        open_ = looked_at[found["label"].isna() & (track[looked_at.index] == of_tracks)]
        columns = [column for column in ("who", "video", "number") if f"<{column}>" in pattern]
        parts = columns_of(open_, pattern, columns).dropna(subset=["who"])
        parts["label"] = speakers.ids_of(parts["who"])
        known = parts["label"].notna()
        found.loc[parts.index[known], [*columns, "label"]] = parts[known]
        first = ~known & found.loc[parts.index, "who"].isna()
        found.loc[parts.index[first], "who"] = parts.loc[first, "who"]
    unknown = found["label"].isna()
    reason.update(speakers.unknown(found.loc[unknown, "who"].dropna()))
    reason[found.index[unknown & found["who"].isna()]] = f"no face: expected {TREES}"
    found = found[~unknown]
    part = speakers.parts_of(found["label"], path[found.index])
    unused = options.unused(part)
    reason.update(unused.dropna())
    rows = pd.DataFrame(
        {
            "path": path[found.index],
            "label": found["label"],
            "group": utterance_keys(found["label"], found["video"], found["number"]),
            "domain": found["video"],
            "split": options.splits(part),
            "track": track[found.index],
            **speakers.conditions_of(found["label"], found["video"]),
        }
    )
    rows = rows[unused.isna()]
    again, first = _again(found.loc[rows.index], rows["path"])
    reason.update("the picture is read from another file: " + first)
    return rows[~again].reset_index(drop=True), reason


def _again(found: pd.DataFrame, path: pd.Series) -> tuple[pd.Series, pd.Series]:
    """(n,) whether a picture of the same folders and name lies elsewhere too, as of a set unpacked twice; and where."""
    base = columns_of(path, BASE, ["base"])["base"]
    same = found["who"] + "/" + found["video"].fillna("") + "/" + found["number"].fillna("") + "/" + base
    again = same.duplicated()
    return again, same[again].map(dict(zip(same[~again], path[~again], strict=True)) if again.any() else {})


def _some(name: str, rows: pd.DataFrame, frames: int) -> pd.DataFrame:
    """At most so many images of each utterance, video or identity, and so many frames of each track."""
    closest = rows["group"].fillna(rows["label"] + "/" + rows["domain"]).fillna(rows["label"])
    by_image = closest.mask(rows["track"], "track " + rows["path"])
    place, size = by_image.groupby(by_image).cumcount(), by_image.groupby(by_image).transform("size")
    taken = (place == 0) | (place * frames // size != (place - 1) * frames // size)
    if not taken.all():
        logger.info("%s: %s frames beyond frames: %d of each are not used", name, f"{(~taken).sum():,}", frames)
    rows = rows[taken]
    several = rows.loc[rows.index.repeat(np.where(rows["track"], frames, 1))]
    number = (several.groupby(level=0).cumcount() + 1).astype("str")
    address = several["path"] + "#" + number + f"/{frames}"
    return several.assign(path=several["path"].where(~several["track"], address)).reset_index(drop=True)


def _count(name: str, rows: pd.DataFrame) -> None:
    level = np.select([rows["group"].notna(), rows["domain"].notna()], LEVELS[:2], LEVELS[2])
    for each in LEVELS:
        of_level = rows[level == each]
        if len(of_level):
            logger.info(
                "%s: %s of %s known by %s",
                *(name, how_many(len(of_level), "face"), how_many(of_level["label"].nunique(), "speaker"), each),
            )
