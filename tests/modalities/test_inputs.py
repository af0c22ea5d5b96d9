"""Inputs and their augmentation: the same numbers whatever the cache, the batch or the order."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from PIL import Image

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.modalities.inputs import Item, augmentation, load_inputs
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.roots import Roots

RATE = 8000
SECONDS = [0.3, 1.0, 2.5, 0.7]


@pytest.fixture
def roots(tmp_path):
    rng = np.random.default_rng(0)
    for number, seconds in enumerate(SECONDS):
        pixels = rng.integers(0, 256, (20 + number, 15, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        soundfile.write(tmp_path / f"{number}.wav", rng.uniform(-0.5, 0.5, int(seconds * RATE)), RATE)
    return Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))


def table(modality: str) -> pd.DataFrame:
    ending = {"image": "png", "speech": "wav"}.get(modality, "txt")
    rows = [
        {"sample_id": str(number), "modality": modality, "source": "made", "path": f"{number}.{ending}"}
        for number in range(len(SECONDS))
    ]
    return pd.DataFrame(rows).assign(duration_s=SECONDS)


def load(modality: str, roots: Roots, cache_mb: int = 10, **image):
    speech = {"sample_rate": RATE, "crop_s": 0.5, "eval_s": 1.5}
    return load_inputs(modality, table(modality), roots, InputConfig(image=image, speech=speech, cache_mb=cache_mb))


def items(indices: list[int], draw: tuple[int, int] | None = None) -> list[Item]:
    return [Item(index, draw) for index in indices]


@pytest.mark.parametrize("modality", ["image", "speech"])
def test_cached_and_uncached_inputs_are_the_same(modality, roots):
    cached, uncached = load(modality, roots), load(modality, roots, cache_mb=0)
    assert cached._cache is not None and uncached._cache is None
    for draw in (None, (1, 0), (1, 3)):
        (indices, one), (_, other) = (inputs.__getitems__(items([2, 0, 3], draw)) for inputs in (cached, uncached))
        assert indices.tolist() == [2, 0, 3]
        assert torch.equal(one, other)


FORMATS = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "24.wav": {"format": "WAV", "subtype": "PCM_24"},
    "law.wav": {"format": "WAV", "subtype": "ULAW"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
    "float.wav": {"format": "WAV", "subtype": "FLOAT"},
    "adpcm.wav": {"format": "WAV", "subtype": "IMA_ADPCM"},
}
EXACT = ("wav", "24.wav", "law.wav", "flac", "aiff")


@pytest.mark.parametrize("rate", [16000, 8000])
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_crop_that_is_read_alone_is_that_of_the_whole(ending, channels, rate, tmp_path, monkeypatch):
    if channels > 2 and ending in ("mp3", "adpcm.wav"):
        pytest.skip("no such sounds")
    whole = np.clip(0.3 * np.random.default_rng(0).normal(size=(5 * 16000 + 37, channels)), -1, 1)
    soundfile.write(tmp_path / f"0.{ending}", whole, 16000, **FORMATS[ending])
    frames = soundfile.info(tmp_path / f"0.{ending}").frames
    row = {
        "sample_id": "0",
        "modality": "speech",
        "source": "made",
        "path": f"0.{ending}",
        "duration_s": frames / 16000,
    }
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))
    speech = {"sample_rate": rate, "crop_s": 0.5, "eval_s": 1.5}
    cached, uncached = (
        load_inputs("speech", pd.DataFrame([row]), roots, InputConfig(speech=speech, cache_mb=mb)) for mb in (10, 0)
    )
    decoded = []
    read = soundfile.SoundFile.read

    def counting(file, *given, **options):
        block = read(file, *given, **options)
        decoded.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    draws = [None, *((0, epoch) for epoch in range(8))]
    crops = [uncached[Item(0, draw)][1] for draw in draws]
    if ending in EXACT and rate == 16000:
        assert sum(decoded) == 24000 + 8 * 8000
    else:
        assert sum(decoded) >= 9 * frames
    for draw, crop in zip(draws, crops, strict=True):
        assert torch.equal(crop, cached[Item(0, draw)][1])


def test_a_file_that_became_shorter_is_read_whole(tmp_path):
    soundfile.write(tmp_path / "0.wav", np.linspace(-0.5, 0.5, 12000), RATE)
    row = {"sample_id": "0", "modality": "speech", "source": "made", "path": "0.wav", "duration_s": 2.0}
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))
    speech = {"sample_rate": RATE, "crop_s": 0.5, "eval_s": 1.5}
    kept, read = (
        load_inputs("speech", pd.DataFrame([row]), roots, InputConfig(speech=speech, cache_mb=mb)) for mb in (10, 0)
    )
    assert all(torch.equal(kept[Item(0, (0, epoch))][1], read[Item(0, (0, epoch))][1]) for epoch in range(5))


def test_the_budget_decides_what_is_kept(roots):
    for cache_mb in (10, 0):
        for modality, size in (("image", 4 * 32 * 32 * 3), ("speech", int(sum(SECONDS) * RATE) * 2)):
            inputs = load(modality, roots, cache_mb)
            assert inputs.kept == bool(cache_mb) and inputs.size_bytes == size


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_bytes_of_one_size(channels, roots):
    inputs = load("image", roots, size=16, channels=channels)
    _, batch = inputs.__getitems__(items([0, 1]))
    assert batch.shape == (2, channels, 16, 16) and batch.dtype == torch.uint8
    index, image = inputs[Item(1)]
    assert index == 1 and torch.equal(image, batch[1])
    assert list(inputs.sample_ids) == ["0", "1", "2", "3"]


def test_an_image_shrinks_to_the_means_of_its_areas(tmp_path, roots):
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[:, :16] = 200
    Image.fromarray(pixels).save(tmp_path / "0.png")
    _, image = load("image", roots, size=8)[Item(0)]
    assert (image[:, :, :4] == 200).all() and (image[:, :, 4:] == 0).all()


def test_a_crop_is_fixed_by_seed_epoch_and_index_and_not_by_its_batch(roots):
    inputs = load("speech", roots)

    def crops(seed, epoch, indices):
        return dict(zip(indices, inputs.__getitems__(items(indices, (seed, epoch)))[1], strict=True))

    forwards, backwards, alone = crops(0, 4, [1, 2, 3]), crops(0, 4, [3, 2, 1]), crops(0, 4, [2])
    assert all(torch.equal(forwards[index], backwards[index]) for index in forwards)
    assert torch.equal(forwards[2], alone[2])
    assert not torch.equal(crops(0, 5, [2])[2], alone[2])
    assert not torch.equal(crops(1, 4, [2])[2], alone[2])


def test_a_crop_is_a_piece_of_its_sound_and_every_place_is_reached(roots):
    inputs = load("speech", roots)
    whole = inputs._cache[1].astype(np.float32) / 32767
    starts = set()
    for epoch in range(60):
        crop = inputs[Item(1, (0, epoch))][1].numpy()
        found = [
            start for start in np.flatnonzero(whole == crop[0]) if np.array_equal(whole[start:][: len(crop)], crop)
        ]
        starts.update(found)
        assert found
    assert min(starts) < 400 and max(starts) > 3600


def test_evaluation_hears_the_beginning_and_short_sounds_are_repeated(roots):
    inputs = load("speech", roots)
    _, batch = inputs.__getitems__(items([0, 1, 2]))
    assert batch.shape == (3, int(1.5 * RATE)) and batch.abs().max() <= 1
    length = int(0.3 * RATE)
    assert torch.equal(batch[0, :length], batch[0, length : 2 * length])
    np.testing.assert_allclose(batch[2].numpy(), inputs._cache[2][: int(1.5 * RATE)] / 32767, rtol=1e-6)


def test_a_file_that_breaks_later_is_named(tmp_path, roots):
    inputs = load("image", roots, cache_mb=0)
    (tmp_path / "2.png").write_bytes(b"gone")
    with pytest.raises(UnreadableSampleError, match=r"2\.png"):
        inputs[Item(2)]


@pytest.mark.parametrize(("modality", "file"), [("image", "2.png"), ("speech", "2.wav")])
def test_a_file_that_is_damaged_before_it_is_kept_in_memory_is_named_with_what_to_do(tmp_path, roots, modality, file):
    (tmp_path / file).write_bytes(b"damaged")
    with pytest.raises(SamplesError, match=rf"^{file}: not a readable .*It could be read when .* restore it and run"):
        load(modality, roots)


def test_what_cannot_be_read_as_tensors_is_told(roots):
    with pytest.raises(SamplesError, match="no sample of modality 'speech' to read"):
        load_inputs("speech", table("image"), roots, InputConfig())
    text = modality_of("text")
    with pytest.raises(SamplesError, match="modality 'text' are not read as tensors: only frozen encoders"):
        super(type(text), text).load(table("text"), roots, InputConfig())
    with pytest.raises(ValueError, match="unknown modality 'smell'; there are: image, speech, text"):
        augmentation("smell")


def batch(modality: str) -> torch.Tensor:
    torch.manual_seed(0)
    if modality == "image":
        return torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8)
    return (0.4 * torch.randn(6, 4000)).clamp(-1, 1)


@pytest.mark.parametrize("modality", ["image", "speech"])
def test_augmentation_is_decided_by_its_generator_and_keeps_shape_and_range(modality):
    inputs, low, high = batch(modality), *((0, 255) if modality == "image" else (-1, 1))
    augment, before = augmentation(modality), batch(modality)
    one, again, other = (augment(inputs, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.shape == inputs.shape and one.is_floating_point()
    assert one.min() >= low and one.max() <= high
    assert torch.isfinite(one).all()
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("modality", ["image", "speech"])
def test_augmentation_leaves_torchs_own_generator_alone(modality):
    inputs, state = batch(modality), torch.get_rng_state()
    augmentation(modality)(inputs, torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_moved_into_an_image_is_white():
    white = torch.full((8, 3, 16, 16), 255, dtype=torch.uint8)
    torch.testing.assert_close(augmentation("image")(white, torch.Generator().manual_seed(0)), white.float())


def test_silence_stays_finite():
    quiet = augmentation("speech")(torch.zeros(4, 1000), torch.Generator().manual_seed(0))
    assert (quiet == 0).all()


def test_noise_has_the_level_that_is_promised():
    tone = 0.05 * torch.sin(torch.arange(16000) / 5).expand(200, -1)
    changed = augmentation("speech")(tone, torch.Generator().manual_seed(0))
    gain = (changed * tone).sum(1) / (tone * tone).sum(1)
    noise = changed / gain[:, None] - tone
    snr = 10 * torch.log10(tone.square().mean(1) / noise.square().mean(1))
    noisy = snr < 60
    assert 0.35 < noisy.float().mean() < 0.65
    assert snr[noisy].min() > 4 and snr[noisy].max() < 26
    assert 20 * gain.log10().abs().max() < 7


@pytest.mark.parametrize("size", [(1, 9), (9, 1)])
def test_an_image_one_pixel_wide_keeps_its_colours(size, tmp_path, roots):
    Image.new("RGB", size, (200, 100, 0)).save(tmp_path / "0.png")
    _, image = load("image", roots, size=8)[Item(0)]
    assert image[:, 0, 0].tolist() == [200, 100, 0] and (image == image[:, :1, :1]).all()
