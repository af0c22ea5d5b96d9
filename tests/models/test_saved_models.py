"""A model folder from anybody: nothing in it runs or opens an address, and what is wrong ends in one named error."""

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.models.answer import Shared
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.encoders import build_pretrained, create_encoder, saved_encoder, saved_inputs
from cross_modal_kd.models.errors import MissingModelError, ModelError
from cross_modal_kd.models.projection import Projection, build_projection, project, projection_bundle, prototypes
from cross_modal_kd.models.store import load_bundle, save_bundle
from cross_modal_kd.models.student import Student, build_student, classifier_logits, own_projection, student_bundle
from cross_modal_kd.training.keys import embedding_fingerprint, run_key
from wild import WILD, places, with_value, without

pytestmark = pytest.mark.usefixtures("no_network")

INPUTS = InputConfig(image={"size": 16}, speech={"sample_rate": 8000, "n_mels": 16})
VGG = EncoderConfig(library="torchvision", name="vgg", options={"channels": [4, 6], "convs": 2})
TIMM = EncoderConfig(library="timm", name="test_resnet", options={"stem_width": 8, "drop_rate": 0.1})
ECAPA = EncoderConfig(
    library="speechbrain",
    name="ECAPA_TDNN",
    options={
        "channels": [8, 8, 8, 8, 24],
        "kernel_sizes": [3, 3, 3, 3, 1],
        "dilations": [1, 2, 3, 4, 1],
        "attention_channels": 4,
        "res2net_scale": 2,
        "se_channels": 4,
        "lin_neurons": 10,
    },
)
CLASSES = list("abcd")
SAMPLES = pd.DataFrame({"sample_id": ["a"], "modality": "image", "text": pd.NA, "sha256": "0" * 64})


def student(encoder: EncoderConfig) -> ModelBundle:
    torch.manual_seed(0)
    moved = projection_bundle(Projection(5, 4, ProjectionConfig(dim=6)), 5, CLASSES)
    return student_bundle(
        Student(encoder, INPUTS, 6), LinearClassifier(4, 6), encoder=encoder, inputs=INPUTS, dim=6, classes=CLASSES,
        projection=moved, shared=Shared("both", torch.randn(4, 6), 8.0),
    )  # fmt: skip


def teacher(encoder: EncoderConfig) -> ModelBundle:
    state = create_encoder(encoder, INPUTS).state_dict() if encoder.library != "sentence_transformers" else {}
    return ModelBundle("pretrained", {"encoder": encoder.model_dump(), "inputs": INPUTS.model_dump()}, state)


MODELS = {
    "projection": lambda: projection_bundle(Projection(5, 4, ProjectionConfig(dim=6)), 5, CLASSES),
    "vgg": lambda: student(VGG),
    "speech": lambda: student(ECAPA),
    "teacher": lambda: teacher(TIMM),
    "texts": lambda: teacher(EncoderConfig(library="sentence_transformers", name="all-MiniLM-L6-v2")),
}


def write(folder: Path, bundle: ModelBundle) -> None:
    """Save a model without its checksums, as somebody does who changes it."""
    save_bundle(folder, bundle)
    (folder / "checksums.json").unlink()


@pytest.fixture
def saved(tmp_path):
    def save(kind: str) -> Path:
        write(tmp_path / kind, MODELS[kind]())
        return tmp_path / kind

    return save


def use(folder: Path) -> ModelBundle:
    """Load a model and do with it whatever the stages do."""
    bundle = load_bundle(folder)
    if bundle.kind == "student":
        build_student(bundle)
        embedding_fingerprint(SAMPLES, bundle, saved_inputs(bundle))
        classifier_logits(bundle, torch.randn(2, bundle.config["dim"]))
        if (moved := own_projection(bundle)) is not None:
            build_projection(moved)
    elif bundle.kind == "projection":
        project(bundle, np.zeros((2, bundle.config["in_dim"]), dtype=np.float32))
        prototypes(bundle)
    else:
        embedding_fingerprint(SAMPLES, bundle, saved_inputs(bundle))
        if saved_encoder(bundle).library != "sentence_transformers":
            build_pretrained(bundle, saved_inputs(bundle))
    run_key("data", model=bundle)
    return bundle


def refused(folder: Path) -> str | None:
    """The message with which the model is refused; None where it is used. Any other error fails the test."""
    try:
        use(folder)
    except ModelError as error:
        assert len(str(error)) < 2000
        assert str(folder) in str(error) or "modules.json is missing" in str(error) or "teacher.encoder" in str(error)
        return str(error)
    return None


@pytest.mark.parametrize("kind", MODELS)
def test_a_whole_model_is_used(saved, kind):
    assert refused(saved(kind)) is None


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("seed", range(2))
def test_a_wild_value_anywhere_ends_in_one_error_that_names_the_file(saved, kind, seed):
    _wild(saved(kind), random.Random(seed), most=80)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_many_wild_values(saved, kind):
    _wild(saved(kind), random.Random(2), most=200)


