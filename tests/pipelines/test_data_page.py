"""The page that ingestion ends with: what it counts, what a failed run leaves, how large it gets."""

import html
import re

import pandas as pd
import pytest

from cross_modal_kd.config import ComputeConfig, IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.pipelines.ingestion.nodes import inspect_and_tell, list_and_tell, split_and_save
from cross_modal_kd.samples import REJECTED_DTYPES, SamplesError, conform
from cross_modal_kd.samples.data_page import DataPage, tables
from cross_modal_kd.sources.listing import COUNT_DTYPES
from own_folders import birds, image
from published_sets import cub

TASK = TaskConfig.model_validate(
    {"name": "t", "kind": "verification", "student": "image", "teacher": "text", "pairing": "instance"}
)


def ingest(root, page, **ingestion):
    sources = SourcesConfig.model_validate({"s": {"layout": "folder", "root": str(root)}})
    chosen = IngestionConfig.model_validate(ingestion)
    candidates, passed_over, told = list_and_tell(TASK, sources, chosen, page)
    found = inspect_and_tell(candidates, passed_over, sources, chosen, ComputeConfig(), told, page / "seen")
    split_and_save(*found, TASK, sources, chosen, told)
    return (page / "data.html").read_text()


NO_COUNTS = pd.DataFrame(columns=list(COUNT_DTYPES))


def by_title(samples, rejected=None, counts=NO_COUNTS):
    rejected = conform(pd.DataFrame([] if rejected is None else rejected), REJECTED_DTYPES)
    return {table.title: table for table in tables(conform(pd.DataFrame(samples)), rejected, TASK, counts)}


def row(number, **more):
    plain = {"sample_id": f"s/{number}", "modality": "image", "label": "a", "split": "train", "path": f"{number}.png"}
    return plain | {"source": "s", "sha256": f"{number:064x}"} | more


def test_a_run_that_ends_leaves_a_page_without_an_address(tmp_path):
    birds(tmp_path / "set")
    (tmp_path / "set" / "bird_0" / "<b>.txt").write_text("no image")
    text = ingest(tmp_path / "set", tmp_path)
    assert "192 samples can be used, 1 are not" in text
    assert "&lt;b&gt;.txt" in text and "<b>" not in text
    assert "http" not in text and "The run stopped" not in text


def test_what_cannot_teach_is_on_the_page(tmp_path):
    paths = birds(tmp_path / "set", labels=8, files=6).glob("*/*.png")
    names = sorted(str(path.relative_to(tmp_path / "set")) for path in paths)
    lines = [f"{name},{'a bird' if name[5] != '0' else 'bird 0'}" for name in names]
    (tmp_path / "set" / "captions.csv").write_text("path,text\n" + "\n".join(lines) + "\n")
    text = ingest(tmp_path / "set", tmp_path, split={"train": 0.9, "dev": 0.05, "test": 0.05})
    assert "and are paired one by one: what is the same tells none of them from another." in text
    assert "text samples that are found under other labels too, and no other (the first is" in text
    assert "0 of the 48 image samples that are paired have the same text samples as another one." in text
    assert "of 8 labels train 4 (50%, asked 90%)" in text  # 2 are the least that the others hold
    assert "Splits" in text and "by label" in text and ">90%</td>" in text
    task = TASK.model_copy(update={"pairing": "label"})
    one = [row(0, modality="text", text="a", path=None), row(1), row(2), row(3, split="dev"), row(4, label="b")]
    rejected = conform(pd.DataFrame([]), REJECTED_DTYPES)
    found = {table.title: table for table in tables(conform(pd.DataFrame(one)), rejected, task, NO_COUNTS)}
    assert found["Shared partners"].rows == [["train", "2", "2", "2", "1"]]
    assert found["Shared partners"].says.startswith("2 of the 2 image samples that are paired")


def test_a_run_with_too_many_damaged_files_leaves_the_page_and_stops(tmp_path):
    birds(tmp_path / "set")
    for number in range(12):
        (tmp_path / "set" / "bird_3" / f"{number}.png").write_bytes(b"no image")
    with pytest.raises(SamplesError, match="cannot be used, more than ingestion.max_rejected_share"):
        ingest(tmp_path / "set", tmp_path)
    text = (tmp_path / "data.html").read_text()
    assert "The run stopped" in text and "12 files were passed over or rejected" in text and "bird_3/0.png" in text


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


