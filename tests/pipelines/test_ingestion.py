import csv
import hashlib
import io
import logging
import os
import re
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image

from cross_modal_kd.config.compute import ComputeConfig
from cross_modal_kd.config.ingestion import IngestionConfig, SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.datasets import TableDataset
from cross_modal_kd.pipelines.ingestion import create_pipeline
from cross_modal_kd.pipelines.ingestion.nodes import split_samples
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.frozen import drawn_split
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.schema import REJECTED, REJECTED_DTYPES, SAMPLES, conform
from cross_modal_kd.sources import read_sources
from cross_modal_kd.storage import write_csv
from cross_modal_kd.tasks import kind_of
from sample_tables import sample

CAPTIONED = TaskConfig(name="c", title="C", kind="classification", student="image", teacher="text")
SPEAKERS = TaskConfig(
    name="f", title="F", kind="verification", student="speech", teacher="image", pairing="label", chimeric=True
)


def own_number(file):
    """A number by which each file of a test has another content."""
    return zlib.crc32("/".join(file.parts[-2:]).encode())


def write_sound(file, seconds=0.5, rate=16000, channels=1, fill=None):
    time = np.arange(int(seconds * rate))
    wave = 0.3 * np.sin(time / (9 + own_number(file) / 2**32)) if fill is None else np.full(len(time), fill)
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.repeat(wave[:, None], channels, axis=1), rate, format="WAV", subtype="FLOAT")


def write_image(file, size=(12, 8), content=None):
    file.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    picture = Image.new("RGB", size, own_number(Path(content or file)) % 2**24)
    picture.putpixel((0, 0), (1, 2, 3))
    picture.save(stream, "PNG")
    file.write_bytes(stream.getvalue())


@pytest.fixture
def captioned(tmp_path):
    """Two labels of ten captioned pictures each."""
    paths = [f"{label}/{number}.png" for label in ("cat", "dog") for number in range(10)]
    for path in paths:
        write_image(tmp_path / path)
    pd.DataFrame({"path": paths, "text": [f"text of {path}" for path in paths]}).to_csv(
        tmp_path / "captions.csv", index=False
    )
    return tmp_path


@pytest.fixture
def voices(tmp_path):
    """Eight speakers of three clips each."""
    rows = []
    for speaker in range(8):
        for clip in range(3):
            path = f"lab_{speaker}/{clip}.wav"
            write_sound(tmp_path / "voices" / path)
            rows.append({"path": path, "speaker": f"lab_{speaker}", "language": "en", "transcript": "hm"})
    pd.DataFrame(rows).to_csv(tmp_path / "voices" / "clips.csv", index=False)
    for identity in range(1, 11):
        write_image(tmp_path / "faces" / f"s{identity}" / "1.pgm")
    return tmp_path


def ingest(task, sources, cache=None, page=None, **ingestion):
    catalog = DataCatalog(
        {
            "params:task": MemoryDataset(task),
            "params:sources": MemoryDataset(SourcesConfig.model_validate(sources)),
            "params:ingestion": MemoryDataset(IngestionConfig.model_validate(ingestion)),
            "params:compute": MemoryDataset(ComputeConfig()),
            "inspection_cache": MemoryDataset(cache, copy_mode="assign"),
            "data_page": MemoryDataset(page, copy_mode="assign"),
        }
    )
    found = SequentialRunner().run(create_pipeline(), catalog)
    samples, rejected, summary = (found[name].load() for name in ("samples", "rejected_samples", "split_summary"))
    SAMPLES.validate(samples)
    REJECTED.validate(rejected)
    return samples, rejected, summary


def folder(root):
    return {"made": {"layout": "folder", "root": str(root)}}


def speakers(root):
    return {
        "voices": {"layout": "voices", "root": str(root / "voices")},
        "faces": {"layout": "orl_faces", "root": str(root / "faces")},
    }


