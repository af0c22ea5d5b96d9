"""Lists across two modalities: pairs and 1:N matching against plain loops, what tells the sides, and pickles."""

import collections
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import ScoreTrialsConfig, TaskConfig
from cross_modal_kd.evaluation import measure_trials, score_trials
from cross_modal_kd.evaluation.trial_lists.across import read_across
from cross_modal_kd.samples import SamplesError

SPEAKERS, EACH = 24, 3
TASK = TaskConfig.model_validate({"name": "t", "kind": "verification", "student": "speech", "teacher": "image"})


def table(kind, ending):
    return pd.DataFrame(
        [
            {
                "sample_id": f"set/id{who:02d}/{number}{ending}",
                "label": f"id{who:02d}",
                "split": "test",
                "modality": kind,
                "condition_gender": "f" if who % 2 else "m",
            }
            for who in range(SPEAKERS)
            for number in range(EACH)
        ]
    )


@pytest.fixture
def world(tmp_path):
    """Voices of 8 numbers and faces of 6 that lie near their first 6, under names of one stem: (config, vectors)."""
    rng = np.random.default_rng(3)
    of_speaker = rng.normal(size=(SPEAKERS, 1, 6)).repeat(EACH, axis=1).reshape(-1, 6)
    faces = of_speaker + 0.5 * rng.normal(size=of_speaker.shape)
    voices = np.hstack([of_speaker + rng.normal(size=of_speaker.shape), 9 * rng.normal(size=(len(faces), 2))])
    tables = {"speech": table("speech", ".wav"), "image": table("image", ".png")}
    vectors = {}
    for (kind, rows), values in zip(tables.items(), (voices, faces), strict=True):
        np.savez(tmp_path / f"{kind}.npz", names=rows["sample_id"].to_numpy(str), values=values)
        unit = values[:, :6] / np.linalg.norm(values[:, :6], axis=1, keepdims=True)
        vectors |= dict(zip(rows["sample_id"].str.removeprefix("set/"), unit, strict=True))
    pd.concat(tables.values()).to_parquet(tmp_path / "samples.parquet")
    return tmp_path, vectors


def asked(folder, file, content=None, **more):
    if content is not None:
        (folder / file).write_text(content)
    paths = {"trials": folder / file, "embeddings": folder / "speech.npz", "teacher": folder / "image.npz"}
    return ScoreTrialsConfig(**{name: str(path) for name, path in paths.items()}, far=[0.1], **more)


def pairs():
    names = [(f"id{who:02d}/{number}", who) for who in range(SPEAKERS) for number in range(EACH)]
    return [(f"{a}.wav", f"{b}.png", int(i == j)) for a, i in names for b, j in names if (i - j) % 5 == 0]


def speakers(folder):
    return {"table": str(folder / "samples.parquet"), "bootstrap": 60}


FORMS = {
    "last.txt": "{0} {1} {2}\n",
    "first.txt": "{2}\t{0}   {1}\n",
    "words.txt": "{0} {1} {3}\n",
    "faces_first.txt": "{2} {1} {0}\n",
    "bare.csv": "{0},{1},{2}\n",
    "header.csv": "{0},{1},{2}\n",
    "list.pkl": "",
}


@pytest.mark.parametrize("form", FORMS)
def test_pairs_of_a_voice_and_a_face_are_those_of_a_plain_loop_in_every_form(world, form):
    folder, vectors = world
    text = "".join(FORMS[form].format(*each, ("nontarget", "target")[each[2]]) for each in pairs())
    (folder / form).write_text(("enrol,test,label\n" if form == "header.csv" else "") + text)
    if form == "list.pkl":
        (folder / form).write_bytes(pickle.dumps([list(each) for each in pairs()]))
    config = asked(folder, form, speakers=speakers(folder))
    scored = score_trials(config, TASK)
    rows = scored.table()
    expected = [float(vectors[voice] @ vectors[face]) for voice, face, _ in pairs()]
    assert rows["score"].tolist() == pytest.approx(expected, abs=1e-6)
    assert rows["label"].tolist() == [label for *_, label in pairs()]
    swapped = form == "faces_first.txt"
    assert scored.about["sides"] == {"enrol": ("speech", "image")[swapped], "test": ("image", "speech")[swapped]}
    found = measure_trials(scored, config).metrics
    targets, impostors = (
        np.array([s for s, (*_, t) in zip(expected, pairs(), strict=True) if t == sort]) for sort in (1, 0)
    )
    auc = (targets[:, None] > impostors).mean() + 0.5 * (targets[:, None] == impostors).mean()
    assert found["auc"] == pytest.approx(auc, abs=1e-6) and 0.6 < found["auc"] < 1
    low, high = (found["intervals"]["auc"][end] for end in ("low", "high"))
    assert low < found["auc"] < high and found["intervals"]["eer"]["low"] < found["eer"]
    measured = {row["metric"]: row for row in found["conditions"]}
    within = measured["eer_within_gender/f"]
    same = [label for voice, face, label in pairs() if int(voice[2:4]) % 2 == int(face[2:4]) % 2 == 1]
    assert (within["targets"], within["impostors"]) == (sum(same), len(same) - sum(same)) and within["eer"] > 0


