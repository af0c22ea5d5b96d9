"""Exported students against PyTorch, for every library that has encoders to train."""

import json
import os
import re
import runpy
import shutil
import struct
import subprocess
import sys
import zlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from cross_modal_kd.config import EncoderConfig, ExportConfig, InputConfig, SourcesConfig, TaskConfig
from cross_modal_kd.export import (
    Answering,
    ExportError,
    Material,
    OnnxStudent,
    Operating,
    export_onnx,
    gather,
    hold_against,
)
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.modalities import ModalityError, modality_of, modality_of_library
from cross_modal_kd.models import ModelBundle, Shared, Student, library_of, student_bundle, weights_of
from cross_modal_kd.samples import Roots, UnreadableSampleError
from cross_modal_kd.storage import verify
from cross_modal_kd.student import write_hf_folder
from cross_modal_kd.student.inputs import Reader
from cross_modal_kd.student.quality import QualityReference
from cross_modal_kd.student.record import QualityRecord
from sixteen_bits import of_sixteen_bits
from stages import assert_same_results

SPEECH = {"speech": {"sample_rate": 8000, "eval_s": 0.8, "crop_s": 0.5, "n_mels": 16}}
RESNET = {"channels": [8, 8, 8, 8], "block_sizes": [1, 1, 1, 1], "lin_neurons": 10}
ECAPA = {
    "channels": [8, 8, 8, 24],
    "kernel_sizes": [3, 3, 3, 1],
    "dilations": [1, 2, 3, 1],
    "attention_channels": 4,
    "res2net_scale": 2,
    "se_channels": 4,
    "lin_neurons": 10,
}
WESPEAKER = {"channels": 2, "lin_neurons": 10, "unbiased": True}
WAVES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "conv_dim": [4, 4],
    "conv_stride": [10, 8],
    "conv_kernel": [20, 8],
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "pooling": "statistics",
}
VIT = {"img_size": 16, "patch_size": 8, "depth": 1, "num_heads": 2, "embed_dim": 8}
CASES = {
    "vgg": ({"library": "torchvision", "name": "vgg", "options": {"channels": [4, 6]}}, {"image": {"size": 16}}),
    "grey": (
        {"library": "torchvision", "name": "vgg", "options": {"channels": [4]}},
        {"image": {"size": 8, "channels": 1}},
    ),
    "resnet": ({"library": "timm", "name": "test_resnet"}, {"image": {"size": 16}}),
    "scaled": (
        {"library": "torchvision", "name": "vgg", "options": {"channels": [4]}},
        {"image": {"size": 16, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}},
    ),
    "vit": ({"library": "timm", "name": "vit_tiny_patch16_224", "options": VIT}, {"image": {"size": 16}}),
    "ecapa": ({"library": "speechbrain", "name": "ECAPA_TDNN", "options": ECAPA}, SPEECH),
    "local": ({"library": "speechbrain", "name": "ECAPA_TDNN", "options": {**ECAPA, "global_context": False}}, SPEECH),
    "statistics": ({"library": "tstp", "name": "ResNet18", "options": {"channels": 2}}, SPEECH),
    "kaldi": (
        {
            "library": "speechbrain",
            "name": "ECAPA_TDNN",
            "options": {**ECAPA, "features": "kaldi", "form": "wespeaker"},
        },
        SPEECH,
    ),
    "decibels": (
        {"library": "tstp", "name": "ResNet18", "options": {**WESPEAKER, "features": "speechbrain"}},
        SPEECH,
    ),
    "wavlm": ({"library": "transformers", "name": "wavlm", "options": {**WAVES, "normalize": True}}, SPEECH),
    "wav2vec2": ({"library": "transformers", "name": "wav2vec2", "options": WAVES}, SPEECH),
    "fasttext": (
        {"library": "utf8", "name": "fasttext", "options": {"dim": 6, "buckets": 64}},
        {"text": {"length": 12}},
    ),
    "bert": (
        {"library": "utf8", "name": "bert", "options": {"hidden_size": 8, "intermediate_size": 8}},
        {"text": {"length": 12}},
    ),
    "speech_resnet": ({"library": "speechbrain", "name": "ResNet", "options": RESNET}, SPEECH),
}
QUICK = ExportConfig(runs=1)
SHARP = Operating(temperature=0.1)
ON_FILES = {"speech": "ecapa", "image": "vgg"}  # which run_student.py answers about files, with eight bits too