def test_a_captioned_folder(captioned):
    samples, rejected, summary = ingest(CAPTIONED, folder(captioned))
    assert len(samples) == 40
    assert samples["sample_id"].is_monotonic_increasing
    assert samples.loc[samples["modality"] == "image", ["width", "height"]].drop_duplicates().values.tolist() == [
        [12, 8]
    ]
    assert rejected.empty
    assert summary.groupby("modality")["samples"].sum().to_dict() == {"image": 20, "text": 20}
    assert summary["split"].tolist() == ["train", "train", "dev", "dev", "test", "test"]


def test_chimeric_speakers(voices):
    samples, rejected, summary = ingest(SPEAKERS, speakers(voices), split={"train": 0.5, "dev": 0.25, "test": 0.25})
    assert summary["labels"].tolist() == [4, 4, 2, 2, 2, 2]
    assert samples.groupby("label")["modality"].nunique().eq(2).all()
    assert samples.loc[samples["modality"] == "speech", "duration_s"].eq(0.5).all()
    assert rejected["reason"].str.contains("assigned to nobody").sum() == 2


def test_odd_names_go_through(captioned, tmp_path):
    """Whole labels and single files, to the saved table and back to their bytes; what no table can hold is rejected."""
    odd = ("C#", "new\nline", "100%20", 'say "hi", it;s', "back\\slash", "a.parquet#b", "cafe\u0301", "=1+1", "NA")
    for name in odd:
        for number in range(3):
            write_image(captioned / name / f"take#{number} {name}.png")
    with (captioned / "captions.csv").open("a", newline="", encoding="utf-8") as file:
        for path in sorted(found.relative_to(captioned).as_posix() for found in captioned.glob("*/take#*.png")):
            csv.writer(file).writerow([unicodedata.normalize("NFC", path), "odd"])
    (captioned / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    samples, rejected, _ = ingest(CAPTIONED, folder(captioned))
    assert rejected["path"].tolist() == ["cat/caf\\xe9.png"]
    assert set(samples["label"]) == {"cat", "dog", *odd[:6], "caf\u00e9", *odd[7:]}
    samples.to_parquet(captioned / "samples.parquet")
    saved, roots = (
        pd.read_parquet(captioned / "samples.parquet"),
        Roots(SourcesConfig.model_validate(folder(captioned))),
    )
    pd.testing.assert_frame_equal(saved, samples)
    for row in saved[saved["modality"] == "image"].itertuples():
        assert hashlib.sha256(roots.bytes("made", row.path)).hexdigest() == row.sha256


def test_a_split_that_was_drawn_can_be_given_back(captioned, tmp_path):
    """And is then kept, whatever is added; what is new is drawn."""
    samples, _, _ = ingest(CAPTIONED, folder(captioned), split={"train": 0.4, "dev": 0.3, "test": 0.3, "seed": 4})
    file = tmp_path / "frozen.csv"
    write_csv(file, drawn_split(samples, kind_of(CAPTIONED).design, 4))
    for number in range(3):
        write_image(captioned / "cat" / f"new {number}.png")
    add = "".join(f"cat/new {number}.png,new {number}\n" for number in range(3))
    (captioned / "captions.csv").write_text((captioned / "captions.csv").read_text() + add)
    again, _, _ = ingest(CAPTIONED, folder(captioned), split={"frozen": str(file), "seed": 4})
    both = samples.merge(again, on="sample_id")
    assert len(again) == len(both) + 6
    assert (both["split_x"] == both["split_y"]).all()


def test_one_file_under_two_labels(captioned):
    for label in ("cat", "dog"):
        write_image(captioned / label / "0.png", content="same")
    samples, rejected, _ = ingest(CAPTIONED, folder(captioned), split={"train": 0.4, "dev": 0.3, "test": 0.3})
    assert rejected["path"].tolist() == ["cat/0.png", "dog/0.png"]
    assert "several labels: cat, dog" in rejected["reason"].iloc[0]
    assert samples.loc[samples["modality"] == "image", "sha256"].is_unique
    kept, rejected, _ = ingest(CAPTIONED, folder(captioned), conflicting_copies="keep")
    assert len(kept) == 40
    assert rejected.empty


def test_one_file_in_two_official_splits(captioned):
    write_image(captioned / "cat" / "1.png", content="same")
    write_image(captioned / "cat" / "2.png", content="same")
    splits = ["train"] * 4 + ["dev"] * 3 + ["test"] * 3
    splits[1], splits[2] = "train", "test"
    lines = [f"{label}/{number}.png,{split}" for label in ("cat", "dog") for number, split in enumerate(splits)]
    (captioned / "splits.csv").write_text("path,split\n" + "\n".join(lines) + "\n")
    samples, rejected, _ = ingest(CAPTIONED, folder(captioned))
    assert rejected["path"].tolist() == ["cat/1.png"]
    assert "cat/2.png" in set(samples["path"])


def test_only_empty_captions_are_named_as_such(captioned):
    (captioned / "captions.csv").write_text("path,text\ncat/0.png,\ncat/1.png, \n")
    with pytest.raises(SamplesError, match=r"no source gives text samples.*2 were passed over: 'cat/0.png: its cap"):
        ingest(CAPTIONED, folder(captioned))


def test_only_the_modalities_of_the_task(captioned):
    write_sound(captioned / "cat" / "meow.wav")
    samples, _, _ = ingest(CAPTIONED, folder(captioned))
    assert set(samples["modality"]) == {"image", "text"}


def test_fewer_labels(voices):
    samples, _, _ = ingest(SPEAKERS, speakers(voices), max_labels=6)
    assert samples.groupby("modality")["label"].nunique().to_dict() == {"image": 6, "speech": 6}


def test_a_missing_file_stops_the_run_and_is_named(voices):
    (voices / "voices" / "lab_3" / "1.wav").unlink()
    with pytest.raises(SamplesError, match=r"voices: the file 'lab_3/1.wav' is missing .*restore it or take it out"):
        ingest(SPEAKERS, speakers(voices))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.write_bytes(b"no sound"), "not a readable sound"),
        (lambda file: file.write_bytes(b""), r"the file is empty \(0 bytes\); copy it once more"),
        (
            lambda file: file.write_bytes(b"\n<!DOCTYPE html>\n<title>403</title>"),
            "the file is a page of HTML or XML, as a ",
        ),
        (lambda file: file.write_bytes(b"\xef\xbb\xbf\n<html>"), "the file is a page of HTML or XML, as a "),
        (
            lambda file: file.write_bytes(b"<?xml version='1.0'?>\n<Error>AccessDenied"),
            "the file is a page of HTML or XML",
        ),
        (
            lambda file: file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid"),
            "the file is a pointer of Git LFS.*git lfs",
        ),
        (lambda file: file.write_bytes(bytes(4096)), "the file is zeros, as a download that broke off leaves it"),
        (lambda file: write_sound(file, fill=np.nan), "8000 samples are NaN or infinite"),
        (lambda file: write_sound(file, seconds=0.2), "0.20 s, shorter than ingestion.min_duration_s = 0.4"),
        (lambda file: write_sound(file, fill=0.0), "the sound is silent: all its samples are the same"),
        (lambda file: write_sound(file, fill=0.3), "the sound is silent: all its samples are the same"),
        (lambda file: write_sound(file, fill=-1.0, channels=2), "the sound is silent: all its samples are the same"),
    ],
)
def test_a_sound_that_cannot_be_used_is_rejected_with_its_reason(voices, spoil, reason):
    spoil(voices / "voices" / "lab_3" / "1.wav")
    samples, rejected, _ = ingest(SPEAKERS, speakers(voices))
    row = rejected[rejected["source"] == "voices"].iloc[0]
    assert row["path"] == "lab_3/1.wav"
    assert re.match(f".*{reason}", row["reason"])
    assert (samples["modality"] == "speech").sum() == 23
    with pytest.raises(SamplesError, match=rf"voices: 4.2% of its samples .*lab_3/1.wav: {reason}"):
        ingest(SPEAKERS, speakers(voices), max_rejected_share=0.04)