def probes(size, true_at=0):
    rng = np.random.default_rng(1)
    found = []
    for who in range(SPEAKERS):
        for number in range(EACH):
            others = rng.choice([each for each in range(SPEAKERS) if each != who], size - 1, replace=False)
            names = [f"id{other:02d}/{rng.integers(EACH)}.png" for other in others]
            names.insert(true_at, f"id{who:02d}/{rng.integers(EACH)}.png")
            found.append((f"id{who:02d}/{number}.wav", *names))
    return found


@pytest.mark.parametrize("form", ["first", "index first", "index last", "header", "header and index", "pickle"])
@pytest.mark.parametrize("size", [2, 5])
def test_matching_by_lists_is_that_of_a_plain_loop(world, form, size):
    folder, vectors = world
    true_at = 1 if "index" in form else 0
    rows = probes(size, true_at)
    file = {"h": "m.csv", "p": "m.pickle"}.get(form[0], "m.txt")
    if form == "pickle":
        (folder / file).write_bytes(pickle.dumps(rows, protocol=2))
    else:
        sign, index = "," if file == "m.csv" else " ", f"{true_at}"
        before, behind = [index] * (form == "index first"), [index] * (form in ("index last", "header and index"))
        lines = [sign.join([*before, *row, *behind]) for row in rows]
        header = ["probe", *(f"candidate_{n + 1}" for n in range(size)), *["true"] * (form == "header and index")]
        (folder / file).write_text("\n".join([",".join(header)] * (form[0] == "h") + lines))
    config = asked(folder, file, speakers=speakers(folder))
    scored = score_trials(config, TASK)
    found = measure_trials(scored, config).metrics
    hits = []
    for probe, *candidates in rows:
        scores = [vectors[probe] @ vectors[each] for each in candidates]
        hits.append(scores[true_at] == max(scores))
    assert found["accuracy"] == np.mean(hits) and found["chance"] == 1 / size and found["choices"] == size
    assert found["probes"] == len(rows) and len(scored.table()) == size * len(rows)
    interval = found["intervals"]["accuracy"]
    assert interval["low"] < found["accuracy"] < interval["high"] and found["accuracy"] > 1.3 * found["chance"]
    same = [len({int(name[2:4]) % 2 for name in row}) == 1 for row in rows]
    measured = {row["metric"]: row for row in found["conditions"]}
    for name, which in (("within", np.array(same)), ("across", ~np.array(same))):
        row = measured[f"accuracy_{name}_gender"]
        assert row["probes"] == which.sum()
        assert row["accuracy"] is None if row.get("reason") else row["accuracy"] == np.mean(np.array(hits)[which])
    json.dumps(found)
    assert measure_trials(scored, config).plot() is not None


def named(name):
    """As numpy's choice of a list of names gives it, which vfal-eva's items have."""
    return np.array([name, "a longer one"])[0]


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("probe", [None, "voices", "faces"])
def test_vfal_evas_files_of_matching_are_read_from_either_side(world, probe, protocol):
    folder, vectors = world
    rows = [(f"id{who:02d}", f"id{(5 * who + 1) % SPEAKERS:02d}") for who in range(SPEAKERS)]
    items = [(named(a), f"{a}/0.wav", f"{a}/1.png", named(b), f"{b}/2.wav", f"{b}/0.png") for a, b in rows]
    sets = {"wav_set": {each[1] for each in items}, "jpg_set": {each[2] for each in items}}
    (folder / "test_matching.pkl").write_bytes(pickle.dumps({**sets, "match_list": items}, protocol))
    config = asked(folder, "test_matching.pkl", probes=probe)
    found = measure_trials(score_trials(config, TASK), config).metrics
    hits = []
    for _, wav, jpg, _, other_wav, other_jpg in items:
        probe_name, true, other = (jpg, wav, other_wav) if probe == "faces" else (wav, jpg, other_jpg)
        hits.append(vectors[probe_name] @ vectors[true] > vectors[probe_name] @ vectors[other])
    assert found["accuracy"] == np.mean(hits) and found["choices"] == 2 and found["probes"] == len(rows)
    assert found["sides"]["enrol"] == ("image" if probe == "faces" else "speech")