@cache
def bundle_of(case: str, answers: bool = True, by_teacher: bool = False) -> ModelBundle:
    """A student with statistics of its own, as training leaves them."""
    torch.manual_seed(3)
    about, blocks = CASES[case]
    encoder, inputs = EncoderConfig(**about), InputConfig(**blocks)
    student, classifier = Student(encoder, inputs, 6), LinearClassifier(3, 6)
    if "speech" in blocks:
        student(0.1 * torch.randn(8, 6000))
    elif "text" in blocks:
        student(torch.randint(1, 256, (8, blocks["text"]["length"]), dtype=torch.uint8))
    else:
        image = blocks["image"]
        student(torch.randint(0, 256, (8, image.get("channels", 3), image["size"], image["size"]), dtype=torch.uint8))
    shared = Shared("both", torch.nn.functional.normalize(torch.randn(3, 4)), 8.0) if by_teacher else None
    made = student_bundle(
        student.eval(), classifier, encoder=encoder, inputs=inputs, dim=6, classes=["a", "b", "c"], shared=shared
    )
    if answers:
        return made
    tensors = {name: value for name, value in made.tensors.items() if not name.startswith("head.")}
    return ModelBundle(made.kind, made.config, tensors)


def probes_of(case: str) -> dict[str, list[torch.Tensor]]:
    rng = torch.Generator().manual_seed(0)
    if "speech" in CASES[case][1]:
        return {name: [0.1 * torch.randn(length, generator=rng) for length in (6400, 800, 4001, 9137)] for name in "xy"}
    if "text" in CASES[case][1]:
        text, words = modality_of("text"), ("a red heart", "Herz", "❤ and far more words than fit")
        return {each: [text.take(each, each, InputConfig(**CASES[case][1])).tensor] for each in words}
    image = CASES[case][1]["image"]
    shape = (image.get("channels", 3), image["size"], image["size"])
    return {name: [torch.randint(0, 256, shape, dtype=torch.uint8, generator=rng)] for name in "xyz"}


def test_every_library_with_encoders_to_train_has_a_case():
    of_cases = {about["library"] for about, _ in CASES.values()}
    trained = {
        name
        for modality in ("speech", "image", "text")
        for name in modality_of(modality).libraries
        if library_of(name).create is not None
    }
    assert trained <= of_cases
    speech = modality_of("speech").libraries["speechbrain"].options
    assert set(speech) == {about["name"] for about, _ in CASES.values() if about["library"] == "speechbrain"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """``exported(case)``: what is said of the case's export, and a folder of it that is not to be written to."""

    @cache
    def made(case: str) -> tuple[dict, Path]:
        folder, probes = tmp_path_factory.mktemp(case) / "exported", probes_of(case)
        calibration = [inputs[0].numpy()[None] for inputs in probes.values()] if case in ON_FILES.values() else []
        config = QUICK.model_copy(update={"int8": "static"}) if calibration else QUICK
        about = {"task": {"name": "toy"}}
        return export_onnx(bundle_of(case), folder, Material(probes, calibration), config, SHARP, about), folder

    return made


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case != "local"])  # which differs in its pooling alone
def test_an_exported_student_computes_what_pytorch_computes(case, exported):
    bundle, (content, folder) = bundle_of(case), exported(case)
    verify(folder)
    assert json.loads((folder / "export.json").read_text()) == content
    alone = case == "wavlm"  # whose attention takes the batch of its example for granted
    assert content["input"]["shape"][0] == (1 if alone else "batch") and content["student"] == weights_of(bundle)
    for program in ("student.onnx", "student.pt2"):
        parity = content["programs"][program]["parity"]
        assert parity["max_abs_difference"] <= 1e-5 and parity["min_cosine"] > 1 - 1e-6
        assert parity["samples"] == len(probes_of(case)) and parity["too_short"] == 0
        assert content["programs"][program]["bytes"] == (folder / program).stat().st_size
        assert content["programs"][program]["latency_ms"] > 0
    shapes = content["programs"]["student.onnx"]["parity"]["shapes"]
    assert len(shapes) == (8 if "speech" in CASES[case][1] else 2)  # of each length, alone and in a batch
    assert content["parameters"] == sum(each.numel() for each in Answering(bundle, Operating()).student.parameters())
    traces = re.compile(rb"site-packages|%s" % re.escape(str(Path.cwd())).encode())
    assert not [file.name for file in folder.iterdir() if traces.search(file.read_bytes())]


