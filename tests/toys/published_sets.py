"""Miniatures of published sets in their exact layouts and names, from the emoji and recordings that ship here."""

import csv
import io
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from PIL import Image
from scipy.io import savemat

RAW = Path(__file__).parents[2] / "data/01_raw"
BIRDS = (
    "Black_footed_Albatross",
    "Laysan_Albatross",
    "Sooty_Albatross",
    "Groove_billed_Ani",
    "Crested_Auklet",
    "Least_Auklet",
    "Parakeet_Auklet",
    "Rhinoceros_Auklet",
)
GENRES = ("singing", "live_broadcast", "interview")


@cache
def _drawn() -> list[list[bytes]]:
    """Concepts of the emoji that seven artists have drawn, a PNG of each."""
    images = pd.read_parquet(RAW / "emoji/images.parquet")
    whole = images.groupby("code")["png"].agg(list)
    return [pictures for pictures in whole.sort_index() if len(pictures) == 7]


def picture(file: Path, label: int, number: int, mode: str = "RGB") -> None:
    """A JPEG of one concept, with a noise of its own, off the middle of a larger page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(_drawn()[label * 40][number % 7])) as drawn:
        page = Image.new("RGB", (100, 80), (20 + number, 90, 60))
        page.paste(drawn.convert("RGB"), (30, 10))
    noise = np.random.default_rng([label, number]).normal(0, 6, (80, 100, 3))
    pixels = (np.asarray(page) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, quality=90)


BOX = (30, 10, 64, 64)


def captions(file: Path, label: int, number: int) -> None:
    """Ten lines, as Reed et al. wrote them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    colour = ("black", "white", "red", "yellow", "blue")[label % 5]
    file.write_text("".join(f"this bird is {colour} with a long {colour} bill, {number} {n}.\n" for n in range(10)))


