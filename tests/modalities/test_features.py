"""Mel features as toolkits have them, against the toolkits' own code."""

import subprocess
import sys

import pytest
import torch

from cross_modal_kd.modalities.speech.features import FEATURES


def waves(count: int = 3, length: int = 16_000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    loudness = torch.tensor([0.001, 0.1, 0.7])[:count, None]
    return torch.randn(count, length, generator=generator).clamp(-1.4, 1.4) * loudness


@pytest.mark.parametrize(("rate", "bands"), [(16_000, 80), (8_000, 40)])
def test_kaldis_filter_bank_is_torchaudios_of_every_sound(rate, bands):
    from torchaudio.compliance.kaldi import fbank

    sounds = waves(length=rate // 2 + 77)
    found = FEATURES["kaldi"](rate, bands)(sounds)
    for sound, features in zip(sounds, found, strict=True):
        own = fbank(sound[None] * 32768, num_mel_bins=bands, sample_frequency=rate, window_type="hamming", dither=0.0)
        torch.testing.assert_close(features, own - own.mean(dim=0), rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("dither", [1.0, 30.0])
def test_dither_is_kaldis_drawn_by_torchs_generator_and_of_training_alone(dither):
    from torchaudio.compliance.kaldi import fbank

    sound, features = waves(1), FEATURES["kaldi"](16_000, 80)
    plain = features.eval()(sound)
    features.dither = dither
    assert torch.equal(features(sound), plain)
    features.train()
    torch.manual_seed(3)
    found = features(sound)[0]
    torch.manual_seed(3)
    own = fbank(sound * 32768, num_mel_bins=80, window_type="hamming", dither=dither)
    torch.testing.assert_close(found, own - own.mean(dim=0), rtol=1e-4, atol=2e-3)
    assert float((found - plain[0]).abs().max()) > 0.05
    assert not features.state_dict()


def test_an_outline_leaves_torchaudios_own_filter_bank_as_it_is(monkeypatch):
    monkeypatch.delitem(sys.modules, "torchaudio.compliance.kaldi", raising=False)
    with torch.device("meta"):
        FEATURES["kaldi"](16_000, 80)
    assert sys.modules["torchaudio.compliance.kaldi"].EPSILON.device.type == "cpu"


OUTLINED = """
import sys
import torch
import cross_modal_kd.modalities
from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.models import create_encoder

with torch.device("meta"):
    options = {"features": sys.argv[1]}
    create_encoder(EncoderConfig(library="speechbrain", name="ECAPA_TDNN", options=options), InputConfig())
modules = [module for module in list(sys.modules.values()) if isinstance(getattr(module, "__dict__", None), dict)]
held = [(module.__name__, *each) for module in modules for each in list(vars(module).items())]
print([(module, name) for module, name, each in held if type(each) is torch.Tensor and each.is_meta])
"""


@pytest.mark.slow
@pytest.mark.parametrize("features", sorted(FEATURES))
def test_a_package_that_an_outline_imports_first_keeps_its_numbers(features):
    done = subprocess.run([sys.executable, "-c", OUTLINED, features], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_encoder_has_the_dither_of_its_training():
    from cross_modal_kd.config import EncoderConfig, InputConfig
    from cross_modal_kd.modalities.speech.config import SpeechAugmentation
    from cross_modal_kd.models import create_encoder

    inputs = InputConfig(speech={"n_mels": 16})

    def made(**options):
        return create_encoder(
            EncoderConfig(library="tstp", name="ResNet18", options={"channels": 2, **options}), inputs
        )

    network = made(features="kaldi")
    undithered = network.heard(waves())
    network.augment_features(SpeechAugmentation(dither=1.0))
    heard = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        heard.append(network.heard(waves()))
    assert torch.equal(heard[0], heard[1]) and not torch.equal(heard[0], heard[2])
    assert torch.equal(network.eval().heard(waves()), undithered)
    network.train().augment_features(SpeechAugmentation())
    assert torch.equal(network.heard(waves()), undithered)
    made().augment_features(SpeechAugmentation())
    with pytest.raises(ValueError, match="dither is 1: it is of Kaldi's filter bank, and the encoder hears log_mel"):
        made().augment_features(SpeechAugmentation(dither=1.0))


@pytest.mark.parametrize(
    ("student", "refused"),
    [
        ({"encoder": {"library": "tstp", "name": "ResNet18", "options": {"features": "kaldi"}}}, False),
        ({"encoder": {"library": "tstp", "name": "ResNet18"}}, True),
        ({"encoder": {"library": "transformers", "name": "wavlm"}}, True),
        ({"encoder": {"library": "tstp", "name": "ResNet18"}, "pretrained": "/models/of_wespeaker"}, False),
    ],
)
def test_dither_for_other_features_is_refused_before_a_run(student, refused):
    from cross_modal_kd.config import StudentConfig
    from cross_modal_kd.modalities.speech.config import SpeechAugmentation

    blocks = {"student": StudentConfig(**student)}
    assert not list(SpeechAugmentation().misfits(blocks))
    said = list(SpeechAugmentation(dither=1.0).misfits(blocks))
    assert len(said) == refused and all("set encoder.options.features: kaldi" in each for each in said)


def test_a_block_without_dither_has_the_run_key_that_it_had():
    from cross_modal_kd.modalities.speech.config import SpeechAugmentation

    assert "dither" not in SpeechAugmentation().model_dump()
    assert SpeechAugmentation(dither=1.0).model_dump()["dither"] == 1.0


def test_speechbrains_filter_bank_is_its_own_less_the_mean():
    from speechbrain.lobes.features import Fbank
    from speechbrain.processing.features import InputNormalization

    sounds = waves()
    sounds[2, 4000:] = 0  # below the floor of 80 dB under its beginning
    norm = InputNormalization(norm_type="sentence", std_norm=False)
    expected = norm(Fbank(n_mels=80)(sounds), torch.ones(len(sounds)))
    torch.testing.assert_close(FEATURES["speechbrain"](16_000, 80)(sounds), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FEATURES)
def test_features_are_in_float32_of_mean_zero_and_no_part_of_a_saved_model_but_for_our_own(name):
    features = FEATURES[name](16_000, 24)
    with torch.autocast("cpu", torch.bfloat16):
        found = features(waves())
    assert found.dtype == torch.float32 and found.shape[2] == 24
    torch.testing.assert_close(found, features(waves()))
    assert float(found.mean(dim=1).abs().max()) < 1e-3
    assert bool(features.state_dict()) == (name == "log_mel")