@pytest.mark.parametrize("case", ["ecapa", "local"])
def test_pooling_without_a_mask_is_the_pooling_of_whole_sounds(case):
    wave = 0.1 * torch.randn(3, 5000)
    one, other = (Answering(bundle_of(case), Operating(), portable=each) for each in (False, True))
    with torch.no_grad():
        for wanted, found in zip(one(wave), other(wave), strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


def test_outputs_are_those_that_the_student_has():
    images = probes_of("vgg")["x"][0][None]
    with torch.no_grad():
        embedding, logits, probability = Answering(bundle_of("vgg"), Operating(temperature=2.0))(images)
        (alone,) = Answering(bundle_of("vgg", answers=False), Operating())(images)
        _, both, _ = Answering(bundle_of("vgg", by_teacher=True), Operating())(images)
    assert float(embedding.norm()) == pytest.approx(1) and torch.equal(embedding, alone)
    torch.testing.assert_close(probability, (logits / 2).softmax(1))
    assert not torch.allclose(both, logits)


def reference() -> Answering:
    return Answering(bundle_of("vgg"), Operating())


def in_torch(network: Answering, off: float = 0.0, output: str = "embedding"):
    def run(batch: np.ndarray) -> dict[str, np.ndarray]:
        with torch.no_grad():
            outputs = [each.numpy() for each in network(torch.from_numpy(batch))]
        found = dict(zip(network.outputs, outputs, strict=True))
        return found | {output: found[output] + off}

    return run


@pytest.mark.parametrize("output", ["embedding", "probability"])
@pytest.mark.parametrize("off", [1e-2, float("nan")])
def test_a_difference_above_the_tolerance_names_the_sample(off, output):
    with pytest.raises(ExportError, match=r"made up differs from PyTorch by .* on x of shape \(1, 3, 16, 16\)"):
        hold_against(reference(), in_torch(reference(), off, output), probes_of("vgg"), 1e-4, "made up")
    found = hold_against(reference(), in_torch(reference(), 1e-5), probes_of("vgg"), 1e-4, "made up")
    assert found["max_abs_difference"] == pytest.approx(1e-5, rel=0.1)
    assert found["shapes"]["3x3x16x16"]["inputs"] == 1


def test_a_program_that_fails_names_the_sample():
    def run(batch):
        raise RuntimeError("no such kernel")

    with pytest.raises(ExportError, match="made up fails on x of shape .*no such kernel"):
        hold_against(reference(), run, probes_of("vgg"), 1e-4, "made up")


def test_what_the_network_itself_finds_too_short_is_counted():
    network = Answering(bundle_of("ecapa"), Operating())
    probes = {"x": [torch.randn(6400), torch.randn(100)]}
    assert hold_against(network, in_torch(network), probes, 1e-4, "made up")["too_short"] == 1
    with pytest.raises(ExportError, match="x: the student itself cannot take it"):
        hold_against(network, in_torch(network), {"x": [torch.randn(100)]}, 1e-4, "made up")


def test_an_export_without_samples_is_refused(tmp_path):
    with pytest.raises(ExportError, match="expected at least one, found none"):
        export_onnx(bundle_of("vgg"), tmp_path / "out", Material({}), QUICK)
    with pytest.raises(ExportError, match="calibrated with training samples"):
        export_onnx(bundle_of("vgg"), tmp_path / "out", Material(probes_of("vgg")), ExportConfig(int8="static"))
    assert not (tmp_path / "out").exists()


def test_texts_are_read_and_refused_as_by_the_package(tmp_path):
    inputs, text = InputConfig(text={"length": 12}), modality_of("text")
    standalone = text.standalone(inputs)
    read, file = runpy.run_path(str(standalone.reader))["read"], tmp_path / "a.txt"
    for content in (
        b"a  cat\n",
        b"\xef\xbb\xbfa cat",
        "❤ and far more words than fit".encode(),
        "a cät".encode("utf-16"),
    ):
        file.write_bytes(content)
        taken = text.take(file, "a", inputs).tensor
        np.testing.assert_array_equal(read(str(file), standalone.facts), taken.numpy())
        assert taken.shape == (12,) and taken.dtype == torch.uint8
    for content, why in (
        (b"\xff\xff", r"not a text in UTF-8 \(byte 0\): save it as UTF-8"),
        (b"\xff\xfea", "not a text in UTF-16"),
        (b" \n", "blank"),
        (b"\x07", "cannot be seen"),
        (b"a\0cat", "found zero bytes: UTF-16 without its byte order mark"),
        ("a cat".encode("utf-16-le"), "found zero bytes"),
        (b"?!", "of punctuation alone"),
    ):
        file.write_bytes(content)
        with pytest.raises(UnreadableSampleError, match=why):
            text.take(file, "a", inputs)
        with pytest.raises(ValueError, match=why):
            read(str(file), standalone.facts)


def test_a_modality_without_a_program_says_so():
    text = modality_of("text")
    with pytest.raises(ModalityError, match="students of modality 'text' are not exported"):
        super(type(text), text).standalone(InputConfig())
    with pytest.raises(ModalityError, match="no modality has the encoder library 'nowhere'; there are: .*text"):
        modality_of_library("nowhere")
    assert modality_of_library("timm").name == "image"


@pytest.mark.slow
def test_a_failed_export_leaves_the_old_folder(tmp_path, monkeypatch):
    old = tmp_path / "exported"
    old.mkdir()
    (old / "export.json").write_text("the old one")
    strict = ExportConfig.model_construct(**{**QUICK.model_dump(), "tolerance": -1.0})
    with pytest.raises(ExportError, match=r"student.onnx differs from PyTorch"):
        export_onnx(bundle_of("vgg"), old, Material(probes_of("vgg")), strict)
    assert (old / "export.json").read_text() == "the old one" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["static", "dynamic"])