def test_vfal_evas_files_of_1_n_matching_and_of_verification_are_read(world):
    folder, vectors = world
    rng = np.random.default_rng(2)
    people = [rng.permutation(SPEAKERS)[:5] for _ in range(40)]
    items = [[[f"id{who:02d}/0.wav" for who in five], [f"id{who:02d}/1.png" for who in five]] for five in people]
    (folder / "test_matching_10.pkl").write_bytes(pickle.dumps({"wav_set": set(), "match_list": items}))
    for probe, place in (("voices", 0), ("faces", 1)):
        config = asked(folder, "test_matching_10.pkl", probes=probe)
        found = measure_trials(score_trials(config, TASK), config).metrics
        scores = np.array([[vectors[item[place][0]] @ vectors[each] for each in item[1 - place]] for item in items])
        expected = {str(n): (scores[:, :n].argmax(axis=1) == 0).mean() for n in (2, 3, 4)}
        assert found["accuracy_among"] == pytest.approx(expected)
        assert found["accuracy"] == (scores.argmax(axis=1) == 0).mean()
    listed = {"wav_set": {"a"}, "jpg_set": {"b"}, "list": [list(each) for each in pairs()], "script": "import os"}
    (folder / "test_verification.pkl").write_bytes(pickle.dumps(listed))
    plain = "".join(f"{a} {b} {label}\n" for a, b, label in pairs())
    (folder / "plain.txt").write_text(plain)
    read, told = (read_across(folder / name) for name in ("test_verification.pkl", "plain.txt"))
    assert read.names == told.names and (read.target == told.target).all() and (read.test == told.test).all()


def test_names_of_2017_and_crops_without_their_folder_are_found_with_the_table(world):
    folder, _ = world
    video, table_of = "J9lHsKG98U8", "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    (folder / "vox1_meta.csv").write_text(table_of + "id10001\tA.J._Buckley\tm\tIreland\tdev\n")
    np.savez(folder / "speech.npz", names=np.array([f"v/id10001/{video}/00025"]), values=np.eye(1, 4))
    faces = [f"f/unzippedFaces/A.J._Buckley/1.6/{video}/00{frame}.jpg" for frame in ("10225", "10250")]
    np.savez(folder / "image.npz", names=np.array(faces), values=np.eye(2, 3))
    wav, true, other = (f"A.J._Buckley/{video}/{name}" for name in ("00025.wav", "0010225.jpg", "0010250.jpg"))
    (folder / "m.pkl").write_bytes(pickle.dumps({"list": [[wav, true, 1], [wav, other, 0]]}))
    config = asked(folder, "m.pkl", vox1_meta=str(folder / "vox1_meta.csv"))
    assert score_trials(config, TASK).scores.tolist() == [1.0, 0.0]


def test_a_side_that_no_list_has_to_be_told_is_refused(world):
    folder, _ = world
    with pytest.raises(SamplesError, match="m.txt: score_trials.probes is of vfal-eva's .pkl files; the probe of a"):
        score_trials(asked(folder, "m.txt", "a b c\n", probes="faces"), TASK)
    (folder / "m.pkl").write_bytes(pickle.dumps([["a", "b", "c"]]))
    with pytest.raises(SamplesError, match="m.pkl: score_trials.probes is of a pickle with a match_list, found list"):
        score_trials(asked(folder, "m.pkl", probes="voices"), TASK)
    (error,) = asked(folder, "m.pkl", probes="faces").model_copy(update={"teacher": None})._across()
    assert error.startswith("score_trials.probes is of a list across two modalities")