def _wild(folder: Path, rng: random.Random, most: int) -> None:
    file = folder / "config.json"
    whole = json.loads(file.read_text())
    trials = [(place, value) for place in places(whole) for value in WILD]
    spoilt = [(place, without(whole, place)) for place in places(whole) if place]
    spoilt += [(place, with_value(whole, place, value)) for place, value in trials]
    ended = {True: 0, False: 0}
    for _, content in rng.sample(spoilt, most):
        file.write_text(json.dumps(content), encoding="utf-8", errors="surrogatepass")
        ended[refused(folder) is not None] += 1
    assert ended[True] > 2 * ended[False]


@pytest.mark.parametrize("kind", ["projection", "vgg", "teacher"])
def test_damaged_bytes_end_in_one_error_that_names_the_file(saved, kind):
    folder, rng = saved(kind), random.Random(0)
    for name, count in (("config.json", 60), ("model.safetensors", 60)):
        whole = (folder / name).read_bytes()
        for _ in range(count):
            spoilt = bytearray(whole)
            place = rng.randrange(min(len(spoilt), 3000))
            what = rng.randrange(4)
            if what == 0:
                spoilt[place] = rng.randrange(256)
            elif what == 1:
                del spoilt[place : place + rng.randrange(1, 40)]
            elif what == 2:
                del spoilt[place:]
            else:
                spoilt[:8] = rng.choice([0, 1, 2**63 - 1, 2**64 - 1, len(spoilt)]).to_bytes(8, "little")
            (folder / name).write_bytes(bytes(spoilt))
            refused(folder)
        (folder / name).write_bytes(whole)
    assert refused(folder) is None


HEADERS = [
    *({"dtype": dtype} for dtype in ("F16", "BF16", "I32", "U8", "BOOL", "F8_E4M3", "C64", "U64", "XX", 3, None)),
    *({"shape": shape} for shape in ([], [0], [-1], [10**9, 10**9], [2**63], "x")),
    *({"data_offsets": offsets} for offsets in ([0, 0], [0, 10**12], [5, 1], [-1, 4])),
]


@pytest.mark.parametrize("changed", HEADERS, ids=str)
@pytest.mark.parametrize("kind", ["projection", "vgg", "teacher"])
def test_a_tensor_of_another_kind_is_refused(saved, kind, changed):
    folder = saved(kind)
    content = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    name = next(name for name in header if name.endswith("weight"))
    header[name] |= changed
    new = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(new).to_bytes(8, "little") + new + content[8 + size :])
    assert refused(folder)


@pytest.mark.parametrize("kind", ["projection", "vgg", "speech", "teacher"])
def test_a_tensor_too_many_or_too_few_is_refused_by_its_name(saved, kind):
    folder, whole = saved(kind), MODELS[kind]()
    for name in random.Random(0).sample(sorted(whole.tensors), 5):
        fewer = {key: value for key, value in whole.tensors.items() if key != name}
        write(folder, ModelBundle(whole.kind, whole.config, fewer))
        message = refused(folder)
        assert message, name
        assert any(part in message for part in (name, name.split(".", 1)[-1], "classifier"))
    write(folder, ModelBundle(whole.kind, whole.config, {**whole.tensors, "more": torch.ones(2)}))
    assert "'more' belongs to" in refused(folder)


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("projection", ("in_dim",), 2**31 - 1),
        ("projection", ("projection", "hidden"), 10**9),
        ("projection", ("projection", "dim"), 10**9),
        ("vgg", ("dim",), 2**31 - 1),
        ("vgg", ("encoder", "options", "channels"), [65536] * 60),
        ("vgg", ("encoder", "options", "convs"), 64),
        ("teacher", ("encoder", "options", "stem_width"), 65536),
        ("speech", ("encoder", "options", "channels"), [65536] * 5),
        ("speech", ("encoder", "options", "lin_neurons"), 65536),
    ],
)
def test_sizes_that_are_not_the_tensors_cost_no_memory(saved, monkeypatch, kind, place, value):
    """A layer of 10**9 numbers or more would be 4 GB; every allocation of a tenth of that fails this test."""
    folder = saved(kind)
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(with_value(content, ("config", *place), value)))
    empty = torch.empty

    def small(*size, **how):
        made = empty(*size, **how)
        assert made.device.type == "meta" or made.numel() < 10**8
        return made

    monkeypatch.setattr(torch, "empty", small)
    assert refused(folder)


ATTACKS = {
    "pretrained": True,
    "pretrained_cfg": {"url": "http://127.0.0.1:9/x.pth"},
    "pretrained_cfg_overlay": {"file": "x.safetensors"},
    "checkpoint_path": "x.pth",
    "cache_dir": "here",
    "features_only": True,
    "scriptable": True,
    "act_layer": "os.system",
    "norm_layer": "torch.nn.Module",
    "block": "os.system",
    "device": "cuda",
    "hybrid_backbone": "http://127.0.0.1:9/x",
    "activation": "os.system",
    "freeze": True,
}