def test_eight_bits_and_what_they_cost(method, tmp_path):
    probes = probes_of("vgg")
    calibration = [inputs[0].numpy()[None] for inputs in probes.values()]
    config = QUICK.model_copy(update={"int8": method})
    measured = []

    def measure(run: OnnxStudent) -> dict[str, float]:
        measured.append(run(calibration[0])["embedding"])
        return {"dev_top1": float(len(measured)), "test_eer": float("nan")}

    content = export_onnx(bundle_of("vgg"), tmp_path / "out", Material(probes, calibration, measure), config)
    small, large = (content["programs"][name] for name in ("int8.onnx", "student.onnx"))
    assert small["method"] == method and 0 < small["difference"]["max_abs_difference"] < 1
    assert small["bytes"] > 0 and small["latency_ms"] > 0 and large["bytes"] > 0
    assert content["metric"]["student.onnx"] == {"dev_top1": 1.0, "test_eer": None}
    assert content["metric"]["int8.onnx"]["dev_top1"] == 2.0
    assert not np.array_equal(*measured)


# -- on files, by run_student.py alone --


def speech_files(folder: Path) -> dict[str, Path]:
    """Sounds of other rates, lengths and channels than the student's."""
    rng, files = np.random.default_rng(0), {}
    for name, rate, seconds, channels in [
        *(("same.wav", 8000, 1.3, 1), ("short.flac", 8000, 0.21, 1), ("high.wav", 44100, 0.9, 2)),
        *(("low.wav", 6000, 2.0, 1), ("odd.ogg", 48000, 0.7, 1), ("exact.wav", 8000, 0.8, 1)),
    ]:
        wave = 0.1 * rng.standard_normal((int(rate * seconds), channels)).cumsum(axis=0) / 4
        files[name] = folder / name
        soundfile.write(files[name], wave.clip(-1, 1), rate)
    return files


