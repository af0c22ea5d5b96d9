import hashlib
import io
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from cross_modal_kd.config.ingestion import IngestionConfig, SourcesConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.modalities.image.read import MOST_PIXELS, as_picture, examine_image, read_image
from cross_modal_kd.modalities.speech.read import decode_speech, examine_speech, given_wave, read_speech
from cross_modal_kd.modalities.text.read import read_text
from cross_modal_kd.samples.errors import UnreadableSampleError
from cross_modal_kd.samples.roots import Roots
from sixteen_bits import of_sixteen_bits


def png(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def wav(sound: np.ndarray, rate: int = 16000, subtype: str = "FLOAT") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, sound, rate, format="WAV", subtype=subtype)
    return stream.getvalue()


def sine(frequency: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


def test_an_image_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(png(Image.fromarray(pixels)), "a"), pixels)
    assert read_image(png(Image.fromarray(pixels)), "a", channels=1).shape == (5, 7, 1)


def test_transparent_pixels_are_white():
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0] = (255, 0, 0, 255)
    pixels[0, 1] = (0, 0, 0, 128)
    found = read_image(png(Image.fromarray(pixels, "RGBA")), "a")
    assert found[0, 0].tolist() == [255, 0, 0]
    assert found[1, 1].tolist() == [255, 255, 255]
    assert found[0, 1].tolist() == pytest.approx([127] * 3, abs=1)


def test_a_transparent_palette_is_white_too():
    image = Image.new("P", (2, 2), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    assert (read_image(png(image, transparency=0), "a") == 255).all()


def test_sixteen_bits_become_eight():
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype=np.uint16))
    assert read_image(png(image), "a", channels=1)[..., 0].tolist() == [[0, 100, 255]]


@pytest.mark.parametrize("most", [256, 1023, 4095])
def test_twelve_bits_in_sixteen_are_refused_and_not_turned_black(most):
    image = Image.fromarray(np.array([[0, 7, most]], dtype=np.uint16))
    with pytest.raises(UnreadableSampleError, match=f"a: pixels up to {most} of 65535: numbers of 12 bits"):
        read_image(png(image), "a")
    assert read_image(png(Image.fromarray(np.full((2, 2), 4096, dtype=np.uint16))), "a").max() == 15


@pytest.mark.parametrize("most", [255, 1023, 4095])
@pytest.mark.parametrize(
    ("channels", "kind"), [(2, "PNG"), (3, "PNG"), (4, "PNG"), (3, "TIFF"), (4, "TIFF"), (3, "PPM")]
)
def test_twelve_bits_in_colours_of_sixteen_are_refused_and_not_turned_black(channels, kind, most):
    values = np.random.default_rng(0).integers(0, most + 1, (40, 48, channels))
    values[0, 0] = most
    opaque = values.copy()
    opaque[:, :, -1] = 65535 if channels in (2, 4) else opaque[:, :, -1]
    for given in (values, opaque):
        with pytest.raises(UnreadableSampleError, match="a: pixels up to 4095 of 65535: numbers of 12 bits"):
            read_image(of_sixteen_bits(given, kind), "a")
    with pytest.raises(UnreadableSampleError, match="numbers of 12 bits"):
        read_image(of_sixteen_bits(np.tile(opaque, (53, 48, 1)), kind), "a")  # shrunk as it is read


@pytest.mark.parametrize(("channels", "kind"), [(3, "PNG"), (4, "PNG"), (3, "TIFF"), (4, "TIFF"), (3, "PPM")])
def test_colours_of_sixteen_bits_become_eight(channels, kind):
    values = 257 * np.random.default_rng(0).integers(0, 256, (40, 48, channels))
    values[:, :, 3:] = 65535
    np.testing.assert_array_equal(read_image(of_sixteen_bits(values, kind), "a"), values[:, :, :3] // 257)


def test_black_ink_on_nothing_is_a_picture_of_sixteen_bits():
    for channels in (2, 4):
        values = np.zeros((40, 48, channels), dtype=int)
        values[10:20, :, -1] = 65535
        found = read_image(of_sixteen_bits(values), "a")
        assert (found[10:20] == 0).all() and (found[20:] == 255).all()


def test_an_image_is_handed_to_no_program_whatever_its_ending(monkeypatch):
    ran = []
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **_: ran.append(given))
    drawing = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    with monkeypatch.context() as patched:
        patched.setattr("PIL.EpsImagePlugin.gs_binary", "gs")
        for name in ("a.png", "a.jpg", "a.tif"):
            with pytest.raises(UnreadableSampleError, match=f"{name}: not a readable image$"):
                read_image(drawing, name)
    assert not ran