def test_a_label_whose_samples_were_rejected_for_want_of_a_partner_is_named_with_the_levels_of_the_others():
    samples = conform(pd.DataFrame([row(1), row(2, label="a", modality="text", path=None, text="a")]))
    lonely = conform(pd.DataFrame([row(3, label="alone")]))
    summary = pd.DataFrame(
        {
            "split": ["train", "train"], "modality": ["image", "text"], "source": "s", "samples": [5, 1],
            "by_instance": pd.array([3, None], "Int64"), "by_label": pd.array([1, None], "Int64"),
            "alone": pd.array([1, None], "Int64"),
        }
    )  # fmt: skip
    task = TASK.model_copy(update={"pairing": ["instance", "label"]})
    usable = pd.concat([samples, lonely])
    shown = tables(samples, conform(pd.DataFrame([]), REJECTED_DTYPES), task, NO_COUNTS, usable, summary)
    found = {table.title: table for table in shown}
    assert found["Labels without a partner"].rows == [["alone", "1", "0"]]
    assert found["Partners"].columns == ["split", "source", "samples", "by instance", "by label", "alone"]
    assert found["Partners"].rows == [["train", "s", "5", "3", "1", "1"]]
    assert found["Partners"].warning == "1 image sample has no partner."


def test_frames_of_a_film_are_named_once_and_parts_that_are_whole_do_not_hide_others():
    frames = [{"source": "s", "path": f"a.mp4#{number}/5", "reason": "not a readable film"} for number in range(1, 6)]
    assert by_title([row(1)], frames)["Rejected"].rows == [["5", "s", "not a readable film", "a.mp4"]]
    parts = [
        {"source": "v", "part": str(n), "what": "files", "found": 9 - (n == 11), "published": 9} for n in range(12)
    ]
    rows = by_title([row(1)], counts=pd.DataFrame(parts))["Beside the published sets"].rows
    assert [cells[1] for cells in rows] == ["11"]


def test_the_page_stays_small(tmp_path):
    samples = conform(pd.DataFrame([row(number, label=f"l{number}", sha256="0" * 64) for number in range(5000)]))
    rejected = pd.DataFrame({"source": "s", "path": samples["path"], "reason": "none"})
    DataPage(tmp_path, TASK, NO_COUNTS).write(samples, rejected)
    assert (tmp_path / "data.html").stat().st_size < 60_000


def test_a_picture_that_is_there_twice_is_named(tmp_path):
    birds(tmp_path / "set")
    image(tmp_path / "set" / "bird_1" / "copy.png", 1, 0)
    assert "bird_1/0.png, bird_1/copy.png" in ingest(tmp_path / "set", tmp_path)


def test_errors_of_all_sources_are_told_at_once_beside_what_the_others_have(tmp_path):
    birds(tmp_path / "set")
    cub(tmp_path / "cub")
    (tmp_path / "cub/CUB_200_2011/classes.txt").unlink()
    (tmp_path / "flowers").mkdir()
    blocks = {"s": "folder", "cub": "cub", "flowers": "flowers"}
    roots = {"s": "set"}
    sources = SourcesConfig.model_validate(
        {name: {"layout": layout, "root": str(tmp_path / roots.get(name, name))} for name, layout in blocks.items()}
    )
    with pytest.raises(SamplesError, match=r"(?s)classes.txt.*\n.*sources.flowers.root: expected"):
        list_and_tell(TASK, sources, IngestionConfig(), tmp_path)
    text = (tmp_path / "data.html").read_text()
    assert "The run stopped: 2 errors" in text and "192 samples were found" in text and "classes.txt" in text


def test_a_modality_that_no_source_gives_leaves_the_page(tmp_path):
    birds(tmp_path / "set")
    (tmp_path / "set" / "captions.csv").unlink()
    with pytest.raises(SamplesError, match="no source gives text"):
        ingest(tmp_path / "set", tmp_path)
    text = (tmp_path / "data.html").read_text()
    assert "The run stopped: 1 error.<" in text and "96 samples were found" in text and "no source gives text" in text


def test_parts_that_are_not_as_published_are_a_warning():
    counts = [
        {"source": "v", "part": "dev", "what": "speakers", "found": 1211, "published": 1211},
        {"source": "v", "part": "dev", "what": "utterances", "found": 148_642, "published": 148_642},
        {"source": "v", "part": "test", "what": "utterances", "found": 487, "published": 4_874},
    ]
    found = by_title([row(1)], counts=pd.DataFrame(counts))["Beside the published sets"]
    assert [cells[-1] for cells in found.rows] == ["all", "all", "10%"] and found.rows[1][3] == "148,642"
    assert found.warning.startswith("1 of 2 parts are not as published, the first test of v:")
    assert not by_title([row(1)], counts=pd.DataFrame(counts[:2]))["Beside the published sets"].warning
    assert "Beside the published sets" not in by_title([row(1)])