def image_files(folder: Path) -> dict[str, Path]:
    """Images of several sizes and modes, turned, transparent, of 16 bits, and too many pixels."""
    rng, files = np.random.default_rng(0), {}
    pixels = rng.integers(0, 256, (61, 37, 3), dtype=np.uint8)
    images = {
        "rgb.png": Image.fromarray(pixels),
        "small.png": Image.fromarray(pixels[:9, :11]),
        "grey.png": Image.fromarray(pixels[:, :, 0]),
        "photo.jpg": Image.fromarray(pixels),
        "clear.png": Image.fromarray(rng.integers(0, 256, (40, 30, 4), dtype=np.uint8)),
        "palette.gif": Image.fromarray(pixels).quantize(16),
        "deep.png": Image.fromarray(rng.integers(0, 65536, (24, 24)).astype(np.uint16)),
        "large.jpg": Image.fromarray(rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)).resize((2500, 2100)),
        "large.png": Image.fromarray(rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)).resize((2300, 2000)),
    }
    for name, image in images.items():
        files[name] = folder / name
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(files[name], **({"exif": exif} if name.endswith("jpg") else {}))
    return files


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims so many grey pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100))
    parts = [struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (head, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def refused_files(modality: str, folder: Path) -> dict[Path, str]:
    """Files that the package refuses, with what is said of them."""
    folder = folder / "refused"
    folder.mkdir()
    found = {folder / "absent": "there is no such file", folder: "it is a folder, not a file"}
    contents: dict[str, tuple[bytes, str]] = {}
    if modality == "image":
        pixels = np.random.default_rng(0).integers(0, 256, (40, 40))
        images = {
            "float.tif": (Image.fromarray(pixels.astype(np.float32)), "floating-point pixels have no fixed range"),
            "negative.tif": (Image.fromarray((pixels - 300).astype(np.int32)), "pixels from -300 to"),
            "deep.tif": (Image.fromarray((pixels * 70_000).astype(np.int32)), "expected 0 to 255 or 0 to 65535"),
            "twelve.png": (Image.fromarray((pixels * 16).astype(np.uint16)), "of 65535: numbers of 12 bits"),
            "blank.png": (Image.new("RGB", (40, 40), (9, 9, 9)), "the picture is blank"),
            "clear.png": (Image.new("RGBA", (40, 40), (9, 9, 9, 0)), "the picture is blank"),
            "dot.png": (Image.new("RGB", (1, 1)), "1 x 1 pixels, fewer than 8 a side"),
            "line.png": (Image.new("RGB", (30_000, 1)), "30000 x 1 pixels, fewer than 8 a side"),
        }
        for name, (image, why) in images.items():
            image.save(folder / name)
            found[folder / name] = why
        contents = {
            "bomb.png": (png_of(20_000, 20_000), "not a readable image .*Bomb"),
            "large.png": (png_of(10_001, 10_000), "more than the 100,000,000 that are decoded"),
            "cut.png": (png_of(40, 40), "not a readable image"),
            "colour.png": (of_sixteen_bits(np.stack([16 * pixels] * 3, axis=2)), "of 65535: numbers of 12 bits"),
            "text.png": (b"nothing of the kind", "not a readable image$"),
            "drawing.png": (
                b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
                "not a readable image$",
            ),
        }
    else:
        wave = 0.1 * np.random.default_rng(0).standard_normal(8000)
        gap = np.where(np.arange(8000) == 7999, np.nan, wave)
        sounds = {
            "slow.wav": (wave, 999, "PCM_16", "a rate of 999 Hz"),
            "fast.wav": (wave, 800_000, "PCM_16", "a rate of 800000 Hz"),
            "upside.wav": (np.stack([wave, -wave], axis=1), 8000, "PCM_16", "its channels cancel each other out"),
            "noisy.wav": (
                np.stack([wave, wave[::-1] / 9 - wave], axis=1),
                8000,
                "PCM_16",
                "channels cancel each other",
            ),
            "silent.wav": (0 * wave, 8000, "PCM_16", "silent"),
            "level.wav": (0 * wave + 0.3, 8000, "PCM_16", "silent: all its samples are the same"),
            "long.wav": (np.full(70 * 8000, -0.3), 11025, "PCM_16", "silent: all its samples are the same"),
            "empty.wav": (wave[:0], 8000, "PCM_16", "empty"),
            "nan.wav": (gap, 8000, "FLOAT", "NaN"),
            "late.wav": (np.concatenate([np.tile(wave, 61), gap]), 8000, "FLOAT", "NaN"),
            "loud.wav": (99 * wave, 8000, "FLOAT", "expected -1 to 1"),
        }
        for name, (sound, rate, subtype, why) in sounds.items():
            soundfile.write(folder / name, sound, rate, subtype=subtype)
            found[folder / name] = why
        contents = {
            "text.wav": (b"nothing of the kind", "not a readable sound"),
            "phone.m4a": (b"nothing of the kind", "convert it to WAV"),
        }
    for name, (content, why) in contents.items():
        (folder / name).write_bytes(content)
        found[folder / name] = why
    return found


@pytest.mark.parametrize(
    ("modality", "image"),
    [("speech", {}), ("image", {}), ("image", {"interpolation": "bicubic", "crop_pct": 0.875})],
    ids=["speech", "image", "cropped image"],
)
def test_files_are_read_and_refused_as_by_the_package(modality, image, tmp_path):
    inputs = InputConfig(**(SPEECH if modality == "speech" else {"image": {"size": 16, **image}}))
    standalone = modality_of(modality).standalone(inputs)
    read = runpy.run_path(str(standalone.reader))["read"]
    made, rng = {"speech": speech_files, "image": image_files}[modality](tmp_path), np.random.default_rng(0)
    more: list[tuple[str, np.ndarray, str]] = [
        ("two.wav", np.array([0.5, 0.25]), "PCM_16"),
        ("numbers.wav", rng.integers(-9000, 9000, 8000).astype(float), "FLOAT"),  # of 16 bits, as floats
        ("over.wav", 3.9 * np.sin(np.arange(8000)), "FLOAT"),
        ("minute.wav", np.tile(0.1 * rng.standard_normal(8000), 61), "PCM_16"),
    ]
    files = list(made.values())
    if modality == "speech":
        for name, wave, subtype in more:
            files.append(tmp_path / name)
            soundfile.write(files[-1], wave, 8000, subtype=subtype)
    else:
        files.append(tmp_path / "narrow.png")
        Image.fromarray(rng.integers(0, 256, (300, 15_000), dtype=np.uint8)).save(files[-1])
    for file in files:
        taken = modality_of(modality).take(file, file.name, inputs).tensor.numpy()
        found = read(str(file), standalone.facts)
        assert (found.shape, found.dtype) == (taken.shape, taken.dtype)
        assert np.abs(found - taken).max() <= 1.01 / 32767, file.name
    for file, why in refused_files(modality, tmp_path).items():
        if not file.is_file():
            continue
        with pytest.raises(UnreadableSampleError) as raised:
            modality_of(modality).take(file, file.name, inputs)
        with pytest.raises(ValueError, match=why) as refused:
            read(str(file), standalone.facts)
        if file.suffix != ".m4a":  # which libsndfile does not read
            assert str(refused.value) == raised.value.reason


def as_read(modality: str, files: dict[str, Path], inputs: InputConfig) -> dict[str, torch.Tensor]:
    """The files by the package's own reader."""
    folder = next(iter(files.values())).parent
    roots = Roots(SourcesConfig.model_validate({"here": {"layout": "folder", "root": str(folder)}}))
    rows = [
        {
            "sample_id": name,
            "source": "here",
            "path": name,
            "modality": modality,
            "duration_s": soundfile.info(file).duration if modality == "speech" else np.nan,
        }
        for name, file in files.items()
    ]
    return {row["sample_id"]: modality_of(modality).probes(row, roots, inputs)[0] for row in rows}


def bare_python(folder: Path, *packages: str) -> Path:
    """A virtual environment with these packages and what they need, nothing of ours; this one's pip installs them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=200)
    python = folder / "bin" / "python"
    pins = Path(__file__).parents[2] / "constraints.txt"
    done = pip(python, "install", "-q", "--no-compile", "-c", str(pins), *packages)
    if done.returncode:
        pytest.skip(f"no package index is reachable: {done.stderr.strip().splitlines()[-1][:200]}")
    return python


def pip(python: Path, *words: str) -> subprocess.CompletedProcess:
    # -I: Kedro has put src into PYTHONPATH
    command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", f"--python={python}", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """One environment for both modalities; its libraries are this one's: Pillow resizes otherwise from 11 to 13."""
    libraries = [f"{name}=={version(name)}" for name in ("numpy", "onnxruntime", "soundfile", "pillow")]
    python = bare_python(tmp_path_factory.mktemp("bare") / "env", *libraries)
    listed = pip(python, "list")
    assert "onnxruntime" in listed.stdout and not re.search(
        r"^(torch|kedro|pandas|cross-modal-kd)\b", listed.stdout, re.M
    )
    return python


def run_bare(python: Path, folder: Path, *arguments: Path | str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(python), "-P", str(folder / "run_student.py"), *map(str, arguments)],
        *(),
        capture_output=True,
        text=True,
        timeout=100,
        cwd=folder,
        env=environment,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("modality", "case"), ON_FILES.items())
def test_in_a_bare_environment_files_get_the_answers_of_pytorch(modality, case, bare, exported, tmp_path, capsys):
    bundle, files = bundle_of(case), {"speech": speech_files, "image": image_files}[modality](tmp_path)
    read = as_read(modality, files, InputConfig(**CASES[case][1]))
    folder = shutil.copytree(exported(case)[1], tmp_path / "exported")
    done = run_bare(bare, folder, *files.values())
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(file) for file in files.values()]
    network = Answering(bundle, SHARP)
    with torch.no_grad():
        for name, row in zip(files, rows, strict=True):
            probability = network(read[name][None])[2][0]
            assert row["label"] == bundle.config["classes"][int(probability.argmax())], name
            assert row["probability"] == pytest.approx(float(probability.max()), abs=2e-4), name
    read_end, write_end = os.pipe()
    os.close(read_end)  # as `| head` leaves it
    unheard = subprocess.run(
        [str(bare), "-P", "run_student.py", str(next(iter(files.values())))],
        *(), cwd=folder, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=100,
    )  # fmt: skip
    os.close(write_end)
    assert unheard.returncode and not unheard.stderr
    small = run_bare(bare, folder, "int8.onnx", next(iter(files.values())))
    assert small.returncode == 0 and json.loads(small.stdout).keys() == {"file", "label", "probability"}, small.stderr
    refused, odd = refused_files(modality, tmp_path), tmp_path / "two\nlines\x1b[31m\t.png"
    shutil.copy(next(iter(files.values())), odd)
    some = run_bare(bare, folder, *refused, odd)
    assert some.returncode == 3 and not some.stderr
    *said, last = [json.loads(line) for line in some.stdout.splitlines()]
    assert last["file"] == str(odd) and last["label"] in bundle.config["classes"]
    assert "\x1b" not in some.stdout and [row["file"] for row in said] == [str(file) for file in refused]
    for why, row in zip(refused.values(), said, strict=True):
        assert re.search(why, row["error"]), row
    main = runpy.run_path(str(folder / "run_student.py"))["main"]
    for wrong in ([], ["int8.onnx"], ["--help"], ["no.onnx", "a"]):
        assert main(wrong) == 2
        printed = capsys.readouterr()
        assert "FILE..." in printed.err and not printed.out
    assert main([str(next(iter(refused)))]) == 1 and json.loads(capsys.readouterr().out).keys() == {"file", "error"}


