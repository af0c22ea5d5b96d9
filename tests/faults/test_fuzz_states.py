"""Configurations, splits, copies, notes, caches and small test sets: right, or one error that names what is wrong."""

import json
import random
import shutil
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import assume
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

import cross_modal_kd.modalities  # noqa: F401 (registers the names that configurations may use)
from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.config.overlay import compose
from cross_modal_kd.config.registered import default_of
from cross_modal_kd.config.strict import first_errors
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.evaluation.report.verdict import verdict
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.hooks.provenance import FILE, note, other_students
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable, load_table, save_table
from cross_modal_kd.samples.copies import reject_conflicting, reject_parted
from cross_modal_kd.samples.frozen import drawn_split
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.samples.splits import assign_splits, draw_splits
from cross_modal_kd.settings import CONFIG_LOADER_ARGS
from cross_modal_kd.studies.results.kept import _notes
from cross_modal_kd.studies.results.provenance import provenance_line
from cross_modal_kd.training import once
from evaluation_world import CLASSIFICATION, VERIFICATION, keep, world
from fuzzing import Kind
from sample_tables import CLOSED_SET, OPEN_SET, sample

CONF = Path(__file__).parents[2] / "conf" / "base"
BASE = {
    name: block
    for file in ("parameters.yml", "parameters_arms.yml")
    for name, block in yaml.safe_load((CONF / file).read_text()).items()
}
OPTIONS = st.dictionaries(
    st.sampled_from(["channels", "convs", "stem_width", "lin_neurons", "res2net_scale", "widths", "chanels"]),
    st.sampled_from([8, [8, 16], [8, 8, 8, 8, 16], None, "x", True]),
    max_size=2,
)
ENCODER = st.fixed_dictionaries(
    {},
    optional={
        "library": st.sampled_from(["timm", "torchvision", "speechbrain", "sentence_transformers", "tim"]),
        "name": st.sampled_from(["vgg", "resnet18", "ECAPA_TDNN", "ResNet", "all-MiniLM-L6-v2", "test_resnet"]),
        "options": OPTIONS,
    },
)
CONSTRAINT = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["cosine", "l2", "rkd", "contrastive", "hinton_kd", "nothing"]),
        "weight": st.sampled_from([0, 1.0, -1, "x"]),
        "margin": st.sampled_from([0.0, 0.3]),
        "options": st.dictionaries(st.sampled_from(["symmetric", "distance", "y"]), st.booleans(), max_size=1),
    },
)
TASK = {"kind": "verification", "student": "speech", "teacher": "image", "pairing": "label"}
OTHER = {"task": TASK, "sources": {"f": {"layout": "folder", "root": "x"}}}
LAYERS = st.lists(st.tuples(st.sampled_from(["student", "teacher"]), ENCODER, CONSTRAINT), min_size=2, max_size=2)


def layer(role, encoder, constraint, arm):
    """Parameters of one layer."""
    blocks = {role: {"encoder": encoder}} if encoder else {}
    return {**blocks, "arms": {arm[0]: {"constraints": {arm[1]: constraint}}}} if constraint else blocks


def laid_over(start, changes, choices):
    """By hand: what belongs to a choice goes with it, the rest is laid over key by key."""
    for change in changes:
        if any(key in change and key in start and change[key] != start[key] for key in choices):
            start = {key: start[key] for key in choices if key in start}
        options = {**start.get("options", {}), **change.get("options", {})}
        start = {**start, **change, **({"options": options} if "options" in {**start, **change} else {})}
    return start