def test_what_a_person_should_look_at_is_a_warning_and_stops_nothing(tmp_path, caplog):
    caplog.set_level("INFO")
    birds(tmp_path / "set")
    text = ingest(tmp_path / "set", tmp_path)
    assert "No warnings." in text and "the data, with 0 warnings: " in caplog.text
    image(tmp_path / "set" / "bird_1" / "large.png", 1, 0, side=90)
    (tmp_path / "set" / "bird_0" / "b.txt").write_text("no image")
    text = ingest(tmp_path / "set", tmp_path)
    assert "<strong>2 warnings</strong>" in text and "The run stopped" not in text
    assert '<a href="#rejected">Rejected</a>: 1 is not used, for 1 reason.' in text
    assert "Outliers: 1 by width, 1 by height." in text and '<h2 id="lengths-rates-and-sizes">' in text


def test_the_console_says_what_the_page_warns_of_and_names_the_labels(tmp_path, caplog):
    birds(tmp_path / "set", labels=12, files=3)
    for label in range(7):
        image(tmp_path / "set" / f"rare_{label}" / "0.png", label, 40 + label)
    lines = [f"rare_{label}/0.png,a rare bird {label}" for label in range(6)]
    with (tmp_path / "set" / "captions.csv").open("a") as stream:
        stream.write("\n".join(lines) + "\n")
    text = ingest(tmp_path / "set", tmp_path, without_partner="reject", split={"train": 0.8, "dev": 0.1, "test": 0.1})
    said = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    single = (
        "Samples of a label: 6 labels have one image sample alone: 'rare_0', 'rare_1', 'rare_2', 'rare_3', 'rare_4' "
        "and 1 more; give them more where you can."
    )
    assert single in said
    assert "Labels without a partner: 1 of 19 labels have samples of one modality alone: 'rare_6'." in said
    page = html.unescape(re.sub(r"<[^>]+>", "", text))
    warned = [line.strip() for line in page.splitlines() if any(line.strip() == each for each in said)]
    assert sorted(warned) == sorted(said) and f"{len(said)} warnings, which stop nothing" in page


def test_rates_other_than_the_commonest_and_lengths_far_from_the_others_are_outliers():
    def sounds(*rates, lengths=None):
        found = by_title(
            row(
                number,
                modality="speech",
                path=f"{number}.wav",
                sample_rate=rate,
                duration_s=(lengths or {}).get(number, 4.0),
            )
            for number, rate in enumerate(rates)
        )
        table = found["Lengths, rates and sizes"]
        return {cells[1]: cells[-2:] for cells in table.rows}, table.warning

    shown, warning = sounds(*[16000] * 6, *[8000] * 4)  # so many that quartiles alone would pass them
    assert shown["rate, Hz"] == ["4", "6.wav, 7.wav, 8.wav, 9.wav"] and warning == "Outliers: 4 by rate."
    assert sounds(*[8000] * 9)[1] == ""
    shown, warning = sounds(*[16000] * 9, lengths={3: 900.0})
    assert shown["length, s"] == ["1", "3.wav"] and warning == "Outliers: 1 by length."


def test_each_warning_is_of_what_its_table_shows():
    samples = [
        row(1, label="a"),
        row(2, label="a", split="test", sha256=f"{1:064x}"),
        row(3, label="b"),
        row(4, label="a", modality="text", path=None, text="a"),
    ]
    found = {title: table.warning for title, table in by_title(samples).items()}
    assert found["Labels without a partner"] == "1 of 2 labels have samples of one modality alone: 'b'."
    assert found["Copies, byte for byte"] == "1 file lies under several labels or splits (the first: 1.png, 2.png)."
    assert found["Samples of a label"] == "1 label has one image sample alone: 'b'; give it more where you can."
    assert found["Rejected"] == found["Lengths, rates and sizes"] == found["Counts"] == ""


def test_a_length_is_told_in_the_unit_that_it_is_read_in_and_even_classes_name_no_label():
    def counts(*seconds: float) -> tuple:
        samples = [row(number, duration_s=each, label="ab"[number % 2]) for number, each in enumerate(seconds)]
        found = by_title(samples)
        table, balance = found["Counts"], found["Samples of a label"]
        return table.rows[0][table.columns.index("length")], balance.rows[0][-2:]

    assert counts(4.0, 6.0) == ("10.0 s", ["all alike", "all alike"])
    assert counts(60.0, 30.0) == ("1.5 min", ["all alike", "all alike"])
    assert counts(3600.0, 3600.0, 1800.0) == ("2.5 h", ["b, a", "a, b"])
    assert counts(float("nan"), float("nan"))[0] == ""