@pytest.mark.parametrize(
    ("classes", "typed", "said"),
    [
        ([], ["a.wav"], "a.wav alone is named: this student compares files with the first, so name two at least."),
        ([], ["int8.onnx", "a.wav"], "a.wav alone is named: this student compares"),
        ([], [], "No file is named: this student compares files with the first, so name two at least."),
        (["x"], [], "No file is named: name one at least."),
        (["x"], ["int9.onnx", "a.wav"], "int9.onnx: there is no such network in "),
        (["x"], ["--json", "a.wav"], "--json: this program has no options; name files."),
        (["x"], ["--help"], "An exported student on files"),
    ],
)
def test_what_is_wrongly_typed_is_said_in_a_sentence_above_the_usage(tmp_path, capsys, classes, typed, said):
    from cross_modal_kd.export import write

    shutil.copy(Path(write.__file__).parent / write.SCRIPT, tmp_path)
    (tmp_path / "export.json").write_text(json.dumps({"classes": classes}))
    for network in ("student.onnx", "int8.onnx"):
        (tmp_path / network).touch()
    assert runpy.run_path(str(tmp_path / write.SCRIPT))["main"](list(typed)) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(said) and "FILE OTHER..." in printed.err and not printed.out
    assert "(there: int8.onnx, student.onnx)." in printed.err or "int9" not in said


