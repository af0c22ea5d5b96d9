"""Lists of trials: how they are read, what their names stand for, scores and metrics against plain loops."""

import hashlib
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import ScoreTrialsConfig, SpeakersConfig
from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.evaluation import measure_trials, read_trials, score_trials
from cross_modal_kd.evaluation.trial_lists import published
from cross_modal_kd.evaluation.trial_lists import read as reading
from cross_modal_kd.evaluation.trial_lists.published import PublishedTrials, name_of_trials
from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.evaluation.trial_lists.speakers import by_speaker
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources import layout_of
from published_sets import cnceleb
from voxceleb_trees import metas

TRIALS = [("id1/a/1.wav", "id1/b/1.wav", 1), ("id1/a/1.wav", "id2/a/1.wav", 0), ("id2/a/1.wav", "id1/b/1.wav", 0)]
LINES = {
    "voxceleb.txt": "1 {0} {1}\n",
    "cnceleb.lst": "{0} {1} {2}\n",
    "tabs.txt": "{2}\t{0}\t{1}\r\n",
    "blanks.txt": "  {2}   {0} \t{1} \n\n",
    "kaldi": "{0} {1} {3}\n",
    "table.csv": "{0},{1},{2}\n",
    "semicolons.csv": "{0};{1};{2}\n",
    "unlabelled.txt": "{0} {1}\n",
}
HEADERS = {"table.csv": "enrol,test,label\n", "semicolons.csv": "enrol;test;label\n", "blanks.txt": chr(0xFEFF)}


def listed(folder, name, trials=TRIALS):
    if name == "table.parquet":
        pd.DataFrame(trials, columns=["enrol_id", "test_id", "target"]).to_parquet(folder / name)
        return folder / name
    form = LINES[name].replace("1 {0}", "{2} {0}")
    rows = [form.format(*trial, ("nontarget", "target")[trial[2]]) for trial in trials]
    (folder / name).write_bytes((HEADERS.get(name, "") + "".join(rows)).encode())
    return folder / name


def as_rows(trials):
    labels = [None] * len(trials) if trials.target is None else trials.target.tolist()
    names = [[trials.names[number] for number in side] for side in (trials.enrol, trials.test)]
    return list(zip(*names, labels, strict=True))


@pytest.mark.parametrize("name", [*LINES, "table.parquet"])
def test_every_form_of_a_list_is_the_same_trials(tmp_path, name):
    found = as_rows(read_trials(listed(tmp_path, name)))
    assert found == [(*trial[:2], None) if name == "unlabelled.txt" else trial for trial in TRIALS]


@pytest.mark.parametrize("name", ["voxceleb.txt", "blanks.txt", "table.csv", "table.parquet"])
def test_blocks_of_any_size_are_one_list(tmp_path, name, monkeypatch):
    trials = [(f"id{a}/x.wav", f"id{b}/y.wav", int(a == b)) for a in range(7) for b in range(9)]
    file = listed(tmp_path, name, trials)
    monkeypatch.setattr(reading, "BLOCK", 100)
    monkeypatch.setattr(reading, "ROWS", 4)
    assert as_rows(read_trials(file)) == trials


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "1 a b\n1 a\n", "a.txt, line 2: expected 'label enrol test' as in the first line, found '1 a'"),
        ("a.txt", "1 a b\n\n2 a b\n", "a.txt, line 3: expected 'label enrol test' .*found '2 a b'"),
        ("a.txt", "a b 1\na b c 0\n", "a.txt, line 2: expected 'enrol test label' .*found 'a b c 0'"),
        ("a.txt", "1 a b\n0 a \n", "a.txt, line 2: .*found '0 a '"),
        ("a.txt", "a b\n1 a b\n", "a.txt, line 2: expected 'enrol test' .*found '1 a b'"),
        ("a.txt", "\na b c\n", "a.txt, line 2: expected 'label enrol test', 'enrol test label' or .*found 'a b c'"),
        ("a.txt", "1 a 0\n", "a.txt, line 1: expected 'label enrol test'"),
        ("a.txt", "a\n", "a.txt, line 1: expected .*found 'a'"),
        ("a.txt", "", "a.txt: the list holds no trial; expected 'label enrol test'"),
        ("a.txt", " \n", "a.txt: the list holds no trial"),
        ("a.csv", "enrol,test,label\na,b,1\na,b\n", "a.csv, line 3: expected 3 fields between commas"),
        ("a.csv", "enrol,test,label\na,b,1\n,b,0\n", "a.csv, line 3: expected names and a label of 1 or 0, found ''"),
        ("a.csv", "enrol,test,label\na,b,7\n", "a.csv, line 2: expected names and a label of 1 or 0, found '7'"),
        ("a.csv", "one,test,label\na,b,1\n", "a.csv: expected the column.s. 'enrol', found"),
        ("a.parquet", "nonsense", "a.parquet: not a readable Parquet file"),
    ],
)
def test_a_malformed_list_is_refused_with_its_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(SamplesError, match=message):
        read_trials(tmp_path / name)


