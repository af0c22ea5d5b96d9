"""Sounds of any length, rate and number format: what is read of them, and how much memory that takes."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import soundfile

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import IngestionConfig, SourcesConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.modalities.inputs import Item, load_inputs
from cross_modal_kd.modalities.speech import read as reading
from cross_modal_kd.modalities.speech import vad
from cross_modal_kd.modalities.speech.quality import active_speech_s
from cross_modal_kd.modalities.speech.read import decode_speech, examine_speech, read_crop, read_speech, resample
from cross_modal_kd.samples.errors import UnreadableSampleError
from cross_modal_kd.samples.roots import Roots
from stored_sounds import by_av, stored, whole_sounds

RATE = 8000


def sine(frequency: float, rate: int, seconds: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def pitch(wave: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(wave * np.hanning(len(wave))))) * rate / len(wave))


@pytest.mark.parametrize("rate", [44101, 15991, 11127, 767_999])
def test_an_odd_rate_is_resampled_in_little_memory(rate):
    tracemalloc.start()
    found = resample(sine(1000, rate, 1.0), rate, 16000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 16000 and pitch(found, 16000) == pytest.approx(1000, abs=2)
    assert np.sqrt(np.mean(found[500:-500] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert peak < 20e6


def test_an_odd_rate_is_measured_in_little_memory():
    """The detector hears it at 16 kHz: a polyphase filter from 767,999 Hz would take a gigabyte."""
    active_speech_s(sine(200, RATE, 1.0), RATE)  # loads the detector
    wave = sine(200, 767_999, 1.0)
    tracemalloc.start()
    found = active_speech_s(wave, 767_999)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(active_speech_s(sine(200, 16_000, 1.0), 16_000), abs=0.05)
    assert peak < 20e6


@pytest.mark.parametrize("rate", [1, 999, 768_001])
def test_a_rate_that_is_of_no_use_is_refused(rate):
    with pytest.raises(UnreadableSampleError, match=rf"a.wav: a rate of {rate} Hz, expected 1,000 to 768,000"):
        examine_speech(stored(sine(1, 4000, 0.5), rate), "a.wav")


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """An hour whose level rises, beside a short sound."""
    folder = tmp_path_factory.mktemp("long")
    ramp = np.linspace(0, 1, 3600 * RATE, dtype=np.float32)
    soundfile.write(folder / "0.wav", ramp, RATE, subtype="PCM_16")
    soundfile.write(folder / "1.wav", sine(100, RATE, 1.0), RATE)
    return folder, ramp


def test_an_hour_is_inspected_measured_and_cropped_in_little_memory(hour):
    folder, ramp = hour
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(folder)}}))
    row = {"source": "made", "path": "0.wav", "sample_id": "0"}
    table = pd.DataFrame([row | {"modality": "speech"}, row | {"modality": "speech", "path": "1.wav"}])
    modality_of("speech").read({**row, "path": "1.wav"}, roots, InputConfig())  # imports what is needed
    tracemalloc.start()
    found = modality_of("speech").inspect(row, roots, IngestionConfig())
    measured = modality_of("speech").read(row, roots)
    inputs = load_inputs(
        "speech", table.assign(duration_s=[3600.0, 1.0]), roots, InputConfig(speech={"sample_rate": RATE, "crop_s": 2})
    )
    crops = [inputs[Item(0, (0, epoch))][1].numpy() for epoch in range(20)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["duration_s"] == 3600 and len(found["sha256"]) == 64
    assert len(measured.value) == 60 * RATE and measured.value[-1] > 0.99 and measured.value[10 * RATE] > 0.15
    assert all(len(crop) == 2 * RATE for crop in crops)
    levels = [crop[0] for crop in crops]
    assert min(levels) < 0.2 and max(levels) > 0.8
    assert peak < 40e6
    start = np.random.default_rng((0, 3, 0)).integers(3600 * RATE - 2 * RATE + 1)
    np.testing.assert_allclose(crops[3], ramp[start : start + 2 * RATE], atol=1e-4)
    assert inputs[Item(0)][1][0] == 0 and inputs[Item(1)][1].abs().max() > 0.4


@pytest.mark.parametrize("rate", [RATE, 11025, 44101])
def test_a_crop_is_the_piece_that_the_whole_sound_has_there(rate):
    wave = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * rate)
    data = stored(wave, rate)
    whole = read_speech(data, "a.wav", RATE)
    np.testing.assert_allclose(read_crop(data, "a.wav", RATE, 9000, 4000), whole[9000:13000], atol=1e-3)


def test_a_sound_that_claims_more_than_it_holds_is_refused():
    data = bytearray(stored(sine(100, RATE, 1.0), subtype="PCM_16", kind="FLAC"))
    data[21] |= 0x0F  # the high bits of STREAMINFO's number of samples
    with pytest.raises(UnreadableSampleError, match=r"a.flac: (cut: the file states .* 1.0 s could be|not a readable)"):
        examine_speech(bytes(data), "a.flac")


@pytest.mark.parametrize(("name", "data"), whole_sounds(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_sound_that_was_cut_is_refused_and_not_taken_for_a_shorter_one(name, data):
    assert examine_speech(data, name).duration_s == pytest.approx(4, abs=0.2)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(
            UnreadableSampleError, match=r"cut: the file .* \d.\d s could be decoded|not a readable sound"
        ):
            examine_speech(data[: int(share * len(data))], name)


def test_the_reason_names_what_is_stated_and_what_could_be_decoded():
    data = stored(sine(100, RATE, 10.0), subtype="PCM_16")
    with pytest.raises(UnreadableSampleError, match="a.wav: cut: the file states 10.0 s, 4.0 s could be decoded"):
        examine_speech(data[: 44 + 4 * 2 * RATE], "a.wav")


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF])
def test_a_recording_into_a_pipe_states_no_length(length):
    data = bytearray(stored(sine(100, RATE, 1.0), subtype="PCM_16"))
    at = data.index(b"data") + 4
    data[at : at + 4] = length.to_bytes(4, "little")
    assert examine_speech(bytes(data), "a.wav").duration_s == pytest.approx(1, abs=0.01)


def test_a_guessed_length_is_no_statement():
    wave = np.concatenate([np.zeros(3 * 48000), np.random.default_rng(0).uniform(-0.3, 0.3, 48000)])
    data = stored(wave.astype(np.float32), 48000, "MPEG_LAYER_III", "MP3")
    tagged = b"ID3\x04\x00\x00\x00\x00\x40\x00" + bytes(0x40 << 7) + data
    for whole in (data, tagged):
        assert examine_speech(whole, "a.mp3").duration_s == pytest.approx(4, abs=0.1)
        with pytest.raises(UnreadableSampleError, match="cut: the file states 4.0 s"):
            examine_speech(whole[: len(whole) - len(data) // 2], "a.mp3")
    frame = data.index(data[:2], 4)  # after the frame that states the length
    assert examine_speech(data[frame:], "a.mp3").duration_s == pytest.approx(4, abs=0.2)


def test_floating_point_samples_that_are_numbers_of_16_bits_are_read_as_such():
    wave = np.round(sine(100, RATE, 1.0) * 32767)
    np.testing.assert_allclose(decode_speech(stored(wave), "a.wav")[0], wave / 32768, atol=1e-6)
    quiet = np.where(np.arange(RATE) % 2, 2.0, -1.0)
    np.testing.assert_allclose(decode_speech(stored(quiet), "a.wav")[0], quiet / 32768, atol=1e-9)


@pytest.mark.parametrize("wave", [300.5 * sine(100, RATE, 1.0), np.arange(256.0), np.array([-(2.0**31), 5.0] * 99)])
def test_floating_point_samples_of_another_range_are_refused_not_clipped(wave):
    for read in (examine_speech, decode_speech):
        with pytest.raises(UnreadableSampleError, match=r"a.wav: floating-point samples from .* expected -1 to 1"):
            read(stored(wave), "a.wav")


def test_no_memory_left_says_nothing_of_the_sound(monkeypatch):
    def none_left(*_, **__):
        raise MemoryError

    monkeypatch.setattr(soundfile.SoundFile, "read", none_left)
    with pytest.raises(MemoryError):
        decode_speech(stored(sine(100, RATE, 1.0)), "a.wav")


@pytest.mark.parametrize(
    ("ending", "container", "codec", "rate"),
    [("m4a", "ipod", "aac", 44100), ("mp4", "mp4", "aac", 16000), ("aac", "adts", "aac", 44100)]
    + [("webm", "webm", "libopus", 48000)],
)
def test_sounds_of_phones_and_browsers_are_read(ending, container, codec, rate):
    low_then_high = np.concatenate([sine(400, rate, 35), sine(1000, rate, 35)])
    data, name = by_av(low_then_high, rate, container, codec), f"a.{ending.upper()}"
    about = examine_speech(data, name)
    assert about.sample_rate == rate and about.audible and about.duration_s == pytest.approx(70, abs=0.2)
    wave, _ = decode_speech(data, name)
    assert len(wave) == pytest.approx(60 * rate, rel=0.01)
    assert pitch(wave[: 5 * rate], rate) == pytest.approx(400, abs=1)
    crop = read_crop(data, name, 16000, 50 * 16000, 32000)
    assert len(crop) == 32000 and pitch(crop, 16000) == pytest.approx(1000, abs=1)
    assert np.sqrt(np.mean(crop**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    with pytest.raises(UnreadableSampleError, match="not a readable sound"):
        examine_speech(b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", name)


def test_a_long_wave_is_not_padded_into_the_batch_of_short_ones():
    lengths = sorted([*[vad.RATE] * 40, 6 * 3600 * vad.RATE])
    batches = vad._batches(np.arange(41), lengths)
    assert [len(batch) for batch in batches] == [32, 8, 1]
    assert vad._batches(np.arange(40), lengths) == [[*range(32)], [*range(32, 40)]]


def test_a_sound_is_long_above_a_minute():
    assert reading.LONGEST_S == 60
    assert len(decode_speech(stored(np.ones(61 * RATE) * 0.1), "a.wav")[0]) == 60 * RATE
    assert len(decode_speech(stored(np.ones(60 * RATE) * 0.1), "a.wav")[0]) == 60 * RATE