def test_candidates_that_all_score_alike_are_chance(world):
    folder, _ = world
    np.savez(folder / "image.npz", names=table("image", ".png")["sample_id"].to_numpy(str), values=np.ones((72, 6)))
    config = asked(folder, "m.txt", "\n".join(" ".join(row) for row in probes(4)))
    found = measure_trials(score_trials(config, TASK), config).metrics
    assert found["accuracy"] == found["chance"] == 0.25 and "intervals" not in found


def test_faces_as_probes_are_known_by_their_endings_or_by_where_they_are_found(world):
    folder, vectors = world
    rows = [("id00/0.png", "id00/1.wav", "id01/1.wav"), ("id01/0.png", "id01/1.wav", "id05/2.wav")]
    config = asked(folder, "m.txt", "\n".join(" ".join(row) for row in rows))
    scored = score_trials(config, TASK)
    assert scored.about["sides"] == {"enrol": "image", "test": "speech"}
    expected = [vectors[probe] @ vectors[each] for probe, *candidates in rows for each in candidates]
    assert scored.scores.tolist() == pytest.approx(expected, abs=1e-6)
    faces = table("image", "")["sample_id"].str.replace("set/", "face/")
    np.savez(folder / "image.npz", names=faces.to_numpy(str), values=np.load(folder / "image.npz")["values"])
    bare = "\n".join(" ".join(["face/" + row[0][:-4], *("set/" + each[:-4] for each in row[1:])]) for row in rows)
    again = score_trials(asked(folder, "m.txt", bare), TASK)
    assert again.scores.tolist() == scored.scores.tolist() and again.about["sides"]["enrol"] == "image"


def test_a_list_whose_speakers_are_trained_on_is_refused_for_pairs_and_matching(world):
    folder, _ = world
    samples = pd.read_parquet(folder / "samples.parquet")
    samples.loc[(samples["label"] == "id05") & (samples["modality"] == "image"), "split"] = "train"
    samples.to_parquet(folder / "samples.parquet")
    for text in ("id00/0.wav id00/0.png 1\nid00/0.wav id05/0.png 0\n", "id00/0.wav id00/0.png id05/0.png\n"):
        config = asked(folder, "m.txt", text, speakers=speakers(folder))
        with pytest.raises(SamplesError, match="1 of its speakers are in the training split of .*'id05'"):
            measure_trials(score_trials(config, TASK), config)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("m.txt", "a b 1\na b\n", "m.txt, line 2: expected 3 names and labels as in the first line, found .'a', 'b'"),
        ("m.txt", "a b 1\na b 7\n", "m.txt, line 2: expected a label of 1 or 0, found '7'"),
        ("m.txt", "a b\n", "m.txt, line 1: expected 'voice face label'"),
        ("m.txt", "1 b 0\n", "m.txt, line 1: expected 'voice face label'"),
        ("m.txt", "7 a b c\n", "m.txt, line 1: expected the true one's place, 0 to 1, found '7'"),
        ("m.txt", "1 a b 0\n", "m.txt, line 1: expected 'voice face label'"),
        ("m.txt", "a b c\nd e e\n", "m.txt, line 2: its true candidate 'e' stands there twice"),
        ("m.txt", "", "m.txt: the list holds no trial"),
        ("m.csv", "probe,candidate_1,candidate_2\n", "m.csv: the list holds no trial"),
        ("m.csv", "probe,candidate_1\na,b\n", "m.csv, line 2: expected two candidates of each probe at least, found 1"),
        (
            "m.csv",
            "probe,candidate_1,candidate_2,true\na,b,c,2\n",
            "m.csv, line 2: expected the true one's place, 0 to 1",
        ),
        ("m.csv", "a,,1\n", "m.csv, line 1: expected 3 names"),
        ("none.txt", None, "there is no such list"),
    ],
)
def test_a_malformed_list_is_refused_with_its_line(tmp_path, file, content, message):
    if content is not None:
        (tmp_path / file).write_text(content)
    with pytest.raises(SamplesError, match=message):
        read_across(tmp_path / file)