def test_stereo_and_another_rate_are_read(voices):
    write_sound(voices / "voices" / "lab_3" / "1.wav", rate=44100, channels=2)
    samples, _, _ = ingest(SPEAKERS, speakers(voices))
    row = samples[samples["path"] == "lab_3/1.wav"].iloc[0]
    assert (row["sample_rate"], row["duration_s"]) == (44100, 0.5)


def test_a_picture_of_one_colour_and_a_caption_of_punctuation_are_rejected_with_their_reasons(captioned):
    Image.new("RGB", (12, 8), (200, 10, 10)).save(captioned / "cat" / "0.png")
    table = captioned / "captions.csv"
    table.write_text(table.read_text().replace("text of cat/0.png", "..."))
    _, rejected, _ = ingest(CAPTIONED, folder(captioned), split={"train": 0.4, "dev": 0.3, "test": 0.3})
    assert rejected["reason"].tolist() == [
        "the picture is blank: its first frame, over white and in 8 bits, is of one colour",
        "the text is of punctuation alone: '...'",
    ]  # fmt: skip


def test_an_unreadable_image_is_rejected_and_its_caption_stays(captioned):
    (captioned / "cat" / "0.png").write_bytes(b"no image")
    samples, rejected, _ = ingest(CAPTIONED, folder(captioned), split={"train": 0.4, "dev": 0.3, "test": 0.3})
    assert rejected["path"].tolist() == ["cat/0.png"]
    assert "not a readable image" in rejected["reason"].iloc[0]
    assert len(samples) == 39