def test_more_lists_that_are_refused(tmp_path):
    with pytest.raises(SamplesError, match="nowhere.txt: there is no such list"):
        read_trials(tmp_path / "nowhere.txt")
    (tmp_path / "latin.txt").write_bytes(b"1 a caf\xe9\n")
    with pytest.raises(SamplesError, match="latin.txt: not a text in UTF-8"):
        read_trials(tmp_path / "latin.txt")
    pd.DataFrame({"enrol": ["a", None], "test": ["b", "c"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SamplesError, match="a.parquet, row 2: expected names .* found nothing"):
        read_trials(tmp_path / "a.parquet")
    pd.DataFrame({"enrol": [], "test": []}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SamplesError, match="b.parquet: the list holds no trial"):
        read_trials(tmp_path / "b.parquet")


def test_pairs_that_stand_twice_are_a_warning_and_with_both_labels_an_error(tmp_path, caplog):
    np.savez(tmp_path / "e.npz", names=np.array(["a", "b", "c"]), values=np.eye(3))

    def scored(text):
        (tmp_path / "list.txt").write_text(text)
        return score_trials(ScoreTrialsConfig(trials=str(tmp_path / "list.txt"), embeddings=str(tmp_path / "e.npz")))

    scored("1 a b\n0 a c\n0 b c\n")
    assert not caplog.text
    assert len(scored("1 a b\n0 a c\n1 b a\n1 c c\n").scores) == 4
    assert "list.txt: 1 of its 4 trials stand in the list more than once" in caplog.text
    assert "list.txt: 1 of its 4 trials compare a file with itself" in caplog.text
    with pytest.raises(SamplesError, match=r"list.txt: 'a' and 'b' are a target .* and an impostor .*1 pairs are so"):
        scored("1 a b\n0 a c\n0 b a\n")
    scored("a b\nb a\n")  # without labels nothing can contradict
    for name in ("list.txt.gz", "list.zip"):
        (tmp_path / name).write_bytes(b"1 a b")
        with pytest.raises(SamplesError, match=f"{name}: a packed file is not read; unpack it"):
            read_trials(tmp_path / name)


def test_memory_of_reading_is_a_block_and_nine_bytes_a_trial(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 1 << 16)
    (tmp_path / "long.txt").write_text(
        "".join(f"{n % 2} id{n % 50}/a/1.wav id{n % 71}/b/1.wav\n" for n in range(100_000))
    )
    tracemalloc.start()
    assert len(read_trials(tmp_path / "long.txt")) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 100_000


@pytest.fixture
def corpus(tmp_path):
    """Three speakers of four utterances, with a list of all pairs: a config of it."""
    generator = np.random.default_rng(5)
    names = [f"set/id{speaker}/clip/{number}" for speaker in range(3) for number in range(4)]
    values = generator.normal(size=(3, 1, 6)).repeat(4, axis=1).reshape(12, 6) + generator.normal(size=(12, 6))
    np.savez(tmp_path / "e.npz", names=names, values=values)
    short = [name.removeprefix("set/") + ".wav" for name in names]
    pairs = [(a, b) for a in short for b in short if a < b]
    (tmp_path / "list.txt").write_text("".join(f"{int(a[:3] == b[:3])} {a} {b}\n" for a, b in pairs))
    return ScoreTrialsConfig(
        trials=str(tmp_path / "list.txt"), embeddings=str(tmp_path / "e.npz"), far=[0.1, 0.001], min_errors=3
    )


def vectors_of(asked):
    """Embeddings by the list's names, of length 1, as plain float64."""
    with np.load(asked.embeddings) as file:
        unit = file["values"].astype(np.float32).astype(np.float64)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        return {name.removeprefix("set/") + ".wav": vector for name, vector in zip(file["names"], unit, strict=True)}


def test_scores_and_metrics_are_those_of_a_plain_loop(corpus):
    scored = score_trials(corpus)
    table, vectors = scored.table(), vectors_of(corpus)
    expected = [vectors[a] @ vectors[b] for a, b in zip(table["enrol"], table["test"], strict=True)]
    assert table["score"].tolist() == pytest.approx(expected, abs=1e-6) and "cosine" not in table
    found = measure_trials(scored, corpus)
    targets, impostors = (table.loc[table["label"] == label, "score"].to_numpy(np.float64) for label in (1, 0))
    cut = found.metrics["thresholds"]["far_0.1"]
    assert (
        cut["far"] == (impostors >= cut["threshold"]).mean() <= 0.1
        and cut["frr"] == (targets < cut["threshold"]).mean()
    )
    assert "48 impostor trials, 3000 are needed for 3" in found.metrics["thresholds"]["far_0.001"]["reason"]
    sweep = [((targets < cut).mean(), (impostors >= cut).mean()) for cut in [*np.sort(table["score"]), np.inf]]
    assert found.metrics["min_dcf_05"] == pytest.approx(min(0.05 * frr + 0.95 * far for frr, far in sweep) / 0.05)
    assert min(max(each) for each in sweep) >= found.metrics["eer"] >= max(min(each) for each in sweep)
    for point in found.det.itertuples():  # every point of the curve is the errors at its threshold
        assert point.frr == (targets < point.threshold).mean() and point.far == (impostors >= point.threshold).mean()
    assert set(targets) <= set(found.det["threshold"])
    assert found.metrics["targets"] == 18 and found.metrics["impostors"] == 48 and found.plot().axes[0].lines


def test_enrolment_from_several_utterances_is_the_mean_of_unit_embeddings(corpus, tmp_path):
    (tmp_path / "models.txt").write_text("one id0/clip/0.wav id0/clip/1.wav id0/clip/2.flac\ntwo id1/clip/0.wav\n")
    (tmp_path / "list.txt").write_text("one id0/clip/3.wav 1\ntwo id0/clip/3.wav 0\none id1/clip/0.wav 0\n")
    scored = score_trials(corpus.model_copy(update={"models": str(tmp_path / "models.txt")}))
    vectors = vectors_of(corpus)
    one = sum(vectors[f"id0/clip/{number}.wav"] for number in range(3)) / 3
    one, two, test = one / np.linalg.norm(one), vectors["id1/clip/0.wav"], vectors["id0/clip/3.wav"]
    assert scored.scores.tolist() == pytest.approx([one @ test, two @ test, one @ two], abs=1e-6)
    assert scored.about["models"].endswith("models.txt")
    assert scored.about["enrolment"] == "Avg: the mean of the unit embeddings of 1 to 3 utterances of each model"


def test_lists_of_cn_celeb_are_read_as_they_are_published(tmp_path):
    root = cnceleb(tmp_path) / "CN-Celeb_flac/eval/lists"
    generator = np.random.default_rng(0)
    avg = {name: generator.normal(size=6) for name in read_names(tmp_path, "avg")}
    concat = {name: generator.normal(size=6) for name in read_names(tmp_path, "concat")}
    np.savez(tmp_path / "avg.npz", **avg)
    np.savez(tmp_path / "concat.npz", **concat)
    for protocol, models, said in (
        ("avg", "enroll.map", "Avg: the mean of the unit embeddings of 2 to 2 utterances of each model"),
        ("concat", "enroll.lst", "Concat: the one embedding of a file of joined utterances"),
        ("concat", None, "Concat: the one embedding of a file of joined utterances"),
    ):
        asked = ScoreTrialsConfig(
            trials=str(root / "trials.lst"), embeddings=str(tmp_path / f"{protocol}.npz"),
            models=models and str(root / models),
        )  # fmt: skip
        scored = score_trials(asked)
        assert scored.about["enrolment"] == said and len(scored.trials) == 2 * 12
        assert scored.about["name"] == "trials.lst (not CN-Celeb eval: 24 trials with 8 targets)"
        first = scored.table().iloc[0]  # the model stands first, the label last, .wav is .flac
        assert first[["enrol", "test", "label"]].tolist() == ["id00800-enroll", "test/id00800-interview-01-003.wav", 1]
        vectors = {"avg": avg, "concat": concat}[protocol]
        enrolled = ["id00800/singing-01-001", "id00800/live_broadcast-01-002"]
        names = [f"cn/{each}" for each in (enrolled if protocol == "avg" else ["enroll/id00800-enroll"])]
        enrol = sum(vectors[name] / np.linalg.norm(vectors[name]) for name in names)
        test = vectors["cn/test/id00800-interview-01-003"]
        cosine = enrol @ test / np.linalg.norm(enrol) / np.linalg.norm(test)
        assert first["score"] == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize(
    "form", ["CNC-Eval-Avg.lst", "CNC-Eval-Concat.lst", "CNC-Eval-Core.lst", "CNC-Eval-interview.lst"]
)
def test_lists_that_wespeaker_writes_of_cn_celeb_are_the_same_trials_with_a_row_a_genre(tmp_path, form, caplog):
    lists = cnceleb(tmp_path) / "CN-Celeb_flac/eval/lists"
    rows = [line.split() for line in (lists / "trials.lst").read_text().splitlines()]
    word = {"1": "target", "0": "nontarget"}
    written = {
        "CNC-Eval-Avg.lst": [f"{model} {test} {word[label]}" for model, test, label in rows],
        "CNC-Eval-Concat.lst": [f"enroll/{model}.wav {test} {word[label]}" for model, test, label in rows],
        "CNC-Eval-Core.lst": [f"{label} enroll/{model}.wav {test}" for model, test, label in rows],
        "CNC-Eval-interview.lst": [
            f"{model} {test} {word[label]}" for model, test, label in rows if "interview" in test
        ],
    }[form]
    (tmp_path / form).write_text("\n".join(written) + "\n")
    protocol = "concat" if "enroll/" in written[0] else "avg"
    generator = np.random.default_rng(0)
    names = read_names(tmp_path, protocol)
    np.savez(tmp_path / "e.npz", **{name: generator.normal(size=6) for name in names})
    sources = Roots({"cn": SourceConfig(layout="cnceleb", root=str(tmp_path))})
    table = layout_of("cn", "cnceleb")("cn", sources, {"enrolment": protocol}).rows
    table.to_parquet(tmp_path / "samples.parquet")
    models = str(lists / "enroll.map") if protocol == "avg" else None
    speakers = {"table": str(tmp_path / "samples.parquet"), "bootstrap": 20}
    asked = {"embeddings": str(tmp_path / "e.npz"), "models": models, "speakers": speakers}
    asked = ScoreTrialsConfig(trials=str(tmp_path / form), **asked)
    scored = score_trials(asked)
    plain = score_trials(asked.model_copy(update={"trials": str(lists / "trials.lst")}))
    of_list = plain.table()
    kept = of_list["test"].astype("str").str.contains("interview" if "interview" in form else "")
    assert scored.scores.tolist() == pytest.approx(of_list.loc[kept, "score"].tolist())
    assert scored.table()["label"].tolist() == of_list.loc[kept, "label"].tolist()
    found = measure_trials(scored, asked).metrics
    counts = f"{len(scored.trials)} trials with {int(scored.trials.targets)} targets"
    of_genre = form == "CNC-Eval-interview.lst"  # such lists are nobody's published ones
    assert found["name"] == (form if of_genre else f"{form} (not CN-Celeb eval: {counts})")
    assert found["enrolment"].startswith("Avg" if protocol == "avg" else "Concat")
    tested = scored.table().assign(genre=lambda rows: rows["test"].astype("str").str.extract(r"-([a-z_]+)-")[0])
    counts = {
        f"eer_test_genre/{genre}": [int(part["label"].sum()), int((part["label"] == 0).sum())]
        for genre, part in tested.groupby("genre")
    }
    genres = {row["metric"]: [row["targets"], row["impostors"]] for row in found["conditions"]}
    assert counts == {name: genres[name] for name in counts}  # whose models are of several genres
    assert name_of_trials(tmp_path / form, 3_484_292, 17_755) == "CN-Celeb eval"


def read_names(root, enrolment):
    sources = Roots({"cn": SourceConfig(layout="cnceleb", root=str(root))})
    rows = layout_of("cn", "cnceleb")("cn", sources, {"enrolment": enrolment}).rows
    return rows.loc[rows["split"] == "test", "sample_id"]


def test_the_published_lists_have_the_published_counts():
    """Targets and impostors, and the first digits of the MD5."""
    counts = {
        "veri_test.txt": (18_860, 18_860, "29fc7cc1"),
        "veri_test2.txt": (18_802, 18_809, "b7311073"),
        "list_test_all.txt": (290_743, 290_737, "b9ecf7aa"),
        "list_test_all2.txt": (289_921, 289_897, "a53e059d"),
        "list_test_hard.txt": (276_270, 276_266, "21c341b6"),
        "list_test_hard2.txt": (275_488, 275_406, "857790e0"),
        "trials.lst": (17_755, 3_466_537, None),
    }
    held = {
        each.file: (each.targets, each.trials - each.targets, each.md5 and each.md5[:8]) for each in published.TRIALS
    }
    assert held == counts and sum(held["trials.lst"][:2]) == 196 * 17_777  # every model with every file
    for each in published.TRIALS[:6]:
        assert each.name.endswith("cleaned" if each.file.endswith("2.txt") else "original") and len(each.md5) == 32


def test_a_published_list_has_its_name_and_another_does_not(tmp_path, caplog, monkeypatch):
    file = tmp_path / "mine.txt"
    file.write_text("1 a b\n")
    cleaned = "VoxCeleb1-O, cleaned (by its counts; the file is not byte for byte the published one)"
    assert name_of_trials(file, 37_611, 18_802) == cleaned
    assert name_of_trials(file, 3_484_292, 17_755) == "CN-Celeb eval"  # whose MD5 is not known
    assert name_of_trials(file, 37_611, 18_803) == name_of_trials(file, 37_611, None) == "mine.txt" and not caplog.text
    known = [PublishedTrials("one", "a.txt", 1, 1, hashlib.md5(b"1 a b\n").hexdigest())]  # noqa: S324
    monkeypatch.setattr(published, "TRIALS", [*published.TRIALS, *known])
    assert name_of_trials(file, 1, 1) == "one"
    assert name_of_trials(tmp_path / "veri_test2.txt", 100, 50) == (
        "veri_test2.txt (not VoxCeleb1-O, cleaned: 100 trials with 50 targets)"
    )
    assert name_of_trials(tmp_path / "voxceleb1_test_v2.txt", 100, 50) == (
        "voxceleb1_test_v2.txt (not VoxCeleb1-O, original: 100 trials with 50 targets)"
    )
    (tmp_path / "voxceleb1_test_v2.txt").write_text("1 a b\n")
    of_openslr = name_of_trials(tmp_path / "voxceleb1_test_v2.txt", 37_720, 18_860)
    assert of_openslr == "VoxCeleb1-O, original (by its counts; the file is not byte for byte the published one)"
    assert "found 100 trials with 50 targets; VoxCeleb1-O, cleaned has 37,611 with 18,802 targets" in caplog.text


@pytest.mark.parametrize("form", ["utt2spk", "speakers.csv", "samples.parquet"])
def test_s_norm_is_that_of_a_plain_loop_over_the_cohorts_mean_embeddings(corpus, tmp_path, form, caplog):
    generator = np.random.default_rng(6)
    trained = {f"train/{speaker}/{number}": generator.normal(size=6) for speaker in range(5) for number in range(3)}
    nobody = {f"train/nobody/{number}": 100 * generator.normal(size=6) for number in range(4)}
    np.savez(tmp_path / "trained.npz", **trained, **nobody)
    rows = pd.DataFrame(
        [(name, name.split("/")[1], "train") for name in [*trained, "train/9/lost"]], columns=["n", "s", "split"]
    )
    if form != "utt2spk":
        blank = pd.DataFrame({"n": list(nobody), "s": [None, "", "  ", None], "split": "train"})
        rows = pd.concat([rows, blank], ignore_index=True)
        caplog.set_level("INFO")
    if form == "utt2spk":
        (tmp_path / form).write_text("".join(f"{row.n}.wav {row.s}\n" for row in rows.itertuples()))
    elif form == "speakers.csv":
        rows.rename(columns={"n": "name", "s": "speaker"}).to_csv(tmp_path / form, index=False)
    else:
        other = pd.DataFrame([("train/0/1", "test", "test")], columns=["n", "s", "split"])  # no speaker of training
        pd.concat([other, rows]).rename(columns={"n": "sample_id", "s": "label"}).to_parquet(tmp_path / form)
    norm = {"top": 3, "embeddings": str(tmp_path / "trained.npz"), "labels": str(tmp_path / form)}
    asked = ScoreTrialsConfig(**{**corpus.model_dump(), "as_norm": norm})
    scored = score_trials(asked)

    cohort = []
    for speaker in range(5):
        mean = sum(
            trained[f"train/{speaker}/{number}"] / np.linalg.norm(trained[f"train/{speaker}/{number}"])
            for number in range(3)
        )
        cohort.append(mean / np.linalg.norm(mean))
    table, vectors = scored.table(), vectors_of(corpus)
    for row in table.itertuples():
        near = [sorted((vectors[side] @ each for each in cohort), reverse=True)[:3] for side in (row.enrol, row.test)]
        expected = sum((row.cosine - np.mean(each)) / np.std(each) for each in near) / 2
        assert row.score == pytest.approx(expected, abs=2e-4)
    assert scored.about["as_norm"] | {"labels": ""} == {"top": 3, "cohort": 5, "labels": ""}
    assert ("4 of its" in caplog.text) == (form != "utt2spk")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_names_without_a_speaker_are_not_of_one_speaker(tmp_path, form):
    generator = np.random.default_rng(0)
    names = [f"{number}.wav" for number in range(60)]
    rows = pd.DataFrame({"sample_id": names, "label": [f"s{number // 3}" for number in range(60)]})
    first, second = np.triu_indices(60, 1)
    target = (rows["label"].to_numpy()[first] == rows["label"].to_numpy()[second]).astype(np.int8)
    trials = TrialList(tmp_path / "list", names, first.astype(np.int32), second.astype(np.int32), target)
    rows.loc[30:, "label"] = None
    rows.loc[45:, "label"] = " "
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.to_parquet(tmp_path / "t.parquet")
    asked = SpeakersConfig(table=str(tmp_path / f"t.{form}"), bootstrap=50)
    found = by_speaker(trials, generator.normal(size=len(target)) + 2 * target, asked, None, [0.05])["intervals"]
    assert found["reason"].startswith("1,335 of the 1,770 trials have a name without a speaker in")


@pytest.mark.parametrize("speakers", [12, 20])
def test_few_speakers_are_said_to_be_too_few_for_some_intervals(tmp_path, speakers, caplog):
    of = np.repeat(np.arange(speakers), 3)
    names = [f"{number}.wav" for number in range(len(of))]
    first, second = np.triu_indices(len(of), 1)
    target = (of[first] == of[second]).astype(np.int8)
    trials = TrialList(tmp_path / "list", names, first.astype(np.int32), second.astype(np.int32), target)
    pd.DataFrame({"sample_id": names, "label": of}).to_csv(tmp_path / "t.csv", index=False)
    scores = np.random.default_rng(0).normal(size=len(target)) + target
    found = by_speaker(trials, scores, SpeakersConfig(table=str(tmp_path / "t.csv"), bootstrap=50), None, [0.05])
    assert found["intervals"]["auc"]["low"] is not None
    assert ("with 12 speakers to draw from" in caplog.text) == (speakers == 12)


def test_a_list_without_labels_or_without_impostors_is_scored_and_not_measured(corpus, tmp_path):
    for content, reason in (
        ("id0/clip/0 id1/clip/1\n", "the list has no labels"),
        ("1 id0/clip/0 id0/clip/1\n", "1 of the 1 trials are targets"),
    ):
        (tmp_path / "list.txt").write_text(content)
        scored = score_trials(corpus)
        found = measure_trials(scored, corpus)
        assert (
            len(scored.table()) == 1
            and found.metrics["reason"] == reason
            and found.det.empty
            and "eer" not in found.metrics
        )
        assert reason in found.plot().axes[0].texts[0].get_text()
    assert ("label" in scored.table()) and found.metrics["trials"] == 1


NAMED = (
    "1 Eartha_Kitt/x6uYqmx31kE_0000001.wav Eartha_Kitt/-_zcIw_-eo4_0000008.wav\n"
    "0 Eartha_Kitt/x6uYqmx31kE_0000001.wav vox1/Louis_C.K/1zcIwhmdeo4_0000012.wav\n"
    "0 id10270-x6uYqmx31kE-00001 id10001/1zcIwhmdeo4/00003.wav\n"
)


@pytest.fixture
def named(tmp_path):
    """A list by the names of 2017, by Kaldi's and by ids, and embeddings by ids: the configuration."""
    names = ("id10270/x6uYqmx31kE/00001", "id10270/-_zcIw_-eo4/00008", "id10002/1zcIwhmdeo4/00012")
    generator = np.random.default_rng(1)
    np.savez(tmp_path / "e.npz", **{name: generator.normal(size=5) for name in (*names, "id10001/1zcIwhmdeo4/00003")})
    metas(tmp_path)
    (tmp_path / "voxceleb1_test.txt").write_text(NAMED)
    return {
        "trials": str(tmp_path / "voxceleb1_test.txt"),
        "embeddings": str(tmp_path / "e.npz"),
        "vox1_meta": str(tmp_path / "vox1_meta.csv"),
    }


def test_a_list_by_names_is_read_by_the_table_of_the_speakers(named, tmp_path):
    with pytest.raises(SamplesError, match="line 1: 'Eartha_Kitt/x6uYqmx31kE_0000001.wav' has no embedding"):
        score_trials(ScoreTrialsConfig(**named | {"vox1_meta": None}))
    (tmp_path / "voxceleb1_test.txt").write_text(
        NAMED.replace("id10270-x6uYqmx31kE-00001", "id10270/x6uYqmx31kE/00001")
    )
    with pytest.raises(
        SamplesError, match="one utterance under two names: 'Eartha_Kitt/x6uYqmx31kE_0000001.wav', 'id10"
    ):
        score_trials(ScoreTrialsConfig(**named))
    (tmp_path / "voxceleb1_test.txt").write_text("".join(NAMED.splitlines(keepends=True)[:2]))
    found = score_trials(ScoreTrialsConfig(**named)).table()
    assert found["test"].tolist() == ["id10270/-_zcIw_-eo4/00008", "id10002/1zcIwhmdeo4/00012"]
    with np.load(named["embeddings"]) as file:
        one, other = (file[name] for name in ("id10270/x6uYqmx31kE/00001", "id10002/1zcIwhmdeo4/00012"))
    assert found["score"][1] == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-6)
    (tmp_path / "voxceleb1_test.txt").write_text(NAMED.replace("Louis_C.K", "Nobody"))
    with pytest.raises(
        SamplesError, match="line 2: 'vox1/Nobody/1zcIwhmdeo4_0000012.wav' is of no speaker whom .*meta"
    ):
        score_trials(ScoreTrialsConfig(**named))


def test_a_list_by_the_names_of_kaldis_recipes(named, tmp_path):
    (tmp_path / "trials").write_text("id10270-x6uYqmx31kE-00001 id10270--_zcIw_-eo4-00008 target\n")
    asked = ScoreTrialsConfig(**named | {"trials": str(tmp_path / "trials"), "vox1_meta": None})
    with np.load(named["embeddings"]) as file:
        one, other = (file[name] for name in ("id10270/x6uYqmx31kE/00001", "id10270/-_zcIw_-eo4/00008"))
    assert score_trials(asked).scores == pytest.approx(
        one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-6
    )


@pytest.mark.parametrize("top", [0, 2])
def test_the_mean_of_the_cohort_is_subtracted_first_where_it_is_asked_for(corpus, tmp_path, top):
    generator = np.random.default_rng(7)
    trained = {f"train/{speaker}/{number}": 3 + generator.normal(size=6) for speaker in "abc" for number in range(2)}
    np.savez(tmp_path / "trained.npz", **trained)
    (tmp_path / "utt2spk").write_text("".join(f"{name} {name[6]}\n" for name in trained))
    norm = {"top": top, "embeddings": str(tmp_path / "trained.npz"), "labels": str(tmp_path / "utt2spk")}
    plain, centred = (
        score_trials(ScoreTrialsConfig(**{**corpus.model_dump(), "as_norm": norm | {"centre": centre}}))
        for centre in (False, True)
    )
    mean = np.mean(list(trained.values()), axis=0)
    with np.load(corpus.embeddings) as file:
        np.savez(tmp_path / "moved.npz", names=file["names"], values=file["values"] - mean)
    np.savez(tmp_path / "trained.npz", **{name: vector - mean for name, vector in trained.items()})
    moved = corpus.model_copy(update={"embeddings": str(tmp_path / "moved.npz")}).model_dump()
    expected = score_trials(ScoreTrialsConfig(**{**moved, "as_norm": norm}))
    assert centred.scores == pytest.approx(expected.scores, abs=1e-4, rel=1e-5)
    assert np.abs(plain.scores - centred.scores).max() > 0.05
    assert "centre" not in plain.about and centred.about["centre"].endswith("utt2spk")


def test_a_pickle_of_trials_is_not_loaded(tmp_path):
    (tmp_path / "test_verification.pkl").write_bytes(b"cos\nsystem\n(S'touch evil'\ntR.")
    with pytest.raises(SamplesError, match="a pickle can run any code as it is loaded, so none is; .*expected 'label"):
        read_trials(tmp_path / "test_verification.pkl")


def test_scores_that_are_all_one_have_a_finite_threshold(corpus, tmp_path):
    np.savez(tmp_path / "alike.npz", names=np.array(["a", "b", "c"]), values=np.ones((3, 4)))
    (tmp_path / "list.txt").write_text("1 a b\n0 a c\n")
    corpus = corpus.model_copy(update={"embeddings": str(tmp_path / "alike.npz")})
    found = measure_trials(score_trials(corpus), corpus).metrics
    assert found["eer"] == 0.5 and found["thresholds"]["eer"]["threshold"] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"list.txt": "1 id0/clip/0 id0/clip/1\n\n0 id0/clip/0 id7/clip/9\n0 id8/a id9/b\n"},
         r"list.txt, line 3: 'id7/clip/9' has no embedding \(and 2 names more\); there are 12, such as 'set/id0"),
        ({"list.txt": "1 id0/clip/0 1.wav\n"}, "list.txt, line 1: '1.wav' may be 'set/id0/clip/1' or 'set/id1/clip/1'"),
        ({"models.txt": "one id0/clip/0\n"},
         r"list.txt, line 1: 'id0/clip/0.wav' is no model of .*models.txt .*there are 'one'"),
        ({"models.txt": "a id0/clip/0\nb\n"},
         "models.txt, line 2: expected 'model utterance .*found a model without any: 'b'"),
        ({"models.txt": "a id0/clip/0\n\na id0/clip/1\n"},
         "models.txt, line 3: .*found a second line of that model: 'a'"),
        ({"models.txt": "one id0/clip/0 lost\n", "list.txt": "one id0/clip/1 1\n"},
         "models.txt: 'lost' of the model 'one' has no"),
        ({"models.txt": "\n"}, "models.txt: the list holds no model"),
        ({"utt2spk": "id0/clip/0 a\nid0/clip/1\n"},
         "utt2spk, line 2: expected 'utterance speaker', found 'id0/clip/1'"),
        ({"utt2spk": "id0/clip/0 a\nlost b\n"},
         "utt2spk: 1 of its speakers have an embedding, a cohort needs at least two"),
        ({"utt2spk": "id0/clip/0 a\nid0/clip/1 b\nid0/clip/0 b\n"},
         "utt2spk: 'id0/clip/0' is given to more than one speaker"),
        ({"labels.csv": "one,two\n1,2\n"}, "labels.csv: expected columns 'name' and 'speaker'"),
    ],
)  # fmt: skip
def test_what_a_list_cannot_be_scored_with_is_refused_with_its_line(corpus, tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    asked = corpus.model_dump()
    if "models.txt" in files:
        asked["models"] = str(tmp_path / "models.txt")
    for labels in {"utt2spk", "labels.csv"} & set(files):
        asked["as_norm"] = {"top": 300, "labels": str(tmp_path / labels)}
    with pytest.raises(SamplesError, match=message):
        score_trials(ScoreTrialsConfig(**asked))


def test_an_embedding_without_a_direction_is_refused_by_its_name(tmp_path):
    np.savez(tmp_path / "made.npz", a=np.ones(3), b=-np.ones(3), c=np.arange(3.0), nought=np.zeros(3))
    (tmp_path / "models.txt").write_text("m a b\nn c\n")
    (tmp_path / "utt2spk").write_text("a one\nb one\nc two\n")
    asked = {"trials": str(tmp_path / "list.txt"), "embeddings": str(tmp_path / "made.npz")}
    models = {"models": str(tmp_path / "models.txt")}
    norm = {"as_norm": {"top": 2, "labels": str(tmp_path / "utt2spk")}}
    for content, more, message in [
        ("1 a b\n0 c nought\n", {}, "list.txt, line 2: the embedding of 'nought' is all zeros: it has no direction"),
        ("1 n b\n0 m c\n", models, "models.txt: the mean of the model 'm' is all zeros"),
        ("1 a b\n", norm, "utt2spk: the mean of the speaker 'one' is all zeros"),
    ]:
        (tmp_path / "list.txt").write_text(content)
        with pytest.raises(SamplesError, match=message):
            score_trials(ScoreTrialsConfig(**asked, **more))


def test_labels_as_tables_of_truths_are_written(tmp_path):
    for name, content in {"a.csv": "enrol,test,label\na,b,True\nc,d,False\n", "a.txt": "True a b\nFalse c d\n"}.items():
        (tmp_path / name).write_text(content)
        assert read_trials(tmp_path / name).target.tolist() == [1, 0]


def test_a_cohort_of_other_numbers_is_refused(corpus, tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3), b=np.zeros(3))
    (tmp_path / "utt2spk").write_text("a a\nb b\n")
    norm = {"top": 2, "embeddings": str(tmp_path / "other.npz"), "labels": str(tmp_path / "utt2spk")}
    with pytest.raises(
        SamplesError, match="as_norm: expected labels, and embeddings of 6 numbers .*found .* 3 numbers"
    ):
        score_trials(ScoreTrialsConfig(**{**corpus.model_dump(), "as_norm": norm}))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "score_trials.trials names no list: give a file"),
        ({"trials": "nowhere.txt"}, "score_trials.trials: there is no nowhere.txt"),
        ({"embeddings": "no"}, "score_trials.embeddings: there is no no; `kedro run --pipeline=evaluation` saves the"),
        ({"models": "no"}, "score_trials.models: there is no no"),
        ({"vox1_meta": "no"}, "score_trials.vox1_meta: there is no no"),
        ({"as_norm": {"centre": True}}, "score_trials.as_norm.labels is null"),
        ({"as_norm": {"top": 300}}, "score_trials.as_norm.labels is null"),
        ({"as_norm": {"top": 300, "labels": "no"}}, "score_trials.as_norm.labels: there is no no"),
    ],
)
def test_files_that_are_not_there_are_found_before_the_run(tmp_path, asked, message):
    given = {"embeddings": str(tmp_path), **asked}
    assert message in "; ".join(ScoreTrialsConfig(**given).misfits({}))


@pytest.mark.parametrize("as_norm", [{}, {"top": 0, "labels": "no", "embeddings": "no"}])
def test_files_that_are_not_asked_for_need_not_be_there(tmp_path, as_norm):
    given = {"trials": str(tmp_path), "embeddings": str(tmp_path), "as_norm": as_norm}
    assert not list(ScoreTrialsConfig(**given).misfits({}))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"as_norm": {"top": 1}}, "expected 0 or at least 2, found 1: one score has no spread"),
        ({"far": [1.0]}, "far.0.*less than 1"),
        ({"p_targets": [0.1, 0.1]}, "each may be named once"),
        ({"model": "x"}, "unknown key 'model' in ScoreTrialsConfig"),
    ],
)
def test_values_that_cannot_be_are_refused(asked, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        ScoreTrialsConfig(embeddings="x", **asked)
