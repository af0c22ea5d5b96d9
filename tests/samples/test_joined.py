"""Short sounds of training as one: what is heard, which are joined, and that a file that changes is heard anew."""

import io
import os
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile

from cross_modal_kd.config import IngestionConfig, SourceConfig, SourcesConfig, TaskConfig
from cross_modal_kd.pipelines.ingestion.nodes import inspect_samples
from cross_modal_kd.samples import REJECTED_DTYPES, Roots, SamplesError, UnreadableSampleError, conform, join_short
from cross_modal_kd.sources import count_sources
from published_sets import cnceleb

RATE = 16_000
TASK = TaskConfig(name="t", title="t", kind="verification", student="speech", teacher="image", pairing="label")


def wave(number, seconds):
    return np.random.default_rng(number).integers(-9000, 9000, round(seconds * RATE)).astype(np.int16)


def written(root, files):
    for number, (name, seconds) in enumerate(files.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, wave(number, seconds), RATE)
    return Roots({"s": SourceConfig(layout="folder", root=str(root))})


def test_what_is_heard_is_one_after_the_other(tmp_path):
    roots = written(tmp_path, {"a/1.flac": 0.5, "a/2.wav": 0.7, "a/3.flac": 0.2})
    content = roots.bytes("s", "a/1.flac#join/2.wav/3.flac")
    heard, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(heard, np.concatenate([wave(0, 0.5), wave(1, 0.7), wave(2, 0.2)]))


def test_sounds_that_cannot_be_one_are_named(tmp_path):
    roots = written(tmp_path, {"a/1.flac": 0.5, "a/2.flac": 0.5})
    soundfile.write(tmp_path / "a/slow.flac", wave(3, 1), 8000)
    (tmp_path / "a/torn.flac").write_bytes((tmp_path / "a/2.flac").read_bytes()[:40])
    with pytest.raises(UnreadableSampleError, match=r"of one rate .*\[\(8000, 1\), \(16000, 1\)\]"):
        roots.bytes("s", "a/1.flac#join/slow.flac")
    with pytest.raises(UnreadableSampleError, match=r"torn.flac: not a readable sound"):
        roots.bytes("s", "a/1.flac#join/torn.flac")
    with pytest.raises(SamplesError, match=r"9.flac is missing; restore it, or run ingestion again"):
        roots.bytes("s", "a/1.flac#join/9.flac")
    with pytest.raises(SamplesError, match="leads outside"):
        roots.bytes("s", "a/1.flac#join/../../secret.flac")


def table(*rows):
    """(label, domain, name, seconds, split)"""
    columns = ["label", "domain", "name", "duration_s", "split"]
    found = pd.DataFrame(rows, columns=columns)
    found["path"] = found["label"] + "/" + found.pop("name")
    given = {"modality": "speech", "source": "s", "sample_rate": RATE, "sha256": "0" * 64}
    names = {"sample_id": "s/" + found["path"], "group": found["path"], "condition_session": found["path"].str[:5]}
    return conform(found.assign(**given, **names))


def test_those_of_one_label_domain_and_folder_are_joined_in_turn_until_they_last():
    rows = table(
        ("a", "sing", "s1-1.flac", 2.0, "train"),
        ("a", "sing", "s1-2.flac", 7.0, "train"),  # long enough
        ("a", "sing", "s1-3.flac", 2.5, "train"),
        ("a", "sing", "s2-4.flac", 1.0, "train"),  # 5.5 s with the two before
        ("a", "sing", "s2-5.flac", 1.0, "train"),
        ("a", "sing", "s2-6.flac", 1.0, "train"),  # the rest
        ("a", "talk", "s1-7.flac", 1.0, "train"),  # alone in its domain
        ("b", "sing", "s1-1.flac", 4.9, "train"),  # alone of its label
        ("c", "sing", "s1-1.flac", 1.0, "test"),
        ("c", "sing", "s1-2.flac", 1.0, "test"),
        ("d", "sing", "s1-1.m4a", 1.0, "train"),  # of which no part is read
        ("d", "sing", "s1-2.m4a", 1.0, "train"),
        ("e", "sing", "s1-1.flac", 1.0, "train"),  # nobody knows whose
        ("e", "sing", "s1-2.flac", 1.0, "train"),
    )
    rows["label"] = rows["label"].mask(rows["label"] == "e")
    rest, made = join_short(rows, 5.0)
    assert made["path"].tolist() == ["a/s1-1.flac#join/s1-3.flac/s2-4.flac", "a/s2-5.flac#join/s2-6.flac"]
    assert made["sample_id"].tolist() == ["s/a/s1-1.flac+2", "s/a/s2-5.flac+1"]
    assert made["group"].tolist() == ["a/s1-1.flac+2", "a/s2-5.flac+1"]
    assert made["condition_session"].isna().tolist() == [True, False]
    assert (made[["label", "domain", "split"]] == ["a", "sing", "train"]).all(axis=None)
    assert rest["path"].tolist() == rows["path"].drop([0, 2, 3, 4, 5]).tolist()
    again = join_short(rows.sample(frac=1, random_state=0), 5.0)[1]
    assert set(again["path"]) == set(made["path"])


def test_where_no_source_says_what_is_training_nothing_can_be_joined():
    rows = table(("a", "x", "1.flac", 1.0, "train"), ("a", "x", "2.flac", 1.0, "train")).assign(split=None)
    with pytest.raises(SamplesError, match=r"ingestion.join_s = 5: .* no source says which are"):
        join_short(rows, 5.0)


def test_cn_celeb_has_fewer_and_longer_sounds_to_train_with_and_the_same_to_test(tmp_path, caplog):
    root = cnceleb(tmp_path / "cn")
    sources = SourcesConfig.model_validate({"cn": {"layout": "cnceleb", "root": str(root)}})
    look = partial(_looked_at, sources, tmp_path / "cache")
    caplog.set_level("INFO")
    apart, joined = look(None), look(2.0)
    assert "42 sounds of training that are shorter than ingestion.join_s = 2 s are 21 joined ones now" in caplog.text
    train, before = (rows[rows["split"] == "train"] for rows in (joined, apart))
    assert len(before) == 45 and len(train) == 24  # three utterances of the miniature are silent: their pairs are alone
    assert (train["duration_s"] >= 2).sum() == train["path"].str.contains("#join/").sum() == 21
    assert train["duration_s"].sum() == pytest.approx(before["duration_s"].sum())
    assert train.groupby(["label", "domain"]).size().eq(1).all()
    tested = [rows[rows["split"] == "test"].reset_index(drop=True) for rows in (joined, apart)]
    pd.testing.assert_frame_equal(*tested)
    pd.testing.assert_frame_equal(look(2.0), joined)
    file = root / "CN-Celeb_flac/data/id00000/singing-02-004.flac"  # the second of two
    soundfile.write(file, wave(0, 1), RATE)
    os.utime(file, (1, 1))
    changed = look(2.0)
    other = changed[changed["sha256"].to_numpy() != joined["sha256"].to_numpy()]
    assert other["sample_id"].tolist() == ["cn/id00000/singing-01-001+1"]


def _looked_at(sources, cache, seconds):
    ingestion = IngestionConfig(join_s=seconds)
    listed = count_sources(TASK.model_copy(update={"teacher": "speech"}), sources, ingestion)
    found = inspect_samples(listed.candidates, listed.passed_over, sources, ingestion, inspection_cache=cache)
    assert list(found.unusable_samples) == list(REJECTED_DTYPES)
    return found.inspected_samples.sort_values("sample_id", ignore_index=True)