def test_an_image_is_turned_as_its_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(png(Image.new("RGB", (8, 4)), "JPEG", exif=exif), "a").shape == (8, 4, 3)


@pytest.mark.parametrize("data", [b"", b"not an image", png(Image.new("RGB", (64, 64), "red"))[:60]])
def test_an_unreadable_image_is_named(data):
    with pytest.raises(UnreadableSampleError, match=r"cat/1.png: not a readable image"):
        read_image(data, "cat/1.png")


def test_floating_point_pixels_are_refused():
    with pytest.raises(UnreadableSampleError, match="floating-point pixels"):
        read_image(png(Image.fromarray(np.ones((3, 3), dtype=np.float32)), "TIFF"), "a.tif")


def test_channels_must_be_one_or_three():
    with pytest.raises(ValueError, match="channels must be 1"):
        read_image(png(Image.new("RGB", (2, 2))), "a", channels=4)


def test_a_sound_keeps_its_samples():
    sound = sine(440, 16000).astype(np.float32)
    np.testing.assert_array_equal(read_speech(wav(sound), "a", 16000), sound)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_wrong_sample_rate_is_resampled_and_the_pitch_stays(rate):
    found = read_speech(wav(sine(1000, rate, 2.0), rate), "a", 16000)
    assert abs(len(found) - 32000) <= 1
    spectrum = np.abs(np.fft.rfft(found * np.hanning(len(found))))
    assert np.argmax(spectrum) * 16000 / len(found) == pytest.approx(1000, abs=1)
    assert np.sqrt(np.mean(found[1000:-1000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_what_lies_above_the_new_nyquist_frequency_is_filtered_out():
    found = read_speech(wav(sine(12000, 44100), 44100), "a", 16000)
    assert np.sqrt(np.mean(found[500:-500] ** 2)) < 0.01


def test_without_a_rate_the_file_keeps_its_own():
    sound, rate = decode_speech(wav(sine(100, 22050), 22050), "a")
    assert (len(sound), rate) == (22050, 22050)
    assert len(read_speech(wav(sine(100, 22050), 22050), "a", None)) == 22050


def test_stereo_is_averaged():
    left, right = sine(300, 16000), sine(500, 16000)
    found = read_speech(wav(np.stack([left, right], axis=1)), "a", 16000)
    np.testing.assert_allclose(found, (left + right) / 2, atol=1e-6)


def test_channels_that_cancel_each_other_out_are_refused_and_not_read_as_silence():
    voice, (noise, other) = sine(300, 16000), np.random.default_rng(0).standard_normal((2, 16000)) / 8
    levels = [(1, 0.25), (1, 1), (0.9, 0), (0.97, 0)]
    upside_down = [[voice, -voice * level + amount * noise] for level, amount in levels]
    for channels in ([voice, -voice], [voice, -voice * 0.999, 0 * voice, 0 * voice], *upside_down):
        given = np.stack(channels, axis=1)
        for take in (decode_speech, examine_speech):
            with pytest.raises(UnreadableSampleError, match=r"a.wav: its channels cancel each other out"):
                take(wav(given), "a.wav")
        with pytest.raises(UnreadableSampleError, match="its channels cancel each other out"):
            given_wave(given, 16000, "a")
    wide = [[noise, other], [noise - other / 4, other - noise / 4], [voice + noise, other - voice / 4]]
    alone = [[voice, 0 * voice], [voice, *[0 * voice] * 254], [voice, -voice * 0.3], [0 * voice] * 2]
    for channels in (*wide, *alone):
        given = np.stack(channels, axis=1)
        assert examine_speech(wav(given), "a.wav").audible == bool(voice.any() and given.any())
        assert len(decode_speech(wav(given), "a.wav")[0]) == len(given_wave(given, 16000, "a")) == len(voice)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sound_with_nan_or_infinity_is_named(bad):
    sound = sine(440, 16000)
    sound[[7, 9]] = bad
    with pytest.raises(UnreadableSampleError, match=r"anna/1.wav: 2 samples are NaN or infinite"):
        read_speech(wav(sound), "anna/1.wav", 16000)


def test_an_unreadable_and_an_empty_sound_are_named():
    with pytest.raises(UnreadableSampleError, match=r"anna/1.wav: not a readable sound"):
        read_speech(b"RIFF nothing", "anna/1.wav", 16000)
    with pytest.raises(UnreadableSampleError, match="the sound is empty"):
        read_speech(wav(np.zeros(0)), "anna/1.wav", 16000)


def test_too_loud_a_float_sound_is_clipped():
    assert np.abs(read_speech(wav(4 * sine(440, 16000)), "a", 16000)).max() == 1.0


def test_text_is_cleaned_and_a_blank_one_is_refused():
    assert read_text("  a\n b\t", "t") == "a b"
    with pytest.raises(UnreadableSampleError, match="t: the text is blank"):
        read_text(" \n ", "t")
    for unseen in ("\u200b", "\ufeff \u00a0", "\u2060\u200d"):
        with pytest.raises(UnreadableSampleError, match="t: the text is blank: its signs cannot be seen"):
            read_text(unseen, "t")
    for unseen in ("\ufe0f", "\u3164 \u2800", "\u0301"):
        with pytest.raises(UnreadableSampleError, match="t: the text is blank: its signs cannot be seen"):
            read_text(unseen, "t")
    for nothing in ("...", " - ", "?!\u200b", "\u2014 \u3002"):
        with pytest.raises(UnreadableSampleError, match="t: the text is of punctuation alone"):
            read_text(nothing, "t")
    for said in ("\u2764\ufe0f", "\u203c\ufe0f", "\u3030\ufe0f", "=", "%", "#", "&", "@", "*", "\u00a7", "a..."):
        assert read_text(said, "t") == said


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])  # Pillow turns a TIFF by itself: not once more
def test_a_large_image_is_shrunk_as_it_is_read_and_turned_as_its_exif_says(kind):
    pixels = np.zeros((2100, 4200, 3), dtype=np.uint8)
    pixels[:, :2100] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = png(Image.fromarray(pixels), kind, exif=exif)
    found = read_image(stored, "a")
    assert found.shape == (2100, 1050, 3) and found.size // 3 <= MOST_PIXELS
    assert (found[:1040] > 190).all() and (found[1060:] < 10).all()
    again, size = examine_image(stored, "a")
    assert size == (2100, 4200)
    np.testing.assert_array_equal(again, found)
    small = png(Image.fromarray(pixels[:20, :40]), kind, exif=exif)
    assert examine_image(small, "a")[1] == (20, 40) and read_image(small, "a").shape == (40, 20, 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "I", "CMYK"])