def test_names_and_spaces_that_do_not_fit_are_refused(world):
    folder, _ = world
    with pytest.raises(SamplesError, match="m.txt, line 1: 'id99/0.png' has no embedding; .*score_trials.teacher"):
        score_trials(asked(folder, "m.txt", "id00/0.wav id99/0.png 1\n"), TASK)
    wide = np.ones((72, 9))
    np.savez(folder / "image.npz", names=table("image", ".png")["sample_id"].to_numpy(str), values=wide)
    with pytest.raises(SamplesError, match="expected embeddings in the student's space, of 8 numbers at most, found 9"):
        score_trials(asked(folder, "m.txt", "id00/0.wav id01/0.png 1\n"), TASK)


class Evil:
    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_asks_for_a_class_is_refused_with_its_name_and_nothing_runs(tmp_path, protocol):
    file = tmp_path / "m.pkl"
    file.write_bytes(pickle.dumps([["a", "b", 1], Evil(tmp_path / "ran")], protocol))
    with pytest.raises(
        SamplesError, match=r"m.pkl: this pickle is not loaded: it asks for (io|_io|__builtin__|builtins).open"
    ):
        read_across(file)
    file.write_bytes(pickle.dumps([["a", "b", np.int64(1)]], protocol))
    with pytest.raises(SamplesError, match="it asks for numpy"):
        read_across(file)
    file.write_bytes(pickle.dumps(collections.OrderedDict(a=1), protocol))
    with pytest.raises(SamplesError, match="it asks for collections.OrderedDict"):
        read_across(file)
    file.write_bytes(pickle.dumps([["a", "b", True], ("c", "d", 0)], protocol))
    assert read_across(file).target.tolist() == [1, 0]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cos\nsystem\n(S'touch evil'\ntR.", "it asks for os.system"),
        (b"(S'touch evil'\nios\nsystem\n.", "it asks for os.system"),
        (b"\x80\x02\x82\x01.", "it holds the instruction 130"),  # a class of copyreg's register
        (b"S'a'\nQ.", "it holds the instruction 81"),  # an object of somebody's own store
        (b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x00.", "it holds the instruction 150"),  # room for 2^56 bytes
        (b"]r\xff\xff\xff\xff.", "the list holds no trial"),  # a memo of 2^32 places, which C's unpickler would make
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "not a readable pickle"),
        (b"", "not a readable pickle"),
        (b"K\x01.", "expected a list of items, found int"),
        (pickle.dumps({"a": 1}), "expected a list of items, found dict of 1"),
        (
            pickle.dumps({"retrieval_lists": [[]], "jpg_set": set()}),
            "dict of 2 with 'retrieval_lists', 'jpg_set'",
        ),
        (
            pickle.dumps({"match_list": [("a", "b")]}),
            "item 1 of its match_list: expected six names, or",
        ),
        (pickle.dumps({"match_list": 7}), "item 1 of its match_list: .*found int"),
        (pickle.dumps({"match_list": [[[], []]]}), "item 1 of its match_list: expected six names"),
        (b"cnumpy\ndtype\n(S'i8'\ntR.", "it asks for numpy.dtype..i8.., and a pickle of trials has plain numbers"),
        (b"cnumpy\ndtype\n(S'U2'\ntR(I3\nS'>'\ntb.", "it asks for a numpy.dtype of the state"),
        (b"cnumpy.core.multiarray\nscalar\n(S'U2'\nS'a'\ntR.", "it asks for a numpy.scalar that is no text"),
        (b"cnumpy\ndtype\n(dS'ndim'\nI1\nsb.", "it changes an object"),
        (b"cnumpy\ndtype\n(S'__doc__'\nS'x'\ntb.", "it changes an object"),
        (b"S'a'\n(I1\ntR.", "it calls what is no class"),
        (b"cbuiltins\nset\n(I1\ntR.", "not a readable pickle"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "it asks for builtins.eval"),
        (pickle.dumps([["a", "b", 1], "c"]), "item 2: expected a list of names and a label, found str of 1"),
        (pickle.dumps([["a", "b", 1], ["a", 1.5, 1]]), "item 2: expected a list of names and a label, found list of 3"),
        (pickle.dumps([["a", "b", 2**70]]), "item 1: expected a list of names and a label"),
        (pickle.dumps([["a", "b", 1], ["a", "b"]]), "item 2: expected 3 names and labels as in the first line"),
    ],
)
def test_a_broken_or_other_pickle_is_named(tmp_path, content, message):
    (tmp_path / "m.pkl").write_bytes(content)
    with pytest.raises(SamplesError, match=f"m.pkl.*{message}"):
        read_across(tmp_path / "m.pkl")
