"""Inputs of every kind: the exact right value, or one of the project's own errors; nothing dropped in silence."""

# Names are bytes here, which pathlib does not take.
# ruff: noqa: PTH103, PTH112, PTH114, PTH118, PTH120, PTH123, PTH211
import io
import os
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume
from hypothesis import strategies as st
from PIL import Image

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.losses import ConstraintInputs, SoftFeatureConstraint
from cross_modal_kd.modalities.image.read import read_image
from cross_modal_kd.modalities.speech.read import examine_speech, read_speech
from cross_modal_kd.samples import Roots, SamplesError, UnreadableSampleError
from cross_modal_kd.sources.folder import read_folder
from fuzzing import Kind

NAMES = st.one_of(
    st.sampled_from(
        [b".ipynb_checkpoints", b"C#", b"take#1", b"a\\b", b"..\\b", b"%20", b'"q"', b"a\nb", b"\xff\xfe",
         b"caf\xc3\xa9", b"cafe\xcc\x81", b"a b", b" ", b"=1+1", b"captions", b"...", b"a;b,c", b"\x1b[31m"]
    ),
    st.binary(min_size=1, max_size=12).filter(lambda name: not set(b"/\0") & set(name) and name not in (b".", b"..")),
)  # fmt: skip
ENDINGS = st.sampled_from([b".png", b".JPG", b".wav", b".txt", b"", b".csv", b".png "])
FILES = st.lists(
    st.tuples(st.lists(NAMES, max_size=3), NAMES, ENDINGS, st.sampled_from(["file", "link", "loop", "dangling"])),
    min_size=1,
    max_size=12,
)


def plant(root: bytes, files) -> set[bytes]:
    """Make the tree; the paths below ``root`` of all that is no folder and has no hidden part."""
    for folders, stem, ending, kind in files:
        file = os.path.join(root, *folders, stem + ending)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            if os.path.lexists(file):
                continue
            if kind == "file":
                with open(file, "wb") as stream:
                    stream.write(b"x")
            else:
                os.symlink({"link": root + b".outside/x.png", "loop": root, "dangling": b"nowhere"}[kind], file)
        except OSError:  # a file where a folder should be, a name that this file system does not allow, a circle
            continue
    there = [os.path.join(at, name) for at, folders, names in os.walk(root) for name in (*folders, *names)]
    planted = {os.path.relpath(file, root) for file in there if os.path.islink(file) or not os.path.isdir(file)}
    return {path for path in planted if not any(part.startswith(b".") for part in path.split(b"/"))}


def _tree(files):
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(os.path.join(folder, "root"))
        os.makedirs(root)
        os.makedirs(root + ".outside")
        Path(root + ".outside", "x.png").write_bytes(b"x")
        planted = plant(os.fsencode(root), files)
        tables = {b"captions.csv", b"domains.csv", b"splits.csv"}
        assume(not planted & tables)
        try:
            found = read_folder("f", Roots({"f": SourceConfig(layout="folder", root=root)}), {})
        except SamplesError as error:
            assert "sources.f.root" in str(error)
            return
        assert len(found.rows) + len(found.rejected) == len(planted)
        assert {os.fsencode(path) for path in found.rows["path"]} <= planted
        assert found.rejected["reason"].str.len().gt(0).all()


def _png(mode="RGB"):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)).convert(mode).save(stream, "PNG")
    return stream.getvalue()


