"""Frames of films by their address: which one is read, and what is said of one that is not there."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cross_modal_kd.config.ingestion import IngestionConfig, SourceConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.roots import Roots
from films import film, m4a

FRAMES = 40


@pytest.fixture
def roots(tmp_path):
    """A film whose picture grows lighter, from 20 by 5 a frame; its upper half is lighter than the lower one."""
    halves = np.repeat([10, -10], 24)[:, None, None] * np.ones((1, 64, 3), np.int64)
    film(tmp_path / "a" / "1.mp4", [(20 + 5 * n + halves).astype(np.uint8) for n in range(FRAMES)])
    return Roots({"made": SourceConfig(layout="folder", root=str(tmp_path))})


def number(content: bytes) -> int:
    """Which frame of the film it is, by its lightness."""
    return round((float(np.asarray(Image.open(io.BytesIO(content))).mean()) - 20) / 5)


@pytest.mark.parametrize("parts", [1, 2, 5, 20, 40])
def test_each_address_is_the_frame_in_the_middle_of_its_part(roots, parts):
    found = [number(roots.bytes("made", f"a/1.mp4#{k}/{parts}")) for k in range(1, parts + 1)]
    assert found == [(2 * k - 1) * FRAMES // (2 * parts) for k in range(1, parts + 1)]


def test_the_image_modality_reads_it_as_any_picture(roots):
    row = {"source": "made", "path": "a/1.mp4#3/5"}
    facts = modality_of("image").inspect(row, roots, IngestionConfig())
    assert (facts["width"], facts["height"]) == (64, 48)
    assert modality_of("image").read(row, roots).value.shape == (48, 64, 3)


def test_its_stamp_is_that_of_the_film(roots, tmp_path):
    stamps = roots.stamps(pd.DataFrame({"source": "made", "path": ["a/1.mp4#1/2", "a/2.mp4#1/2"]}))
    assert stamps["size"].tolist() == [(tmp_path / "a/1.mp4").stat().st_size, -1]


def test_a_film_has_no_file_of_a_frame_and_keeps_its_own(roots, tmp_path):
    with pytest.raises(SamplesError, match="member of a container"):
        roots.file("made", "a/1.mp4#1/2")
    assert roots.file("made", "a/1.mp4") == tmp_path / "a/1.mp4"
    (tmp_path / "a/1.mp4#1").mkdir()
    (tmp_path / "a/1.mp4#1/2").write_bytes(b"a file of this name")
    assert roots.bytes("made", "a/1.mp4#1/2") == b"a file of this name"


@pytest.mark.parametrize("place", ["0/5", "6/5", "1", "1/0", "x/2", "-1/2", "1/5/9", ""])
def test_a_place_that_is_none_is_named(roots, place):
    with pytest.raises(SamplesError, match=r"made: 1.mp4#.*: expected the place of a frame, k/n with k from 1 to n"):
        roots.bytes("made", f"a/1.mp4#{place}")


def test_a_film_that_cannot_be_read_is_a_rejected_sample(roots, tmp_path):
    whole = (tmp_path / "a/1.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.mp4").write_bytes(b"<html>not found</html>" * 9)
    (tmp_path / "empty.mp4").write_bytes(b"")
    m4a(tmp_path / "heard.mp4", np.zeros(8000, np.float32))
    for name in ("cut", "none", "empty"):
        with pytest.raises(
            UnreadableSampleError, match=rf"{name}.mp4#1/1: not a readable film \(.*; copy it once more"
        ):
            roots.bytes("made", f"{name}.mp4#1/1")
    with pytest.raises(UnreadableSampleError, match="heard.mp4#1/1: the film has no frame"):
        roots.bytes("made", "heard.mp4#1/1")
    with pytest.raises(SamplesError, match=r"the file 'gone.mp4#1/1' is missing"):
        roots.bytes("made", "gone.mp4#1/1")


def test_no_file_can_name_others_that_are_opened(roots, tmp_path):
    (tmp_path / "a" / "list.mp4").write_text("ffconcat version 1.0\nfile '1.mp4'\n")
    with pytest.raises(UnreadableSampleError, match="not a readable film"):
        roots.bytes("made", "a/list.mp4#1/1")