@pytest.mark.parametrize("option", ATTACKS)
@pytest.mark.parametrize("kind", ["vgg", "teacher", "speech", "texts"])
def test_an_option_that_is_not_on_the_list_is_refused(saved, kind, option):
    folder = saved(kind)
    content = json.loads((folder / "config.json").read_text())
    content["config"]["encoder"]["options"][option] = ATTACKS[option]
    (folder / "config.json").write_text(json.dumps(content))
    assert option in refused(folder)


@pytest.mark.parametrize("name", ["hf-hub:timm/resnet18", "local-dir:here", "hf_hub:a/b", "resnet18.a1_in1k", "../x"])
def test_a_name_that_is_an_address_is_no_encoder(saved, name):
    folder = saved("teacher")
    content = json.loads((folder / "config.json").read_text())
    content["config"]["encoder"]["name"] = name
    (folder / "config.json").write_text(json.dumps(content))
    assert f"{name!r} is not a timm model" in refused(folder)


def test_pickled_weights_beside_a_model_are_not_read(saved, tmp_path):
    folder = saved("vgg")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    (folder / "modeling.py").write_text("raise SystemExit")
    assert refused(folder) is None
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingModelError, match=r"model\.safetensors is missing"):
        load_bundle(folder)
    assert issubclass(MissingModelError, ModelError) and issubclass(MissingModelError, FileNotFoundError)


@pytest.mark.parametrize("sums", ["[]", "{", '{"model.safetensors": 3}', '{"../x": "0"}', "[" * 100_000])
def test_damaged_checksums_end_in_the_same_error(saved, sums):
    folder = saved("vgg")
    (folder / "checksums.json").write_text(sums)
    assert refused(folder)


def test_inputs_that_a_model_was_not_trained_on_are_not_made_up(saved):
    folder = saved("vgg")
    content = json.loads((folder / "config.json").read_text())
    for inputs in ({}, {"image": {"size": 16}}, {"image": {"size": "16", "channels": 3}}, {"image": {}}):
        content["config"]["inputs"] = inputs
        (folder / "config.json").write_text(json.dumps(content))
        assert "inputs.image must be such as" in refused(folder)


def test_the_catalog_takes_the_kind_of_model_that_the_entry_is_for(saved):
    folder = saved("projection")
    entry = ModelDataset(filepath=str(folder), kinds=["student", "pretrained"])
    with pytest.raises(DatasetError, match="expected a model of kind 'pretrained' or 'student', found 'projection'"):
        entry.load()
    assert ModelDataset(filepath=str(folder), kinds=["projection"]).load().kind == "projection"


def test_only_what_is_pretrained_says_where_weights_lie(tmp_path):
    overlay = {"pretrained_cfg_overlay": {"file": str(tmp_path / "w.safetensors")}}
    encoder = {"library": "timm", "name": "test_resnet", "options": overlay}
    with pytest.raises(
        ValueError, match=r"a student is trained from fresh weights, unless student.pretrained is true; take it out"
    ):
        StudentConfig(encoder=encoder)
    with pytest.raises(ValueError, match=r"teacher\.pretrained: false it is trained from fresh weights"):
        TeacherConfig(encoder=encoder, pretrained=False)
    assert StudentConfig(encoder=encoder, pretrained=True).encoder.fresh_options == {}
    with pytest.raises(ValueError, match="a torchvision encoder brings no weights of its own: student.pretrained"):
        StudentConfig(encoder={"library": "torchvision", "name": "vgg", "options": {"channels": [4]}}, pretrained=True)
    chosen = TeacherConfig(encoder=encoder).encoder
    assert chosen.fresh_options == {}
    with pytest.raises(ValueError, match=r"w\.safetensors is no safetensors file on this machine"):
        create_encoder(chosen, INPUTS, pretrained=True)
    for file in ("x.pth", "http://127.0.0.1:9/x.pth", "", 3):
        with pytest.raises(ValueError, match="pretrained_cfg_overlay.file"):
            EncoderConfig(**encoder | {"options": {"pretrained_cfg_overlay": {"file": file}}})
    for more in ({"url": "http://x"}, {"custom_load": True}, {"hf_hub_id": "a/b"}):
        with pytest.raises(ValueError, match="unknown key"):
            EncoderConfig(**encoder | {"options": {"pretrained_cfg_overlay": {"file": "w.safetensors", **more}}})


def test_an_option_that_a_network_does_not_have_is_named():
    with pytest.raises(ValueError, match=r"encoder.options of 'test_resnet' .timm.: it cannot be built.*embed_dim"):
        create_encoder(EncoderConfig(library="timm", name="test_resnet", options={"embed_dim": 8}), INPUTS)