def cub(parent: Path, classes: int = 4, images: int = 9) -> Path:
    """CUB_200_2011 with text_c10 and attributes.txt beside it; the last third of each class is the test split."""
    root = parent / "CUB_200_2011"
    lines: dict[str, list[str]] = {}
    folders = [f"{label + 1:03d}.{BIRDS[label]}" for label in range(classes)]
    number = 0
    for label, folder in enumerate(folders):
        for image in range(images):
            number += 1
            stem = f"{BIRDS[label].title()}_{image + 1:04d}_{700 + number}"
            picture(root / "images" / folder / f"{stem}.jpg", label, image)
            captions(parent / "text_c10" / folder / f"{stem}.txt", label, image)
            rows = {
                "images": f"{folder}/{stem}.jpg", "image_class_labels": label + 1,
                "train_test_split": int(image < images - images // 3),
                "bounding_boxes": " ".join(f"{edge:.1f}" for edge in BOX),
            }  # fmt: skip
            for name, row in rows.items():
                lines.setdefault(name, []).append(f"{number} {row}\n")
    lines["classes"] = [f"{label + 1} {folder}\n" for label, folder in enumerate(folders)]
    for name, rows in lines.items():
        (root / f"{name}.txt").write_text("".join(rows))
    (parent / "attributes.txt").write_text("1 has_bill_shape::curved_(up_or_down)\n")
    for part, named in (("trainvalclasses", folders[: classes // 2]), ("testclasses", folders[classes // 2 :])):
        (parent / f"{part}.txt").write_text("".join(f"{folder}\n" for folder in named))
    return root


def flowers(parent: Path, classes: int = 4, small: int = 3, large: int = 6) -> Path:
    """flowers-102 with text_c10 beside it; ``small`` images of each class in trnid and in valid, ``large`` in tstid."""
    root = parent / "flowers-102"
    labels, parts = [], {"trnid": [], "valid": [], "tstid": []}
    for label in range(classes):
        for image, part in enumerate(["trnid"] * small + ["valid"] * small + ["tstid"] * large):
            labels.append(label + 1)
            parts[part].append(len(labels))
            picture(root / f"jpg/image_{len(labels):05d}.jpg", label, image)
            captions(parent / f"text_c10/class_{label + 1:05d}/image_{len(labels):05d}.txt", label, image)
    names = [f"class_{label + 1:05d}\n" for label in range(classes)]
    for part, named in (("trainvalclasses", names[: classes // 2]), ("testclasses", names[classes // 2 :])):
        (parent / f"{part}.txt").write_text("".join(named))
    savemat(root / "imagelabels.mat", {"labels": np.array([labels], dtype=np.uint8)})
    savemat(root / "setid.mat", {part: np.array([numbers], dtype=np.uint16) for part, numbers in parts.items()})
    return root


@cache
def _clips() -> list[list[np.ndarray]]:
    """Recordings of speakers at 16 kHz, up to 1.2 s of each."""
    with (RAW / "voices/clips.csv").open(encoding="utf-8") as stream:
        found = pd.DataFrame(csv.DictReader(stream))
    speakers = []
    for _, of_speaker in list(found.groupby("speaker"))[:12]:
        waves = [soundfile.read(RAW / "voices" / path, dtype="float32") for path in of_speaker["path"][:8]]
        speakers.append([(wave if wave.ndim == 1 else wave.mean(1))[: int(1.2 * rate)] for wave, rate in waves])
    return speakers


def recording(file: Path, speaker: int, number: int) -> None:
    """A FLAC of one speaker."""
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, _clips()[speaker][number], 16000)


def cnceleb(parent: Path, dev: int = 6, tested: int = 3, second: int = 2, each: int = 6) -> Path:
    """CN-Celeb_flac and CN-Celeb2_flac; the last of the tested speakers has no model, as four of the published have."""
    one, two = parent / "CN-Celeb_flac", parent / "CN-Celeb2_flac"
    names = [f"{GENRES[number % 3]}-{1 + number // 3:02d}-{number + 1:03d}" for number in range(each)]
    trained, testers = ([f"id{number:05d}" for number in numbers] for numbers in (range(dev), range(800, 800 + tested)))
    others = [f"id{10_001 + number}" for number in range(second)]
    of_set = [(one, speaker) for speaker in (*trained, *testers)] + [(two, speaker) for speaker in others]
    for place, (folder, speaker) in enumerate(of_set):
        for number, name in enumerate(names):
            recording(folder / f"data/{speaker}/{name}.flac", place, number)
    _list(one / "dev/dev.lst", trained)
    _evaluation(one, testers, names)
    if second:
        _list(two / "spk.lst", others)
    return parent


def _evaluation(root: Path, testers: list[str], names: list[str]) -> None:
    """eval/: two utterances of each speaker but the last are enrolled, the others tested against every model."""
    models, lists = testers[:-1], root / "eval/lists"
    for folder in ("enroll", "test"):
        (root / "eval" / folder).mkdir(parents=True)
    for speaker in models:
        joined = [soundfile.read(root / f"data/{speaker}/{name}.flac")[0] for name in names[:2]]
        soundfile.write(root / f"eval/enroll/{speaker}-enroll.flac", np.concatenate(joined), 16000)
    for speaker in testers:
        for name in names[2:]:
            shutil.copy(root / f"data/{speaker}/{name}.flac", root / f"eval/test/{speaker}-{name}.flac")
    tests = [f"test/{speaker}-{name}.wav" for speaker in testers for name in names[2:]]
    utterances = {model: " ".join(f"{model}/{name}.wav" for name in names[:2]) for model in models}
    _list(lists / "enroll.lst", [f"{model}-enroll enroll/{model}-enroll.wav" for model in models])
    _list(lists / "enroll.map", [f"{model}-enroll {utterances[model]}" for model in models])
    _list(lists / "test.lst", tests)
    _list(lists / "trials.lst", [f"{model}-enroll {file} {int(model in file)}" for model in models for file in tests])


def _list(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))
