"""Trees of VoxCeleb in the published names, with its tables."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from films import film, m4a

VOX1_META = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\n"
    "id10002\tLouis_C.K.\tm\tTrinidad and Tobago\tdev\n"
    "id10003\tTim_Minchin\tm\tNew Zealand\tdev\n"
    "id10270\tEartha_Kitt\tf\tUSA\ttest\n"
)
VOX2_META = (
    "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n"
    "id00012 ,n000012 ,m ,dev \n"
    "id00017 ,n000017 ,m ,test \n"
    "id00137 ,n000136 ,f ,dev \n"
)


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def metas(root: Path, vox1: str | None = VOX1_META, vox2: str | None = VOX2_META) -> Path:
    for name, text in (("vox1_meta.csv", vox1), ("vox2_meta.csv", vox2)):
        if text is not None:
            (root / name).write_bytes(text.encode("utf-8"))
    return root


VIDEOS = ("21Uxsk56VDQ", "-_zcIw_-eo4")


def miniature(root: Path, recordings: Path, faces: Path, clips: int = 2) -> Path:
    """VoxCeleb2's dev set (8 speakers) and VoxCeleb1 (4 names) as they are unpacked, with sounds and faces in them.

    Below ``root``: ``voxceleb`` has ``dev/aac/…m4a``, ``wav/…wav`` and both tables; ``faces`` has a face track for most
    of the utterances of VoxCeleb2, one frame a second of the films of VoxCeleb1 by name, and both tables. The fifth
    speaker of VoxCeleb2 has no track of the second film, the sixth none of one utterance.

    Args:
        root: made where it is missing.
        recordings: folders of sound files, one a speaker.
        faces: folders ``s1`` to ``s40`` of pictures.
        clips: utterances of each film.
    """
    second = [f"id{number:05d}" for number in (12, 15, 16, 18, 19, 20, 22, 24)]
    table = "".join(f"{speaker} ,n{int(speaker[2:]):06d} ,m ,dev \n" for speaker in second)
    vox2 = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n" + table
    names = dict(line.split("\t")[:2] for line in VOX1_META.splitlines()[1:])
    sounds = sorted(folder for folder in recordings.iterdir() if folder.is_dir())
    for folder in ("voxceleb", "faces"):
        (root / folder).mkdir(parents=True)
        metas(root / folder, VOX1_META, vox2)
    for number, (speaker, own) in enumerate(zip([*second, *names], sounds, strict=False)):
        waves = [_wave(file) for file in sorted(own.glob("*.ogg"))[: 2 * clips]]
        pictures = [_picture(file) for file in sorted((faces / f"s{number + 1}").glob("*.pgm"))]
        for film_number, video in enumerate(VIDEOS):
            for clip in range(1, clips + 1):
                key = f"{speaker}/{video}/{clip:05d}"
                wave = waves[film_number * clips + clip - 1]
                frames = pictures[5 * film_number : 5 * film_number + 5]
                if speaker in names:
                    _write_wav(root / f"voxceleb/wav/{key}.wav", wave)
                    _write_jpg(
                        root / f"faces/unzippedFaces/{names[speaker]}/1.6/{video}/{25 * clip:07d}.jpg", frames[clip]
                    )
                    continue
                m4a(root / f"voxceleb/dev/aac/{key}.m4a", wave)
                without = (number == 4 and film_number == 1) or (number == 5 and film_number == 0 and clip == 1)
                if not without:
                    film(root / f"faces/dev/mp4/{key}.mp4", frames, rate=5)
    return root


def _wave(file: Path) -> np.ndarray:
    wave, rate = soundfile.read(file, dtype="float32")
    return np.interp(np.arange(0, len(wave), rate / 16_000), np.arange(len(wave)), wave).astype(np.float32)


def _picture(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))


def _write_wav(file: Path, wave: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, wave, 16_000, subtype="PCM_16")


def _write_jpg(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, quality=95)