WIDE = {"train": 0.4, "dev": 0.3, "test": 0.3}


def captions_say(root, said):
    """Captions.csv anew: ``said(label, number)`` of each picture."""
    paths = [f"{label}/{number}.png" for label in ("cat", "dog") for number in range(10)]
    texts = [said(*path.removesuffix(".png").split("/")) for path in paths]
    pd.DataFrame({"path": paths, "text": texts}).to_csv(root / "captions.csv", index=False)


@pytest.mark.parametrize("pairing", ["instance", "label"])
def test_texts_that_all_say_the_same_are_refused_and_few_are_counted(captioned, caplog, pairing):
    task = CAPTIONED.model_copy(update={"pairing": pairing})
    captions_say(captioned, lambda *_: "an  animal")
    same = r"the 20 text samples all hold the same \('an animal'\), .* nothing can be learnt"
    with pytest.raises(SamplesError, match=same):
        ingest(task, folder(captioned), split=WIDE)
    captions_say(captioned, lambda label, number: f"kind {int(number) % 2}")  # the same for both labels
    ingest(task, folder(captioned), split=WIDE)
    assert "2 labels have text samples that are found under other labels too, and no other (the first is" in caplog.text
    few = "hold 2 different contents (the commonest "
    assert (few in caplog.text) == (pairing == "instance")
    caplog.clear()
    captions_say(captioned, lambda label, _: f"a {label}")  # which is all that a label has to say
    ingest(task, folder(captioned), split=WIDE)
    assert "and no other" not in caplog.text and (few in caplog.text) == (pairing == "instance")


def test_texts_that_are_the_same_in_training_alone_are_refused(captioned):
    captions_say(captioned, lambda _, number: "an animal" if int(number) < 6 else f"animal {number}")
    splits = ["train"] * 6 + ["dev"] * 2 + ["test"] * 2
    lines = [f"{label}/{number}.png,{split}" for label in ("cat", "dog") for number, split in enumerate(splits)]
    (captioned / "splits.csv").write_text("path,split\n" + "\n".join(lines) + "\n")
    with pytest.raises(SamplesError, match=r"the 12 text samples of the train split all hold the same"):
        ingest(CAPTIONED, folder(captioned))


def test_pictures_that_are_all_the_same_are_refused(captioned):
    for file in captioned.glob("*/*.png"):
        write_image(file, content="x/one.png")
    with pytest.raises(SamplesError, match="the 20 image samples all hold the same .*1?0.png.*an image of its own"):
        ingest(CAPTIONED, folder(captioned), conflicting_copies="keep")
    with pytest.raises(
        SamplesError, match="none of the image samples can be used: 20 were .*, byte for byte, lies under several"
    ):
        ingest(CAPTIONED, folder(captioned))


def test_sounds_that_are_all_the_same_are_refused(voices):
    for file in (voices / "voices").rglob("*.wav"):
        soundfile.write(file, 0.1 * np.sin(np.arange(8000)), 16000)
    with pytest.raises(SamplesError, match="the 24 speech samples all hold the same"):
        ingest(SPEAKERS, speakers(voices), conflicting_copies="keep")


