"""A student that starts from pretrained weights: what it starts from, which layers learn, and at what rate."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.nn.modules.batchnorm import _BatchNorm

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.models import Student
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from training_toys import CLASSES, CONFIG, data, norm_metric, objective, train, weights_of

SCALING = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
INPUTS = InputConfig(image={"size": 16, **SCALING})


@pytest.fixture
def encoder(tmp_path) -> EncoderConfig:
    torch.manual_seed(11)
    weights = timm.create_model("test_resnet").state_dict()
    save_file(weights, tmp_path / "weights.safetensors")
    overlay = {"file": str(tmp_path / "weights.safetensors")}
    return EncoderConfig(library="timm", name="test_resnet", options={"pretrained_cfg_overlay": overlay})


class Pictures(Inputs):
    def __init__(self, count: int) -> None:
        self.sample_ids = [str(number) for number in range(count)]

    def __getitems__(self, items):
        rows = [np.random.default_rng(item.row).integers(0, 256, (3, 16, 16), dtype=np.uint8) for item in items]
        return torch.tensor([item.row for item in items]), torch.from_numpy(np.stack(rows))


def made(encoder: EncoderConfig) -> DistillationModule:
    torch.manual_seed(0)
    return DistillationModule(
        Student(encoder, INPUTS, 8, pretrained=True), LinearClassifier(CLASSES, 8), objective(), None
    )


def pictures() -> TrainingData:
    plain = data(teacher=False)
    return TrainingData(Pictures(len(plain.labels)), plain.labels, plain.task_weights, plain.kd_weights)


def test_a_student_starts_from_the_weights_of_a_file(encoder):
    torch.manual_seed(11)
    expected = timm.create_model("test_resnet").state_dict()
    found = made(encoder).student.encoder.network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


CLIP = {"embed_dim": 32, "depth": 2, "num_heads": 2, "img_size": 32}
OF_OPEN_CLIP = {
    "blocks.": "transformer.resblocks.", "norm1": "ln_1", "norm2": "ln_2", "attn.qkv.": "attn.in_proj_",
    "attn.proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj", "norm_pre": "ln_pre",
    "patch_embed.proj": "conv1", "cls_token": "class_embedding", "pos_embed": "positional_embedding",
}  # fmt: skip
"""timm's names of a CLIP's image tower, and those that open_clip's files have."""


def test_a_file_of_open_clips_both_towers_is_taken_as_it_is(tmp_path):
    torch.manual_seed(3)
    tower = timm.create_model("vit_base_patch32_clip_224", num_classes=0, **CLIP)
    saved = {
        "visual.proj": torch.randn(32, 16),
        "logit_scale": torch.ones(1),
        "token_embedding.weight": torch.ones(5, 16),
    }
    for name, value in tower.state_dict().items():
        for ours, theirs in OF_OPEN_CLIP.items():
            name = name.replace(ours, theirs)
        shape = value.shape[name in ("class_embedding", "positional_embedding") :]
        shape = shape[1:] if name == "class_embedding" else shape
        saved[f"visual.{'ln_post' + name[4:] if name.startswith('norm.') else name}"] = value.reshape(shape).clone()
    save_file(saved, tmp_path / "open_clip_model.safetensors")
    options = {**CLIP, "pretrained_cfg_overlay": {"file": str(tmp_path / "open_clip_model.safetensors")}}
    config = EncoderConfig(library="timm", name="vit_base_patch32_clip_224", options=options)
    network = Student(config, InputConfig(image={"size": 32, **SCALING}), 8, pretrained=True).encoder.network
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(network.eval()(images), tower.eval()(images))


def test_images_are_scaled_as_pretrained_weights_want_them(encoder):
    student = made(encoder).student.eval()
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    seen = []
    student.encoder.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    student(images)
    channels = zip(SCALING["mean"], SCALING["std"], strict=True)
    expected = [(images[:, c] / 255 - mean) / std for c, (mean, std) in enumerate(channels)]
    torch.testing.assert_close(seen[0], torch.stack(expected, dim=1))
    assert not any("mean" in name and "running" not in name for name in student.encoder.state_dict())
    with pytest.raises(ValueError, match="mean: expected a number for each of 3 channels, found 1"):
        InputConfig(image={"mean": [0.5], "std": [0.5]})
    assert "mean" not in InputConfig().model_dump()["image"]


def test_every_layer_learns_at_its_own_rate(encoder):
    config = CONFIG.model_copy(update={"layer_decay": 0.5, "schedule": "exponential", "lr": 0.1, "final_lr": 0.1})
    running = set_up(made(encoder), pictures(), Plan(config, norm_metric()), make_fabric(config))
    layers, module = running.module.student.encoder.layer_names(), running.module
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    rates = {
        names[id(parameter)]: group["lr"] for group in running.optimizer.param_groups for parameter in group["params"]
    }
    assert set(rates) == {name for name, _ in module.named_parameters()}
    for number, layer in enumerate(layers):
        for name in layer:
            assert rates[f"student.encoder.{name}"] == pytest.approx(0.1 * 0.5 ** (len(layers) - number))
    assert rates["student.embedding.1.weight"] == rates["classifier.weight"] == 0.1
    assert "network.conv1.weight" in layers[0] or "network.conv1.0.weight" in layers[0]
    assert sorted(sum(layers, [])) == sorted(name for name, _ in module.student.encoder.named_parameters())


def test_frozen_layers_stay_with_the_statistics_of_their_norms(encoder):
    module = made(encoder)
    before, layers = weights_of(module), module.student.encoder.layer_names()
    constant = DevMetric("score", lambda student: 0.5, True)
    train(module, pictures(), CONFIG.model_copy(update={"frozen": 2, "keep": "last"}), constant)
    after = weights_of(module)
    kept = {f"student.encoder.{name}" for layer in layers[:2] for name in layer}
    norms = [
        f"student.encoder.{name}"
        for name, layer in module.student.encoder.named_modules()
        if isinstance(layer, _BatchNorm)
    ]
    for norm in norms:
        same = torch.equal(before[f"{norm}.running_mean"], after[f"{norm}.running_mean"])
        assert same == (f"{norm}.weight" in kept)
    for name, _ in module.named_parameters():
        assert torch.equal(before[name], after[name]) == (name in kept)
    with pytest.raises(ValueError, match=r"training.frozen: the encoder has \d+ layers, found 99"):
        train(made(encoder), pictures(), CONFIG.model_copy(update={"frozen": 99}))
