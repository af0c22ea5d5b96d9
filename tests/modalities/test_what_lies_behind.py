"""Sounds that go on behind the place at which decoders end, and files that are not what their names say."""

import io

import numpy as np
import pytest
import soundfile

from cross_modal_kd.modalities.speech.contents import left_behind
from cross_modal_kd.modalities.speech.read import decode_speech, examine_speech
from cross_modal_kd.samples.errors import UnreadableSampleError
from stored_sounds import BY_AV, STORED, by_av, stored, whole_sounds

RATE = 48000
NOISE = np.random.default_rng(0).uniform(-0.3, 0.3, 6 * RATE).astype(np.float32)
SHORT, LONG = NOISE[:RATE], NOISE[RATE:]
OTHERS = ("au", "w64", "caf")  # which no name that is read ends in


def joined():
    """(name, bytes) of a second of noise with five behind it, in every format of which decoders do not read on."""
    for ending, kind, subtype in [*STORED, ("wav", "RF64", "PCM_16")]:
        if ending not in OTHERS:
            yield f"a.{ending}", stored(SHORT, RATE, subtype, kind) + stored(LONG, RATE, subtype, kind)
    twice = stored(SHORT, RATE, "VORBIS", "OGG")
    yield "same_number.ogg", twice + twice
    tagged = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256) + stored(LONG, RATE, "MPEG_LAYER_III", "MP3")
    yield "tagged.mp3", stored(SHORT, RATE, "MPEG_LAYER_III", "MP3") + b"TAG" + bytes(125) + tagged
    for ending, container, codec in BY_AV[:2]:
        yield f"a.{ending}", by_av(SHORT, RATE, container, codec) + by_av(LONG, RATE, container, codec)


@pytest.mark.parametrize(("name", "data"), joined(), ids=lambda value: value if isinstance(value, str) else "")
def test_sounds_behind_a_sound_are_refused_and_not_cut_off_in_silence(name, data, capfd):
    with pytest.raises(UnreadableSampleError, match=f"{name}: several sounds, one behind the other.* make "):
        examine_speech(data, name)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("states", [0, 2 * RATE])
@pytest.mark.parametrize(("kind", "mark", "order"), [("WAV", b"data", "little"), ("AIFF", b"SSND", "big")])
def test_a_header_that_was_never_finished_is_named_with_what_lies_behind_it(kind, mark, order, states):
    data = bytearray(stored(NOISE, RATE, "PCM_16", kind))
    at = data.index(mark) + 4
    data[at : at + 4] = states.to_bytes(4, order)
    if kind == "AIFF" and not states:  # which libsndfile reads to its end
        assert examine_speech(bytes(data), "a.aiff").duration_s == pytest.approx(6, abs=0.01)
        return
    said = rf"its header states {states / 2 / RATE:.1f} s, and {6 - states / 2 / RATE:.1f} s more lie behind it.*sox"
    with pytest.raises(UnreadableSampleError, match=said):
        examine_speech(bytes(data), "a.wav")
    if not states:
        with pytest.raises(UnreadableSampleError, match=said):
            decode_speech(bytes(data), "a.wav")


WORDS = bytes(range(1, 201)) * 100
TAGS = {
    "odd LIST without its padding": b"LIST"
    + (len(WORDS) - 1).to_bytes(4, "little")
    + WORDS[1:]
    + b"id3 \x04\0\0\0abcd",
    "LIST that states a byte too many": b"LIST" + (len(WORDS) + 1).to_bytes(4, "little") + WORDS,
    "zeros before LIST": bytes(12) + b"LIST" + len(WORDS).to_bytes(4, "little") + WORDS,
    "a name with a zero": b"PAD\0" + len(WORDS).to_bytes(4, "little") + WORDS,
    "Lyrics3": b"LYRICSBEGIN" + WORDS + b"LYRICS200",
}


@pytest.mark.parametrize("behind", TAGS.values(), ids=list(TAGS))
def test_tags_behind_a_whole_sound_are_no_sound_whatever_size_they_state(behind):
    assert left_behind(stored(SHORT, RATE, "PCM_16", "WAV") + behind, "a.wav") is None


def test_nothing_lies_behind_whole_sounds():
    for name, data in whole_sounds():
        assert left_behind(data, name) is None, name


@pytest.mark.parametrize(
    "behind", [b"LIST" + (8).to_bytes(4, "little") + b"INFOabcd", b"TAG" + bytes(125), bytes(90000)]
)
def test_chunks_tags_and_padding_behind_samples_are_no_sound(behind):
    for odd in (0, 1):  # samples of an odd number of bytes, whose padding is left out
        wave = stored(SHORT[: RATE - odd], RATE, "PCM_U8", "WAV")
        whole = wave if not odd else wave[:-1]
        assert left_behind(whole + behind, "a.wav") is None


def test_tags_behind_an_mp3_are_no_sound_and_print_nothing(capfd):
    data = stored(SHORT, RATE, "MPEG_LAYER_III", "MP3")
    picture = b"APETAGEX" + np.random.default_rng(0).bytes(200_000)
    expected, _ = decode_speech(data, "a.mp3")
    for behind in (picture, b"TAG" + bytes(125)):
        assert examine_speech(data + behind, "a.mp3").duration_s == pytest.approx(1, abs=0.1)
        np.testing.assert_array_equal(decode_speech(data + behind, "a.mp3")[0], expected)
    assert capfd.readouterr().err == ""


def test_a_cut_mp3_is_refused_by_its_name_and_prints_nothing(capfd, tmp_path):
    data = stored(NOISE, RATE, "MPEG_LAYER_III", "MP3")
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableSampleError, match=r"a.mp3: cut: the file states 6.0 s"):
        examine_speech(tmp_path / "a.mp3", "a.mp3")
    assert capfd.readouterr().err == ""
    with soundfile.SoundFile(io.BytesIO(data[: len(data) // 2])):  # else this test shows nothing
        assert "Xing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.mp3", by_av(SHORT, RATE, "ipod", "aac"), "MPEG-4: let its name end in .m4a"),
        ("a.wav", by_av(SHORT, RATE, "webm", "libopus"), "WebM: let its name end in .webm"),
        ("a.ogg", by_av(SHORT, RATE, "adts", "aac"), "AAC: let its name end in .aac"),
        ("a.m4a", stored(SHORT, RATE, "MPEG_LAYER_III", "MP3"), "MP3: let its name end in .mp3"),
        ("a.mp4", stored(SHORT, RATE, "PCM_16"), "WAV: let its name end in .wav"),
        ("a.aac", stored(SHORT, RATE, "PCM_16", "FLAC"), "FLAC: let its name end in .flac"),
        ("a.webm", stored(SHORT, RATE, "VORBIS", "OGG"), "Ogg: let its name end in .ogg"),
        ("a.m4a", stored(SHORT, RATE, "PCM_16", "AIFF"), "AIFF: let its name end in .aiff"),
    ],
)
def test_a_name_that_says_another_format_is_answered_with_what_the_file_is(name, data, said):
    for read in (examine_speech, decode_speech):
        with pytest.raises(UnreadableSampleError, match=f"{name}: its contents are {said}$"):
            read(data, name)


def test_what_libsndfile_knows_by_itself_is_read_whatever_its_name():
    assert examine_speech(stored(SHORT, RATE, "PCM_16", "FLAC"), "a.wav").duration_s == 1
    with pytest.raises(UnreadableSampleError, match="not a readable sound"):
        examine_speech(b"<html>" * 100, "a.mp3")