def test_a_large_image_of_any_mode_is_read(mode):
    found = read_image(png(Image.new(mode, (4100, 2100)), "TIFF"), "a", channels=1)
    assert found.shape == (1050, 2050, 1)


def test_a_long_and_narrow_image_keeps_its_short_side():
    assert read_image(png(Image.new("L", (2**20, 9))), "a").shape[0] == 9
    assert read_image(png(Image.new("L", (9, 2**20))), "a").shape[1] == 9


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded():
    with pytest.raises(UnreadableSampleError, match="13000 x 13000 pixels, more than the 100,000,000 that are decoded"):
        read_image(png(Image.new("1", (13000, 13000))), "a.png")


@pytest.mark.slow
def test_the_memory_of_reading_is_bounded_by_what_is_decoded(tmp_path):
    Image.new("RGB", (9900, 9900)).save(tmp_path / "a.png", compress_level=1)
    Image.new("RGBA", (9900, 9900)).save(tmp_path / "b.png", compress_level=1)
    Image.new("L", (13000, 13000)).save(tmp_path / "a.jpg")
    code = (
        "import sys; from pathlib import Path; from cross_modal_kd.modalities.image.read import read_image;"
        "print(read_image(Path(sys.argv[1]), 'a').size, Path('/proc/self/status').read_text().split('VmHWM:')[1])"
    )
    for name, most in (("a.png", 800), ("b.png", 800), ("a.jpg", 400)):
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=True
        )
        size, peak_kb = map(int, ran.stdout.split()[:2])
        assert size <= 3 * MOST_PIXELS and peak_kb / 1024 < most


