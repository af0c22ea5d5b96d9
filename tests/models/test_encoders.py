"""Encoders by name."""

import pytest
import torch

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.modalities.speech.features import LogMel
from cross_modal_kd.models.encoders import create_encoder

INPUTS = InputConfig(image={"size": 16, "channels": 1}, speech={"sample_rate": 8000, "n_mels": 16})
ECAPA = {
    "channels": [8, 8, 8, 8, 24],
    "kernel_sizes": [3, 3, 3, 3, 1],
    "dilations": [1, 2, 3, 4, 1],
    "attention_channels": 4,
    "res2net_scale": 2,
    "se_channels": 4,
    "lin_neurons": 10,
}


def test_an_image_encoder_takes_bytes_and_gives_its_features():
    encoder = create_encoder(EncoderConfig(library="timm", name="test_resnet"), INPUTS).eval()
    features = encoder(torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8))
    assert features.shape == (3, encoder.num_features)
    assert features.dtype == torch.float32


@pytest.mark.parametrize(("name", "options"), [("ECAPA_TDNN", ECAPA), ("ResNet", {"lin_neurons": 10})])
def test_a_speech_encoder_takes_waveforms_of_any_length(name, options):
    encoder = create_encoder(EncoderConfig(library="speechbrain", name=name, options=options), INPUTS).eval()
    assert encoder.num_features == 10
    for length in (8000, 12000):
        assert encoder(torch.randn(2, length)).shape == (2, 10)


def test_log_mel_has_a_frame_every_ten_milliseconds_and_no_level():
    features = LogMel(8000, 16)
    wave = 0.1 * torch.randn(1, 8000)
    assert features(wave).shape == (1, 101, 16)
    torch.testing.assert_close(features(wave), features(5 * wave), atol=0.02, rtol=0)
    torch.testing.assert_close(features(wave).mean(dim=1), torch.zeros(1, 16), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 19)])
def test_a_vgg_of_torchvision_takes_grey_and_colour_of_any_size(channels, size):
    inputs = InputConfig(image={"size": size, "channels": channels})
    config = EncoderConfig(library="torchvision", name="vgg", options={"channels": [4, 6], "convs": 2})
    encoder = create_encoder(config, inputs).eval()
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in encoder.modules()) == 4
    features = encoder(torch.randint(0, 256, (3, channels, size, size), dtype=torch.uint8))
    assert features.shape == (3, 6) == (3, encoder.num_features)


def test_log_mel_features_are_not_rounded_to_bf16():
    features, wave = LogMel(16000, 16), torch.randn(2, 8000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = features(wave)
    torch.testing.assert_close(under_autocast, features(wave), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("library", "name", "message"),
    [
        ("timm", "resnet10x", r"'resnet10x' is not a timm model; near it: .*resnet10t"),
        ("timm", "qqq", r"'qqq' is not a timm model; near it: nothing"),
        ("speechbrain", "ECAPA", r"'ECAPA' is not known for speechbrain; expected one of: \['ECAPA_TDNN', 'ResNet'\]"),
        (
            "sentence_transformers",
            "all-MiniLM-L6-v2",
            "is used pretrained and frozen only.*timm, torchvision, speechbrain",
        ),
        ("torchvision", "resnet18", r"'resnet18' is not known for torchvision; expected one of: \['vgg'\]"),
        ("torchvision", "vgg", "options of 'vgg' .torchvision.: channels: missing"),
    ],
)
def test_an_unknown_name_lists_what_there_is(library, name, message):
    with pytest.raises(ValueError, match=message):
        create_encoder(EncoderConfig(library=library, name=name), INPUTS)