def test_names_and_contents_of_anybody_make_a_table_that_is_safe_to_open_and_the_same_every_time(captioned):
    names = ["=cmd.png", "+1.png", "-1.png", "@a.png", "\x1b[31mred.png", "\tt.png", "a;=1.png", "'=q.png"]
    for name in names:
        (captioned / "cat" / name).write_bytes(name.encode())
    (captioned / '=HYPERLINK("x","y").exe').write_bytes(b"MZ")
    texts = []
    for number in range(2):
        rejected = ingest(CAPTIONED, folder(captioned), max_rejected_share=0.9)[1]
        assert sorted(rejected["path"]) == sorted([*(f"cat/{name}" for name in names), '=HYPERLINK("x","y").exe'])
        entry = TableDataset(filepath=str(captioned / f"{number}.out" / "rejected.csv"))
        entry.save(rejected.assign(path=rejected["path"].str.removeprefix("cat/")))
        pd.testing.assert_series_equal(entry.load()["reason"], rejected["reason"])
        texts.append((captioned / f"{number}.out" / "rejected.csv").read_text())
        assert entry.load()["path"].tolist() == rejected["path"].str.removeprefix("cat/").tolist()
        (captioned / f"{number}.out" / "rejected.csv").unlink()
    assert texts[0] == texts[1]
    assert "0x" not in texts[0] and "\x1b" not in texts[0]
    for row in csv.reader(io.StringIO(texts[0])):
        assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for cell in row)


def test_a_path_that_leads_outside(voices):
    clips = pd.read_csv(voices / "voices" / "clips.csv")
    clips.loc[0, "path"] = "../faces/s1/1.pgm"
    clips.to_csv(voices / "voices" / "clips.csv", index=False)
    with pytest.raises(SamplesError, match="'../faces/s1/1.pgm' leads outside the source's root"):
        ingest(SPEAKERS, speakers(voices))


def test_an_official_split_that_leaks(voices):
    root = voices / "voices"
    (root / "clips.csv").unlink()
    lines = [f"lab_{n}/{c}.wav,{('train', 'test')[c % 2]}" for n in range(8) for c in range(3)]
    (root / "splits.csv").write_text("path,split\n" + "\n".join(lines) + "\n")
    sources = speakers(voices) | {"voices": {"layout": "folder", "root": str(root)}}
    with pytest.raises(SamplesError, match=r"label\(s\) lie in more than one split: 'lab_0' in"):
        ingest(SPEAKERS, sources)


def test_a_pair_without_a_partner(captioned):
    captions = pd.read_csv(captioned / "captions.csv")
    whole, _, _ = ingest(CAPTIONED, folder(captioned))
    alone = whole.loc[(whole["split"] == "train") & (whole["modality"] == "image"), "path"].iloc[0]
    captions[captions["path"] != alone].to_csv(captioned / "captions.csv", index=False)
    with pytest.raises(SamplesError, match=f"a pair without a partner: 1 .*'made/{alone}'"):
        ingest(CAPTIONED, folder(captioned))
    samples, rejected, _ = ingest(CAPTIONED, folder(captioned), without_partner="reject")
    assert rejected["path"].tolist() == [alone]
    assert "no text sample beside it" in rejected["reason"].iloc[0]
    assert alone not in set(samples["path"])


def test_one_class_and_too_few_labels(voices):
    with pytest.raises(SamplesError, match="one-class set: .* dev split all have the label"):
        ingest(SPEAKERS, speakers(voices), max_labels=4)
    with pytest.raises(SamplesError, match="the dev split is empty"):
        ingest(SPEAKERS, speakers(voices), max_labels=2)


def test_no_samples_of_a_modality(captioned):
    (captioned / "captions.csv").unlink()
    with pytest.raises(SamplesError, match=r"no source gives text samples, which task.teacher asks for"):
        ingest(CAPTIONED, folder(captioned))


