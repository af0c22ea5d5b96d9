"""The page that ingestion ends with: what it counts, what a failed run leaves, how large it gets."""

import pandas as pd
import pytest

from cross_modal_kd.config import ComputeConfig, IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.pipelines.ingestion.nodes import inspect_and_tell, read_sources, split_and_save
from cross_modal_kd.samples import REJECTED_DTYPES, SamplesError, conform
from cross_modal_kd.samples.data_page import tables, write_page
from own_folders import birds, image

TASK = TaskConfig.model_validate(
    {"name": "t", "kind": "verification", "student": "image", "teacher": "text", "pairing": "instance"}
)


def ingest(root, page, **ingestion):
    sources = SourcesConfig.model_validate({"s": {"layout": "folder", "root": str(root)}})
    chosen = IngestionConfig.model_validate(ingestion)
    candidates, passed_over = read_sources(TASK, sources, chosen)
    found = inspect_and_tell(candidates, passed_over, sources, chosen, TASK, ComputeConfig(), page / "seen", page)
    split_and_save(*found, TASK, sources, chosen, page)
    return (page / "data.html").read_text()


def by_title(samples, rejected=None):
    rejected = conform(pd.DataFrame([] if rejected is None else rejected), REJECTED_DTYPES)
    return {table.title: table for table in tables(conform(pd.DataFrame(samples)), rejected, TASK)}


def row(number, **more):
    plain = {"sample_id": f"s/{number}", "modality": "image", "label": "a", "split": "train", "path": f"{number}.png"}
    return plain | {"source": "s", "sha256": f"{number:064x}"} | more


def test_a_run_that_ends_leaves_a_page_without_an_address(tmp_path):
    birds(tmp_path / "set")
    (tmp_path / "set" / "bird_0" / "<b>.txt").write_text("no image")
    text = ingest(tmp_path / "set", tmp_path)
    assert "192 samples can be used, 1 are rejected" in text
    assert "&lt;b&gt;.txt" in text and "<b>" not in text
    assert "http" not in text and "The run stopped" not in text


def test_a_run_with_too_many_damaged_files_leaves_the_page_and_stops(tmp_path):
    birds(tmp_path / "set")
    for number in range(12):
        (tmp_path / "set" / "bird_3" / f"{number}.png").write_bytes(b"no image")
    with pytest.raises(SamplesError, match="cannot be used, more than ingestion.max_rejected_share"):
        ingest(tmp_path / "set", tmp_path)
    text = (tmp_path / "data.html").read_text()
    assert "The run stopped" in text and "12 are rejected" in text and "bird_3/0.png" in text


def test_a_split_that_cannot_be_leaves_the_page_and_stops(tmp_path):
    birds(tmp_path / "set", labels=1)
    with pytest.raises(SamplesError):
        ingest(tmp_path / "set", tmp_path)
    assert "The run stopped" in (tmp_path / "data.html").read_text()


def test_what_is_wrong_is_counted():
    samples = [
        row(1, label="10"),
        row(2, label="9", split="test"),
        row(3, label="9", sha256=f"{1:064x}"),
        row(4, label="b", modality="text", path=None, text="b"),
        *(row(number, label="c", width=100 + number % 3, height=9) for number in range(10, 30)),
        row(30, label="c", width=9000, height=9),
    ]
    reason = "the file cannot be decoded: byte {}"
    found = by_title(
        samples, [{"source": "s", "path": f"x{number}", "reason": reason.format(number)} for number in range(20)]
    )
    assert [cells[0] for cells in found["Labels without a partner"].rows] == ["9", "10", "b", "c"]
    assert found["Rejected"].rows == [["20", "s", "the file cannot be decoded: byte 0", "x0, x1, x2, x3, x4, ..."]]
    assert found["Copies, byte for byte"].rows == [["image", "2", "2", "1", "1.png, 3.png"]]
    assert found["In more than one split"].rows == [["label", "train and test", "1", "9"]]
    sizes = {cells[1]: cells for cells in found["Lengths, rates and sizes"].rows}
    assert sizes["width, pixels"][-2:] == ["1", "30.png"]
    assert found["Samples of a label"].rows[0][:5] == ["image", "3", "1", "2", "21"]


def test_the_page_stays_small(tmp_path):
    samples = conform(pd.DataFrame([row(number, label=f"l{number}", sha256="0" * 64) for number in range(5000)]))
    rejected = pd.DataFrame({"source": "s", "path": samples["path"], "reason": "none"})
    assert write_page(tmp_path, samples, rejected, TASK).stat().st_size < 60_000


def test_a_picture_that_is_there_twice_is_named(tmp_path):
    birds(tmp_path / "set")
    image(tmp_path / "set" / "bird_1" / "copy.png", 1, 0)
    assert "bird_1/0.png, bird_1/copy.png" in ingest(tmp_path / "set", tmp_path)