@pytest.mark.slow
def test_in_a_bare_environment_two_files_get_the_score_of_pytorch(bare, tmp_path, capsys):
    bundle, files = bundle_of("ecapa", answers=False), speech_files(tmp_path)
    read = as_read("speech", files, InputConfig(**SPEECH))
    exported = tmp_path / "exported"
    export_onnx(bundle, exported, Material(probes_of("ecapa")), QUICK, Operating(thresholds={"eer": -1.0, "far": 2.0}))
    one, other = files["same.wav"], files["high.wav"]
    done = run_bare(bare, exported, one, other)
    assert done.returncode == 0, done.stderr
    itself, row = (json.loads(line) for line in done.stdout.splitlines())
    assert row | {"score": 0} == {
        "file": str(other), "with": str(one), "score": 0, "accepted": {"eer": True, "far": False}
    }  # fmt: skip
    assert itself["file"] == itself["with"] == str(one) and itself["score"] == pytest.approx(1)
    with torch.no_grad():
        (a,), (b,) = (Answering(bundle, Operating())(read[file.name][None]) for file in (one, other))
    assert row["score"] == pytest.approx(float((a * b).sum()), abs=1e-4)
    main, absent = runpy.run_path(str(exported / "run_student.py"))["main"], str(tmp_path / "absent.wav")
    assert main([str(one)]) == 2 and "alone is named: this student compares" in capsys.readouterr().err
    assert main([absent, str(one), str(other)]) == 1  # nothing to compare the others with
    assert json.loads(capsys.readouterr().out) == {"file": absent, "error": "there is no such file"}
    prime = tmp_path / "prime.wav"
    soundfile.write(prime, 0.1 * np.sin(np.arange(40000)), 16001)
    some = run_bare(bare, exported, one, prime, other)
    lines = some.stdout.splitlines()
    assert some.returncode == 3 and "pip install soxr" in lines.pop(1) and lines == done.stdout.splitlines()


def forbidden(*_):
    raise PermissionError(13, "Permission denied")


