"""Speech as speaker recognition trains on it: speeds, rooms, noise, masks, and the networks."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from scipy import signal

from cross_modal_kd.config import EncoderConfig, InputConfig, SourcesConfig
from cross_modal_kd.modalities import load_inputs
from cross_modal_kd.modalities.inputs import Item
from cross_modal_kd.modalities.speech.config import SpecAugment, SpeechAugmentation
from cross_modal_kd.modalities.speech.encoders import masked
from cross_modal_kd.modalities.speech.features import LogMel
from cross_modal_kd.modalities.speech.field import Field, read_response
from cross_modal_kd.models import Student, create_encoder
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.training.sampler import EpochSampler
from cross_modal_kd.training.workers import InputLoader

RATE = 16_000
TONE = 440.0
SPEEDS = (1.0, 0.9, 1.1)


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


@pytest.fixture
def world(tmp_path):
    """Six tones of three speakers, and (folder of MUSAN, of RIRS_NOISES) in their published layouts."""
    rng = np.random.default_rng(0)
    for number in range(6):
        soundfile.write(tmp_path / f"{number}.wav", tone(TONE + 40 * number), RATE)
    musan = {"noise/free-sound/noise-free-sound-0000": 0.5, "music/fma/music-fma-0000": 3, "speech/us-gov/speech-0": 2}
    for name, seconds in musan.items():
        file = tmp_path / "musan" / f"{name}.wav"
        file.parent.mkdir(parents=True)
        soundfile.write(file, rng.uniform(-0.5, 0.5, int(seconds * RATE)), RATE)
        (file.parent / "ANNOTATIONS").write_text("not a sound")
    rirs = tmp_path / "RIRS_NOISES"
    for room in ("smallroom", "mediumroom"):  # the names of files repeat
        file = rirs / "simulated_rirs" / room / "Room001" / "Room001-00001.wav"
        file.parent.mkdir(parents=True)
        soundfile.write(file, [0, 0, 0.5, 0.1], RATE)
    real = rirs / "real_rirs_isotropic_noises"
    real.mkdir()
    soundfile.write(real / "air.wav", np.array([[0.0, 0.9], [0.5, 0.9], [0.25, 0.9]]), RATE)
    soundfile.write(real / "noise.wav", rng.uniform(-0.5, 0.5, 100), RATE)
    (real / "rir_list").write_text("--rir-id 1 --room-id a RIRS_NOISES/real_rirs_isotropic_noises/air.wav\n")
    (rirs / "pointsource_noises").mkdir()
    soundfile.write(rirs / "pointsource_noises" / "noise-free-sound-0000.wav", rng.uniform(-0.5, 0.5, 100), RATE)
    return tmp_path


def read(world, crop_s: float = 1.0, cache_mb: int = 10, **augmentation):
    rows = [
        {"sample_id": str(n), "modality": "speech", "source": "made", "path": f"{n}.wav", "label": str(n // 2)}
        for n in range(6)
    ]
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(world)}}))
    config = InputConfig(speech={"sample_rate": RATE, "crop_s": crop_s, "eval_s": 1.5}, cache_mb=cache_mb)
    inputs = load_inputs("speech", pd.DataFrame(rows).assign(duration_s=2.0), roots, config)
    return inputs.augmented(SpeechAugmentation(**augmentation)) if augmentation else inputs


def loudest(wave) -> float:
    """The frequency of a tone, in Hz."""
    frequency, power = signal.periodogram(np.asarray(wave), RATE, nfft=1 << 18)
    return frequency[power.argmax()]


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_a_variant_is_the_sound_at_its_speed(world, variant):
    inputs = read(world, speeds=SPEEDS, probability=0)
    wave = inputs[Item(2, (0, 0), variant)][1]
    assert len(wave) == RATE
    assert loudest(wave) == pytest.approx((TONE + 80) * SPEEDS[variant], abs=1)


@pytest.mark.parametrize(("speed", "seconds"), [(0.9, 2 / 0.9), (1.1, 2 / 1.1), (0.5, 4)])
def test_a_whole_sound_takes_its_length_by_the_speed(world, speed, seconds):
    """A mark at the end of a sound is heard after T / speed seconds."""
    wave = tone(TONE)
    wave[-400:] = 0.9
    soundfile.write(world / "0.wav", wave, RATE)
    heard = read(world, crop_s=seconds - 0.001, speeds=(1.0, speed), probability=0)[Item(0, (0, 0), 1)][1].numpy()
    first = np.flatnonzero(np.abs(heard) > 0.7)[0]
    assert first / RATE == pytest.approx((2 - 400 / RATE) / speed, abs=0.002)


def test_speeds_are_drawn_evenly_by_the_sampler_and_each_epoch_anew():
    sampler = EpochSampler(torch.zeros(3000), 100, seed=1, variants=3)
    first = {item.row: item.variant for batch in sampler for item in batch}
    counts = Counter(first.values())
    assert set(counts) == {0, 1, 2} and all(900 < count < 1100 for count in counts.values())
    assert [first[row] for row in range(3000)] == sampler.variants().tolist()
    again = {item.row: item.variant for batch in sampler for item in batch}
    sampler.epoch = 1
    other = {item.row: item.variant for batch in sampler for item in batch}
    assert first == again != other


MEASURED = {"noise": {"noise": (3.0, 3.0)}, "music": {"music": (7.0, 7.0)}, "babble": {"babble": (11.0, 11.0)}}


@pytest.mark.parametrize("kind", MEASURED)
@pytest.mark.parametrize("own", [False, True], ids=["musan", "of the data"])
def test_the_ratio_of_sound_and_noise_is_the_one_asked_for(world, kind, own):
    if own and kind == "music":
        pytest.skip("no music is made of the data")
    config = SpeechAugmentation(probability=1, rooms=0, musan=None if own else str(world / "musan"), **MEASURED[kind])
    field = Field.of(config, RATE)
    field = replace(field, sounds={} if own else {kind: field.sounds[kind]})
    wave = (0.1 * tone(TONE)).astype(np.float32)
    wanted, found = MEASURED[kind][kind][0], []
    for seed in range(8):
        noisy = field(wave, np.random.default_rng(seed), lambda rng: rng.uniform(-1, 1, len(wave)).astype(np.float32))
        found.append(10 * np.log10(np.mean(wave**2) / np.mean((noisy - wave) ** 2)))
    assert min(abs(each - wanted) for each in found) < 0.1
    if not own:
        assert found == pytest.approx([wanted] * 8, abs=0.1)


def test_musan_in_pieces_of_five_seconds_is_musan(world):
    whole = world / "musan"
    for file in sorted(whole.rglob("*.wav")):
        piece = world / "musan_split" / file.relative_to(whole).with_suffix("") / "00000.wav"
        piece.parent.mkdir(parents=True)
        piece.write_bytes(file.read_bytes())
    sounds = Field.of(SpeechAugmentation(musan=str(world / "musan_split")), RATE).sounds
    assert [file.removeprefix(f"{world}/musan_split/") for files in sounds.values() for file in files] == [
        "noise/free-sound/noise-free-sound-0000/00000.wav",
        "music/fma/music-fma-0000/00000.wav",
        "speech/us-gov/speech-0/00000.wav",
    ]


def test_rooms_are_those_of_the_lists_by_their_whole_paths(world):
    rirs = world / "RIRS_NOISES"
    field = Field.of(SpeechAugmentation(rirs=str(rirs)), RATE)
    assert [file.removeprefix(f"{rirs}/") for file in field.rooms] == [
        "real_rirs_isotropic_noises/air.wav",
        "simulated_rirs/mediumroom/Room001/Room001-00001.wav",
        "simulated_rirs/smallroom/Room001/Room001-00001.wav",
    ]


def test_of_several_channels_the_first_is_taken_from_the_direct_sound_on(world):
    response = read_response(world / "RIRS_NOISES" / "real_rirs_isotropic_noises" / "air.wav", RATE)
    assert response == pytest.approx([1, 0.5], abs=1e-3)


def test_a_room_is_a_convolution_that_keeps_the_power(world):
    config = SpeechAugmentation(probability=1, rooms=1, rirs=str(world / "RIRS_NOISES"))
    field = replace(Field.of(config, RATE), rooms=[str(world / "RIRS_NOISES/real_rirs_isotropic_noises/air.wav")])
    wave = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    heard = field(wave, np.random.default_rng(0), None)
    expected = np.convolve(wave, [1, 0.5])[:RATE]
    expected *= np.sqrt(np.mean(wave**2) / np.mean(expected**2))
    assert heard == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("lacking", ["musan", "rirs"])
def test_a_folder_without_what_is_expected_is_refused(world, lacking):
    (world / "empty").mkdir()
    with pytest.raises(SamplesError, match=rf"augmentation.speech.{lacking}: there is no .* under .*empty"):
        read(world, **{lacking: str(world / "empty")})
    said = list(SpeechAugmentation(**{lacking: str(world / "gone")}).misfits({}))
    assert len(said) == 1 and f"augmentation.speech.{lacking}: there is no folder" in said[0]


def everything(world, **more):
    return read(
        world,
        speeds=SPEEDS,
        probability=0.9,
        musan=str(world / "musan"),
        rirs=str(world / "RIRS_NOISES"),
        **more,
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_crops_are_the_same_in_any_process_and_whatever_is_kept(world, workers):
    def epoch(inputs, workers):
        sampler = EpochSampler(torch.arange(6) // 2, 3, seed=5, variants=inputs.variants)
        sampler.epoch = 2
        loader = InputLoader(inputs, sampler, workers)
        try:
            return [each for _, each in loader]
        finally:
            loader.close()

    kept, read_anew = everything(world), everything(world, cache_mb=0)
    assert kept.variants == 3 and not kept.kept
    for one, other in zip(epoch(kept, 0), epoch(read_anew, workers), strict=True):
        assert torch.equal(one, other)


def test_evaluation_hears_the_sound_itself_and_draws_differ(world):
    plain, changed = read(world), everything(world)
    assert torch.equal(plain[Item(3)][1], changed[Item(3)][1])
    one, other = changed[Item(3, (0, 0))][1], changed[Item(3, (0, 1))][1]
    assert not torch.equal(one, other)


def test_longer_crops_have_no_other_speeds(world):
    longer = everything(world).longer(1.75)
    assert longer.variants == 1 and len(longer[Item(0, (0, 0))][1]) == 1.75 * RATE
    assert len(everything(world)[Item(0, (0, 0))][1]) == RATE


def test_features_have_eighty_bands_of_mean_zero_in_every_sound():
    waves = torch.randn(3, 2 * RATE) * torch.tensor([[0.01], [0.1], [0.3]])
    features = LogMel(RATE, 80)(waves)
    assert features.shape == (3, 201, 80)
    assert features.mean(dim=1).abs().max() < 1e-4
    torch.testing.assert_close(features[1], LogMel(RATE, 80)(waves[1:2])[0])


def test_masks_lie_over_a_band_and_a_stretch_no_wider_than_said():
    torch.manual_seed(0)
    features = torch.rand(200, 100, 80) + 1
    found = masked(features, SpecAugment(bands=8, frames=10, probability=0.5)) == 0
    bands, frames = found.all(dim=1).sum(dim=1), found.all(dim=2).sum(dim=1)
    assert bands.max() == 8 and frames.max() == 10
    assert 0.3 < found.any(dim=2).any(dim=1).float().mean() < 0.6
    kept = ~found
    assert torch.equal(masked(features, SpecAugment(probability=0)), features)
    assert kept.float().mean() > 0.8


def encoder(library: str, name: str, **options):
    speech = InputConfig(speech={"n_mels": 80})
    return EncoderConfig(library=library, name=name, options=options), speech


def test_masks_are_of_training_alone_and_the_same_for_a_seed():
    network = create_encoder(*encoder("tstp", "ResNet18", channels=2))
    network.augment_features(SpeechAugmentation(spec_augment={"probability": 1}))
    waves = torch.randn(4, RATE)
    heard = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        heard.append(network.heard(waves))
    assert torch.equal(heard[0], heard[1]) and not torch.equal(heard[0], heard[2])
    assert torch.equal(network.eval().heard(waves), network.features(waves))


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_resnet34_is_the_published_one():
    """6.34 million parameters with an embedding of 192 (README of 3D-Speaker's VoxCeleb recipe)."""
    config, inputs = encoder("tstp", "ResNet34")
    network = Student(config, inputs, 192)
    assert network.encoder.num_features == 5120
    assert count(network) == pytest.approx(6.34e6, rel=0.01)
    plain = count(network.encoder) - 2 * 32 - 9 * 32
    blocks, before = 0, 32
    for channels, depth in zip((32, 64, 128, 256), (3, 4, 6, 3), strict=True):
        blocks += depth * (2 * 9 * channels**2 + 4 * channels) - 9 * (channels - before) * channels
        blocks += (before * channels + 2 * channels) * (channels != before)
        before = channels
    assert plain == blocks


def test_the_statistics_are_mean_and_deviation_of_every_channel_and_band():
    network = create_encoder(*encoder("tstp", "ResNet18", channels=2)).eval()
    waves = torch.randn(2, RATE)
    features = network.features(waves).transpose(1, 2)[:, None]
    frames = network.stages(network.stem(features)).reshape(2, -1, 13).double()
    expected = torch.cat([frames.mean(2), frames.std(2, unbiased=False)], dim=1)
    torch.testing.assert_close(network(waves).double(), expected, atol=1e-3, rtol=1e-3)
    assert network(torch.randn(2, 3333)).shape == (2, network.num_features)


@pytest.mark.parametrize(("channels", "millions"), [(512, 6.2), (1024, 14.7)])
def test_ecapa_has_the_published_sizes(channels, millions):
    """Table 1 of Desplanques et al., "ECAPA-TDNN", Interspeech 2020."""
    options = {"channels": [*[channels] * 4, 1536], "attention_channels": 128, "lin_neurons": 192}
    config, inputs = encoder("speechbrain", "ECAPA_TDNN", **options)
    with torch.device("meta"):
        network = create_encoder(config, inputs)
    assert count(network) / 1e6 == pytest.approx(millions, rel=0.02)