def _overlays(layers, another_task):
    arm = next((name, key) for name, found in BASE["arms"].items() for key in (found.get("constraints") or {}))
    environment, runtime = (layer(*each, arm) for each in layers)
    try:
        found = compose(BASE, {**(OTHER if another_task else {}), **environment}, runtime, "conf/mine")
    except ConfigError as error:
        assert "conf/mine" in str(error)
        return
    for role, model in (("student", StudentConfig), ("teacher", TeacherConfig)):
        start = (default_of(role, TASK[role]) if another_task else BASE[role])["encoder"]
        encoders = [encoder for named, encoder, _ in layers if named == role]
        expected = laid_over(dict(start), encoders, ("library", "name"))
        assert found[role]["encoder"] == expected
        checked(model, found[role], [*expected, *expected.get("options", {}), "options", "pretrained"])
    constraints = [constraint for *_, constraint in layers]
    expected = laid_over(dict(BASE["arms"][arm[0]]["constraints"][arm[1]]), constraints, ("kind",))
    assert found["arms"][arm[0]]["constraints"][arm[1]] == expected
    checked(ArmsConfig, found["arms"], [*expected, *expected.get("options", {})])


def checked(model, block, keys):
    """The block is right, or the error names one of its keys."""
    try:
        model.model_validate(block)
    except ValidationError as error:
        assert any(key in first_errors(error) for key in keys), first_errors(error)


def groups(cells):
    """A row a cell: (label, group, content of the file)."""
    rows = [
        sample(f"{number}", f"l{label}", None, group=f"g{label}-{group}", sha256=f"{content:064x}")
        for number, (label, group, content) in enumerate(cells)
    ]
    return conform(pd.DataFrame(rows))


CELLS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 60)), min_size=1, max_size=60)


def _growing(cells, added, closed, seed):
    design, split = CLOSED_SET if closed else OPEN_SET, SplitConfig(seed=seed)
    rows = groups([*cells, *added])
    old = rows.iloc[: len(cells)]
    before = old.assign(split=assign_splits(old, design, split))
    drawn = drawn_split(before, design, seed)
    frozen = dict(zip(drawn["cluster"], drawn["split"], strict=True))
    after = assign_splits(rows, design, split, frozen)
    assert (after[old.index] == before["split"]).all()
    dealt = design.dealt(rows)
    assert (after.groupby(dealt).nunique() == 1).all()
    kept, parted = reject_parted(rows.assign(split=after))
    assert len(kept) + len(parted) == len(rows)
    assert (kept.groupby(["sha256", "label"])["split"].nunique() == 1).all()


def _copies(cells, family, closed, keeps):
    design = CLOSED_SET if closed else OPEN_SET
    rows = groups(cells)
    rows["family"] = pd.Series(
        [f"f{number % 3}" if number % 7 < family else None for number in range(len(rows))], dtype="str"
    )
    kept, rejected = reject_conflicting(rows, "keep" if keeps else "reject")
    assert len(kept) + len(rejected) == len(rows) and (not keeps or rejected.empty)
    assert rejected["reason"].str.contains("several labels").all()
    if not keeps:
        labels = kept.groupby("sha256")["label"].nunique()
        bound = kept.assign(bound=kept["family"].fillna(kept["sample_id"])).groupby("sha256")["bound"].nunique()
        assert ((labels == 1) | (bound == 1)).all()
        alone = rows.groupby("sha256")["label"].transform("nunique") == 1
        assert set(rows.loc[alone, "sample_id"]) <= set(kept["sample_id"])
    if len(kept):
        kept = kept.assign(split=assign_splits(kept, design, SplitConfig()))
        left, parted = reject_parted(kept)
        assert parted.empty and (left.groupby(["sha256", "label"])["split"].nunique() == 1).all()
        assert keeps or (left.groupby("sha256")["split"].nunique() == 1).all()


NOTED = ["a/history.csv", "b.csv", "blocks", "sha256", "seeds", "date"]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=4)),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(
            st.sampled_from(["a/history.csv", "b.csv", "params", "sha256", "seeds", "date"]), inside, max_size=3
        ),
    ),
    max_leaves=8,
)
DAMAGED_NOTES = st.one_of(
    st.binary(max_size=40),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.integers(1, 3).map(lambda power: b"[" * 10 ** (power + 2)),
    st.sampled_from([b'{"a/history.csv": {"blocks": {}}}', b'{"b.csv": {"sha256": NaN}}', b"\xef\xbb\xbf{}"]),
)