def test_broken_files_are_told_of_in_the_words_of_predict_and_no_decision_has_its_reason(tmp_path, capsys, monkeypatch):
    config, bundle, folder = QUICK, bundle_of("vgg", answers=False), tmp_path / "exported"
    reason = "4 dev labels, fewer than deployment.min_labels = 10"
    record = {"temperature": {"value": None}, "thresholds": [
        {"name": "eer", "value": 0.5, "reason": ""}, {"name": "far_0.01", "value": None, "reason": reason}
    ]}  # fmt: skip
    export_onnx(bundle, folder, Material(probes_of("vgg")), config, Operating.found(record))
    main, about = runpy.run_path(str(folder / "run_student.py"))["main"], folder / "export.json"
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(whole)
    contents = {
        "empty.png": b"",
        "page.png": b"<html>403</html>",
        "lfs.png": b"version https://git-lfs.github.com/spec/v1",
        "zeros.png": bytes(99),
        "cut.png": png_of(40, 40),
    }
    soundfile.write(tmp_path / "sound.wav", np.zeros(99), 8000)
    wrong = [tmp_path / "absent.png", folder, tmp_path / "sound.wav"]
    for name, content in contents.items():
        wrong.append(tmp_path / name)
        wrong[-1].write_bytes(content)
    wrong += refused_files("image", tmp_path)
    reader = Reader("image", InputConfig(**CASES["vgg"][1]), QualityReference(QualityRecord(poor_below=0.0)))
    assert main([str(whole), *map(str, wrong)]) == 3
    itself, *said = map(json.loads, capsys.readouterr().out.splitlines())
    assert itself["accepted"] == {"eer": True} and itself["undecided"] == {"far_0.01": reason}
    assert {row["file"]: row["error"] for row in said} == {str(file): reader.read(file, "x").error for file in wrong}
    assert "the file is empty" in said[3]["error"] and said[1]["error"] == "it is a folder, not a file"
    why_not = runpy.run_path(str(folder / "run_student.py"))["why_not"]
    with monkeypatch.context() as locked:
        locked.setattr(Path, "open", forbidden)
        assert why_not(str(whole), ValueError("cut short")) == "cut short"
    for undecided, told in (({"eer": reason}, {"eer": reason}), ({}, {"any": ANY})):
        about.write_text(json.dumps(json.loads(about.read_text()) | {"thresholds": {}, "undecided": undecided}))
        assert main([str(whole), str(whole)]) == 1
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(row["accepted"], row["undecided"]) for row in rows] == [({}, told)] * 2


ANY = "this student was exported without thresholds: there is a score, and no decision"


@pytest.mark.slow
def test_the_page_shows_what_run_student_prints(tmp_path, monkeypatch, capsys):
    """Line by line but for scores and who is accepted, with a student that names no classes."""
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    asked = re.findall(r"^\$ python exported/run_student.py (.*?)\n(.*?)(?=^\$|^```)", page, re.DOTALL | re.MULTILINE)
    shown = [json.loads(line) for _, block in asked for line in block.splitlines()]
    thresholds = dict.fromkeys(shown[0]["accepted"], 0.5)
    config, bundle = QUICK.model_copy(update={"int8": "dynamic"}), bundle_of("vgg", answers=False)
    monkeypatch.chdir(tmp_path)
    export_onnx(bundle, Path("exported"), Material(probes_of("vgg")), config, Operating(thresholds=thresholds))
    maker = Path(__file__).parents[2] / "docs" / "examples" / "make_pictures.py"
    subprocess.run([sys.executable, str(maker), "pictures"], check=True, timeout=60)
    main = runpy.run_path("exported/run_student.py")["main"]
    for words, block in asked:
        files = [found for word in words.split() for found in sorted(map(str, Path().glob(word))) or [word]]
        assert main(files) == (3 if "broken.png" in block else 0)
        printed = capsys.readouterr().out
        assert printed.count("\n") == block.count("\n") >= 3
        for said, line in zip(printed.splitlines(), block.splitlines(), strict=True):
            assert without_numbers(said) == without_numbers(line)


def without_numbers(line: str) -> str:
    return re.sub(r": (-?\d+\.\d+|true|false)", ": #", line)


# -- on a student that was trained --


@pytest.mark.slow
def test_a_trained_student_is_exported_by_the_pipeline(distilled, run_kedro_after, tmp_path):
    from kedro.framework.session import KedroSession

    run_kedro_after("deployment")
    assert_same_results(distilled, run_kedro_after.data_root)  # it runs alone
    with KedroSession.create(env="test", runtime_params={"data_root": str(distilled)}, save_on_close=False) as session:
        context = session.load_context()
        catalog = context.catalog
        student, samples = catalog.load("distilled.student"), catalog.load("samples")
        params = context.params
    task, sources = TaskConfig.model_validate(params["task"]), SourcesConfig.model_validate(params["sources"])
    config = ExportConfig.model_validate(params["export"])
    exported = run_kedro_after.data_root / "06_models" / "test" / "distilled" / "exported"
    content = json.loads((exported / "export.json").read_text())
    report = run_kedro_after.data_root / "08_reporting" / "test" / "distilled" / "export.json"
    assert json.loads(report.read_text()) == content
    assert (exported / "student.onnx").stat().st_size and (exported / "run_student.py").exists()
    assert content["about"]["task"]["name"] == task.name
    assert "exported/read_input.py" in write_hf_folder(exported.parent / "packaged", tmp_path / "published", exported)
    assert content["programs"]["student.onnx"]["parity"]["samples"] == config.samples
    assert [each.keys() for each in content["metric"].values()] == [{"dev_eer", "test_eer"}] * 2
    material = gather(samples, task, sources, student, config)
    reference_metric = material.measure(in_torch(Answering(student, Operating())))
    assert content["metric"]["student.onnx"] == pytest.approx(reference_metric, abs=0.02)