@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_deep_pixels_that_hold_numbers_of_eight_bits_are_taken_as_such(dtype):
    pixels = np.arange(256).reshape(16, 16)
    stored = png(Image.fromarray(pixels.astype(dtype)), "TIFF")
    np.testing.assert_array_equal(read_image(stored, "a", channels=1)[..., 0], pixels)


@pytest.mark.parametrize("value", [-1, 70_000])
def test_deep_pixels_without_a_known_range_are_refused_not_clipped(value):
    with pytest.raises(UnreadableSampleError, match=rf"pixels from .*{value}.*, expected 0 to 255 or 0 to 65535"):
        read_image(png(Image.fromarray(np.array([[0, value]], dtype=np.int32)), "TIFF"), "a.tif")


def test_no_memory_left_says_nothing_of_the_image(monkeypatch):
    def none_left(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", none_left)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", none_left)
    with pytest.raises(MemoryError):
        read_image(png(Image.new("RGB", (9, 9))), "a.png")


@pytest.mark.parametrize("shape", [(1, 5, 3), (5, 1, 3), (1, 1, 3), (1, 5, 1)])
def test_pixels_of_an_image_one_pixel_high_or_wide_stay_where_they_are(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(as_picture(pixels)).reshape(shape), pixels)


def test_an_image_too_small_to_be_measured_is_rejected_as_it_is_looked_at(tmp_path):
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))
    for name, size in (("small.png", (9, 7)), ("least.png", (8, 9))):
        picture = Image.new("RGB", size)
        picture.putpixel((0, 0), (9, 9, 9))
        picture.save(tmp_path / name)
    row = {"source": "made", "path": "small.png"}
    with pytest.raises(UnreadableSampleError, match="9 x 7 pixels, fewer than 8 a side"):
        modality_of("image").inspect(row, roots, IngestionConfig())
    found = modality_of("image").inspect({**row, "path": "least.png"}, roots, IngestionConfig())
    assert (found["width"], found["height"]) == (8, 9)
    assert found["sha256"] == hashlib.sha256((tmp_path / "least.png").read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA"])
@pytest.mark.parametrize("side", [200, 2100])
def test_an_image_that_was_cut_is_refused_whatever_its_size(kind, side):
    squares = np.random.default_rng(0).integers(0, 255, (side // 20, side // 20, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.kron(squares, np.ones((20, 20, 1), dtype=np.uint8))).save(stream, kind)
    data = stream.getvalue()
    assert examine_image(data, "a")[1] == (side, side)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(UnreadableSampleError, match="not a readable image"):
            examine_image(data[: int(share * len(data))], "a")


def test_a_box_behind_the_name_is_the_part_that_is_read():
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    data = png(Image.fromarray(pixels))
    np.testing.assert_array_equal(read_image(data, "a.png#xywh=10,5,20,30"), pixels[5:35, 10:30])
    np.testing.assert_array_equal(read_image(data, "a.png#xywh=50.5,35.5,30,30"), pixels[35:, 50:])  # cut at the edge
    assert examine_image(data, "a.png#xywh=10,5,20,30")[1] == (20, 30)
    with pytest.raises(UnreadableSampleError, match="the box lies outside the image of 60 x 40 pixels"):
        read_image(data, "a.png#xywh=60,0,5,5")
    np.testing.assert_array_equal(read_image(data, "a.png#xywh=10,5"), pixels)  # no box, but a name


def test_a_box_of_a_large_image_is_in_the_pixels_of_its_file():
    pixels = np.zeros((3000, 3000, 3), dtype=np.uint8)
    pixels[300:600, 900:1500] = 255
    part, size = examine_image(png(Image.fromarray(pixels)), "a.png#xywh=900,300,600,300")
    assert size == (600, 300) and part.shape == (150, 300, 3) and part.min() == 255
