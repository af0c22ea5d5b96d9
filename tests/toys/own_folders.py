"""Folders as somebody brings them: small images and sounds of labels that can be told apart."""

import csv
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image


def image(file: Path, label: int, number: int, side: int = 20) -> str:
    """A picture: blocks that are the label's, noise that is its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(label).integers(40, 215, (5, 5, 3))
    noise = np.random.default_rng([label, number]).normal(0, 20, (side, side, 3))
    pixels = np.kron(blocks, np.ones((side // 5, side // 5, 1))) + noise
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)
    return file.name


def sound(file: Path, label: int, number: int, rate: int = 16000) -> str:
    """A second of a tone that is the label's, with a noise that is its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(rate) / rate
    noise = np.random.default_rng([label, number]).normal(0, 0.02, rate)
    soundfile.write(file, (0.3 * np.sin(2 * np.pi * (150 + 40 * label) * time) + noise).astype(np.float32), rate)
    return file.name


def table(file: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A CSV file."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([list(header), *rows])


def image_folder(root: Path, labels: int = 8, files: int = 12, side: int = 20) -> list[str]:
    """``bird_0/0.png`` and so on; the paths."""
    paths = [f"bird_{label}/{number}.png" for label in range(labels) for number in range(files)]
    for path in paths:
        label, number = path.removeprefix("bird_").removesuffix(".png").split("/")
        image(root / path, int(label), int(number), side)
    return paths


def birds(root: Path, labels: int = 8, files: int = 12, side: int = 20) -> Path:
    """An image folder with captions.csv."""
    paths = image_folder(root, labels, files, side)
    table(
        root / "captions.csv",
        ("path", "text"),
        [(path, f"bird {n} with {path[5]} spots") for n, path in enumerate(paths)],
    )
    return root


def sounds(root: Path, labels: int = 8, files: int = 4, prefix: str = "v") -> Path:
    """``v0/0.wav`` and so on."""
    for label in range(labels):
        for number in range(files):
            sound(root / f"{prefix}{label}" / f"{number}.wav", label, number)
    return root


def tar(file: Path, members: Mapping[str, bytes]) -> Path:
    """A tar of such members, in their order."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as opened:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return file


def webdataset(root: Path, labels: int = 8, files: int = 12, texts: str = "txt") -> Path:
    """``birds`` in two tars, with a text (or a field of json of such a name) and a ``cls`` beside each picture."""
    for number, kept in enumerate((range(labels // 2), range(labels // 2, labels))):
        members: dict[str, bytes] = {}
        for label, each in ((label, each) for label in kept for each in range(files)):
            picture = root.parent / f"picture_{label}_{each}.png"
            image(picture, label, each)
            words = f"bird {label * files + each} with {label} spots"
            said = words if texts == "txt" else json.dumps({texts: words, "width": 20})
            key = f"bird_{label}/{each:03d}"
            members |= {f"{key}.cls": b"%d" % label, f"{key}.{'txt' if texts == 'txt' else 'json'}": said.encode()}
            members[f"{key}.png"] = picture.read_bytes()
            picture.unlink()
        tar(root / f"birds-{number:06d}.tar", members)
    return root
