"""Mel features as toolkits have them, against the toolkits' own code."""

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