def _notes_of_runs(damage, writers):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / FILE).write_bytes(damage)
        file = folder / "b.csv"
        file.write_text("1\n")
        assert provenance_line(folder, file, ["seed"], "kedro run", "").startswith("*")
        assert isinstance(_notes(folder), dict)
        list(other_students(folder, ["a.student"], {"x": "1"}))

        def write(writer):
            for number in range(3):
                each = folder / f"{writer}-{number}.csv"
                each.write_text("1\n")
                note(folder, each, {"command": "kedro run"})

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))
        known = json.loads((folder / FILE).read_text())
        assert {f"{writer}-{number}.csv" for writer in range(writers) for number in range(3)} <= known.keys()
        aside = list(folder.glob("*.damaged"))
        assert len(aside) <= 1 and all(each.read_bytes() == damage for each in aside)


HISTORY = pd.DataFrame({"epoch": [1.0, 2.0], "loss": [1 / 3, 0.1]})
ABOUT = {"encoder": {"library": "timm", "name": "test_resnet"}, "inputs": {}}


def harmed(content: bytes, what, where, value):
    """One bit of it flipped, or cut, or emptied, or something laid over."""
    place = int(where * max(len(content) - 1, 0))
    if what == "flip" and content:
        return content[:place] + bytes([content[place] ^ (1 << value % 8)]) + content[place + 1 :]
    return {"cut": content[:place], "empty": b"", "over": content[:place] + bytes([value]) * 9, "flip": b"x"}[what]


def _caches(which, what, where, value):
    with tempfile.TemporaryDirectory() as name:
        folder, made = Path(name), []

        def train():
            made.append(1)
            return ModelBundle("pretrained", ABOUT, {"w": np.arange(8, dtype=np.float32)}), HISTORY

        once(folder / "a.safetensors", train, lambda *_: None)
        save_table(folder / "table", EmbeddingTable(["a", "b"], np.arange(6.0).reshape(2, 3), "f"))
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        file = files[int(which * (len(files) - 1))]
        before = file.read_bytes()
        file.write_bytes(harmed(before, what, where, value))
        changed = file.read_bytes() != before
        bundle, history = once(folder / "a.safetensors", train, lambda *_: None)
        assert np.asarray(bundle.tensors["w"]).tolist() == list(range(8)) and bundle.config == ABOUT
        pd.testing.assert_frame_equal(history, HISTORY, check_exact=True)
        assert len(made) == 1 + (changed and file.is_relative_to(folder / "finished"))
        try:
            table = load_table(folder / "table")
        except (ValueError, OSError) as error:
            assert changed and "table" in str(error)
        else:
            assert table.sample_ids == ["a", "b"] and table.values.tolist() == [[0, 1, 2], [3, 4, 5]]
            assert table.fingerprint == "f"


def _small_tests(labels, views, dropped, closed, least, seed):
    made = world(CLASSIFICATION if closed else VERIFICATION, labels=labels, views=views, min_clusters=least)
    rng = np.random.default_rng(seed)
    taken = (made.samples["split"] == "test") & (made.samples["modality"] == "image")
    made = keep(made, ~(taken & (rng.uniform(size=len(taken)) < dropped)))
    rows = made.samples[(made.samples["split"] == "test") & (made.samples["modality"] == "image")]
    assume(rows["label"].nunique() >= 2)
    metrics = made.metrics(made.embeddings(3.0, seed), made.embeddings(0.3, seed + 1))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    clusters = rows["group" if closed else "label"].nunique()
    for part in ("student_alone", "distilled", "difference", "relative_reduction", "teacher"):
        for name, found in metrics[part].items():
            assert (found["low"] is None) == (found["high"] is None) == bool(found.get("reason"))
            of_other_samples = part == "teacher" or name.endswith(("_seen", "_train"))
            if clusters < least and not of_other_samples:
                assert found["low"] is None
    said = verdict(metrics)
    name = "top1" if closed else "eer"
    if clusters < least or metrics["difference"].get(name, {"low": None})["low"] is None:
        assert said.tone == "open" and ("better" not in said.conclusion and "worse" not in said.conclusion)