def test_any_two_sources_can_be_paired_chimerically(voices):
    """Whose labels have nothing in common."""
    pictures = {name: voices / "pictures" / f"p{name}" / "1.png" for name in range(9)}
    for file in pictures.values():
        write_image(file)
    sources = {
        "pictures": {"layout": "folder", "root": str(voices / "pictures")},
        "voices": {"layout": "voices", "root": str(voices / "voices")},
    }
    samples, rejected, _ = ingest(SPEAKERS, sources)
    assert samples.groupby("label")["modality"].nunique().eq(2).all()
    assert samples.loc[samples["modality"] == "image", "group"].isna().all()
    assert rejected["reason"].tolist()[0].endswith("9 image labels for 8 speech labels")


def test_a_task_that_is_not_chimeric_keeps_the_labels_of_both_sources(voices):
    plain, sources = SPEAKERS.model_copy(update={"chimeric": False}), SourcesConfig.model_validate(speakers(voices))
    for task, shared in ((plain, 0), (SPEAKERS, 8)):
        candidates, *_ = read_sources(task, sources, IngestionConfig())
        assert (candidates.groupby("label")["modality"].nunique() == 2).sum() == shared


def test_a_wrong_key_or_no_source_is_refused():
    with pytest.raises(ValueError, match="unknown key 'roots' in SourceConfig; expected one of: layout, lic.* root"):
        SourcesConfig.model_validate({"a": {"layout": "folder", "roots": "x"}})
    with pytest.raises(ValueError, match="sources is empty"):
        SourcesConfig.model_validate({})


def test_kedro_types_the_parameters():
    from kedro.validation import TypeExtractor

    assert TypeExtractor({"ingestion": create_pipeline()}).extract_types_from_pipelines() == {
        "task": TaskConfig,
        "sources": SourcesConfig,
        "ingestion": IngestionConfig,
        "compute": ComputeConfig,
    }


@pytest.mark.parametrize(
    ("other", "told"), [("Cat", True), ("cat ", True), ("c\u200bat", True), ("\uff43at", True), ("cats", False)]
)
def test_labels_that_may_be_meant_as_one_are_told(captioned, caplog, other, told):
    for number in range(10):
        write_image(captioned / other / f"{number}.png", content=f"{other}/{number}")
    lines = (captioned / "captions.csv").read_text() + "".join(f"{other}/{number}.png,one\n" for number in range(10))
    (captioned / "captions.csv").write_text(lines)
    samples, _, _ = ingest(CAPTIONED, folder(captioned))
    assert samples["label"].nunique() == 3
    assert (f"count as different ones: {min(other, 'cat')!r} and {max(other, 'cat')!r}; give" in caplog.text) == told


def test_pairs_of_several_levels_are_counted_in_the_summary_and_the_log(caplog):
    caplog.set_level(logging.INFO)
    task = SPEAKERS.model_copy(update={"chimeric": False, "pairing": ("instance", "session", "label")})
    rows = []
    for number in range(8):
        label = f"s{number}"
        for clip, video in (("1", "v"), ("2", "v"), ("3", "w")):
            rows.append(sample(f"{label}/{clip}", label, None, "speech", group=f"{label}/{clip}", domain=video))
        rows.append(sample(f"{label}/face", label, None, "image", group=f"{label}/1", domain="v"))
    nothing = conform(pd.DataFrame(), REJECTED_DTYPES)
    found = split_samples(conform(pd.DataFrame(rows)), nothing, task, IngestionConfig())
    voices = found.split_summary[found.split_summary["modality"] == "speech"].set_index("split")
    speakers = voices["labels"].tolist()
    for column, times in (("by_instance", 1), ("by_session", 1), ("by_label", 1), ("alone", 0)):
        assert voices[column].tolist() == [times * count for count in speakers]
    faces = found.split_summary[found.split_summary["modality"] == "image"]
    assert faces["by_instance"].isna().all()
    assert "speech samples are paired with image: 8 by instance, 8 by session, 8 by label, 0 alone" in caplog.text
    alone = split_samples(found.samples, nothing, SPEAKERS, IngestionConfig()).split_summary
    assert list(alone.columns) == ["split", "modality", "source", "samples", "labels", "groups"]