def encoded(kind: str) -> bytes:
    """A good image in each format."""
    image, stream = Image.open(io.BytesIO(_png())), io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def wav(rate: int, values: np.ndarray) -> bytes:
    """A sound of 16 bits."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(values.astype("<i2").tobytes())
    return stream.getvalue()


IMAGES = {kind: encoded(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")}
SOUND = wav(8000, np.random.default_rng(0).integers(-9000, 9000, 800))
DAMAGE = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "drop", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    max_size=4,
)


def damaged(data: bytes, damage) -> bytes:
    """Bytes set, dropped, inserted, or all from there on cut."""
    for what, where, new in damage:
        place = int(where * len(data))
        rest = {"set": data[place + len(new) :], "cut": b"", "drop": data[place + len(new) :], "insert": data[place:]}
        data = data[:place] + (new if what in ("set", "insert") else b"") + rest[what]
    return data


def _image(kind, damage):
    try:
        pixels = read_image(damaged(IMAGES[kind], damage), "f/x")
    except UnreadableSampleError as error:
        assert error.name == "f/x" and error.reason
        assert damage
        return
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.size <= 3 * 2**22 * 1.01


def _sound(damage, rate):
    data = damaged(wav(rate, np.full(400, 8192)), damage)
    try:
        about = examine_speech(data, "f/x.wav")
        sound = read_speech(data, "f/x.wav", 8000) if about.duration_s < 60 else np.zeros(1, np.float32)
    except UnreadableSampleError as error:
        assert error.name == "f/x.wav" and error.reason
        assert damage or not 1000 <= rate <= 768_000
        return
    assert sound.dtype == np.float32 and np.isfinite(sound).all() and np.abs(sound).max(initial=0) <= 1
    if not damage:
        assert about.sample_rate == rate and len(sound) == -(-400 * 8000 // rate)


TEXTS = st.lists(st.text(st.sampled_from("ab,;\t|\"'é=\n "), max_size=12), min_size=2, max_size=5)


def _captions(texts, delimiter, prefix, bom):
    import csv

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "cat").mkdir()
        for number in range(len(texts)):
            (root / "cat" / f"{number}.png").write_bytes(b"x")
        with (root / "captions.csv").open("w", newline="", encoding="utf-8-sig" if bom else "utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["path", "text"])
            writer.writerows([f"{prefix}cat/{number}.png", text] for number, text in enumerate(texts))
        found = read_folder("f", Roots({"f": SourceConfig(layout="folder", root=str(root))}), {})
        read = found.rows[found.rows["modality"] == "text"]["text"].tolist()
        assert read == [text for text in texts if text.strip()]
        assert len(read) + len(found.rejected) == len(texts)


VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 0.5, float("nan")])


def _loss(values, label_dtype):
    teacher = torch.tensor(values[:12]).reshape(4, 3)
    student = torch.tensor(values[12:]).reshape(4, 3).nan_to_num(0.25).requires_grad_()
    for constraint in (SoftFeatureConstraint(), SoftFeatureConstraint(distance="l2")):
        found = constraint(ConstraintInputs(student, teacher, labels=torch.tensor([0, 0, 1, 2], dtype=label_dtype)))
        values, unknown = found.values.detach(), teacher.isnan().any(1)
        lost = ~(teacher.square() + student.detach().square()).sum(1).isfinite()  # NaN, or a square that overflows
        assert values[unknown].isnan().all() and values[~lost].isfinite().all()
        if not lost.any():
            (gradient,) = torch.autograd.grad(found.values.sum(), student)
            assert torch.isfinite(gradient).all()


KINDS = {
    "tree": Kind(_tree, (FILES,)),
    "image": Kind(_image, (st.sampled_from(sorted(IMAGES)), DAMAGE)),
    "sound": Kind(_sound, (DAMAGE, st.sampled_from([1, 999, 1000, 8000, 11_025, 44_101, 48_000, 767_999, 800_000]))),
    "captions": Kind(_captions, (TEXTS, st.sampled_from(",;\t|"), st.sampled_from(["", "./", ".//"]), st.booleans())),
    "loss": Kind(
        _loss,
        (st.lists(VALUES, min_size=24, max_size=24), st.sampled_from([torch.int32, torch.int64, torch.int16])),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_some_inputs(kind):
    KINDS[kind].some()


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_many_inputs(request, kind):
    KINDS[kind].lots(request.config.getoption("seed"))