WRITTEN = b"""task: {title: x, kind: verification, student: image, teacher: text}
sources:
  a: {layout: folder, root: data}
training:
  epochs: 3
"""
MARKS = st.sampled_from(
    [b"{", b"}", b"[", b"]", b": ", b"\n", b"- ", b"&a ", b"*a", b"!!python/object:os.system ", b"${globals:task}",
     b"${x}", b"${", b"null", b"\xff", b"\x00", b"\t", b"|", b"'", b"<<: ", b"---\n", b"%YAML 9", b"task: 1\n", b"7"]
)  # fmt: skip


def _configuration(name, changes):
    """A configuration of any content is read, or ends in an error that names a file or a key."""
    content = WRITTEN
    for where, length, mark in changes:
        place = int(where * len(content))
        content = content[:place] + mark + content[place + length :]
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "conf"
        shutil.copytree(CONF, conf / "base")
        (conf / "mine").mkdir()
        (conf / "mine" / "parameters.yml").write_bytes(WRITTEN)
        (conf / "mine" / name).write_bytes(content)
        try:
            loader = TaskConfigLoader(str(conf), env="mine", runtime_params={}, **CONFIG_LOADER_ARGS)
            assert loader["parameters"]["task"]["name"] and loader["catalog"]
        except (ConfigError, OmegaConfBaseException) as error:
            assert any(each in str(error) for each in ("conf/mine", name, "full_key"))


KINDS = {
    "configuration": Kind(
        _configuration,
        (
            st.sampled_from(["parameters.yml", "globals.yml", "catalog.yml"]),
            st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), MARKS), max_size=4),
        ),
        few=12,
        many=600,
    ),
    "overlay": Kind(_overlays, (LAYERS, st.booleans()), few=150, many=8000),
    "growing": Kind(_growing, (CELLS, CELLS, st.booleans(), st.integers(0, 99)), few=12, many=500),
    "copies": Kind(_copies, (CELLS, st.integers(0, 4), st.booleans(), st.booleans()), few=12, many=500),
    "notes": Kind(_notes_of_runs, (DAMAGED_NOTES, st.integers(1, 4)), few=12, many=500),
    "cache": Kind(
        _caches,
        (
            st.floats(0, 1),
            st.sampled_from(["flip", "cut", "empty", "over"]),
            st.floats(0, 1),
            st.integers(0, 255),
        ),
        few=25,
        many=3000,
    ),
    "small test": Kind(
        _small_tests,
        (
            st.integers(2, 14),
            st.integers(1, 3),
            st.sampled_from([0.0, 0.3, 0.7]),
            st.booleans(),
            st.integers(5, 12),
            st.integers(0, 99),
        ),
        few=3,
        many=150,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_some_states(kind):
    KINDS[kind].some()


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_many_states(request, kind):
    KINDS[kind].lots(request.config.getoption("seed"))


@pytest.mark.parametrize(("clusters", "most"), [(8, 1 / 3), (20, 1 / 15), (60, 1 / 1000)])
def test_as_many_move_as_the_draw_says(request, clusters, most):
    """The figures of ``draw_splits``: how often one label more moves one that was there."""
    rng, draws = random.Random(request.config.getoption("seed")), 600
    shares, moved = {"train": 0.6, "dev": 0.1, "test": 0.3}, Counter()
    for _ in range(draws):
        names, seed = [f"label:{rng.random()}" for _ in range(clusters + 1)], rng.randrange(10**6)
        before, after = draw_splits(names[:-1], shares, seed, 2), draw_splits(names, shares, seed, 2)
        moved[any(before[name] != after[name] for name in before)] += 1
    assert moved[True] <= draws * most + 4 * (draws * most) ** 0.5 + 2
