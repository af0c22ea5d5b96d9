"""A new modality is one folder (tests/toys/tabular) and one registration: everything else takes it as it is."""

import json

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.registered import modality_names
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.modalities import ModalityError, modality_of, register, unregister
from cross_modal_kd.modalities.inputs import Item, load_inputs
from cross_modal_kd.models import EncoderLibrary
from cross_modal_kd.samples import load_table
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.schema import SAMPLES
from cross_modal_kd.sources import layout_of
from cross_modal_kd.student import StudentModel
from cross_modal_kd.studies.damage import random_damage
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.studies.robustness.damage import damage_levels
from tabular import Tabular

LABELS, ROWS = 24, 5
PARAMETERS = {
    "task": {"student": "tabular"},
    "inputs": {"tabular": {"columns": 3}},
    "quality": {"measures": {"tabular": ["spread", "filled"]}, "score": {"tabular": ["spread"]}},
    "student": {"encoder": {"library": "rows", "name": "mlp", "options": {"hidden": 12}}},
}


@pytest.fixture
def tabular():
    register(Tabular())
    yield modality_of("tabular")
    unregister("tabular")


@pytest.fixture
def raw(tmp_path):
    """Twenty-four labels of five rows each, which lie close together, every row with a text."""
    rng, captions = np.random.default_rng(0), []
    root = tmp_path / "raw"
    for label in range(LABELS):
        centre = rng.normal(size=4)
        for number in range(ROWS):
            path = f"thing{label:02d}/{number}.json"
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps((centre + 0.1 * rng.normal(size=4)).tolist()))
            captions.append({"path": path, "text": f"thing number {label}"})
    pd.DataFrame(captions).to_csv(root / "captions.csv", index=False)
    return root


@pytest.mark.slow
def test_distill_runs_on_a_new_modality(tabular, raw, run_kedro):
    sources = {"emoji": None, "made": {"layout": "folder", "root": str(raw)}}
    run_kedro("distill", params={**PARAMETERS, "sources": sources})
    root = run_kedro.data_root
    samples = pd.read_parquet(root / "02_intermediate/test/samples.parquet")
    assert samples["modality"].value_counts().to_dict() == {"tabular": LABELS * ROWS, "text": LABELS * ROWS}
    measures = pd.read_parquet(root / "04_feature/test/quality_measures.parquet")
    assert measures.loc[measures["modality"] == "tabular", ["spread", "filled"]].notna().all(axis=None)
    student = ModelDataset(filepath=(root / "06_models/test/distilled/student").as_posix()).load()
    assert student.config["encoder"]["library"] == "rows"
    assert student.config["inputs"]["tabular"] == {"columns": 3}
    assert student.tensors["student.encoder.layers.0.weight"].shape == (12, 3)
    packaged = StudentModel.load(root / "06_models/test/distilled/packaged", device="cpu")
    row = samples[(samples["modality"] == "tabular") & (samples["split"] == "test")].iloc[0]
    vector = load_table(root / "07_model_output/test/distilled/embeddings").at([row["sample_id"]])
    np.testing.assert_allclose(packaged.embed(raw / row["path"]).vector, unit_rows(vector)[0], atol=1e-5)
    metrics = json.loads((root / "08_reporting/test/metrics.json").read_text())
    assert metrics["arms"]["distilled"]
    page = (root / "08_reporting/test/report.html").read_text()
    assert "learns from rows of numbers alone" in page and "row: " in page


def test_studies_damage_it_by_its_own_degradations(tabular, raw):
    source = SourcesConfig({"made": {"layout": "folder", "root": str(raw)}})
    rows = layout_of("made", "folder")("made", Roots(source), {}).rows
    damage = random_damage(tabular, {"jitter": [1.0]}, 0.5, 0)
    clean, damaged = (
        load_inputs("tabular", rows, Roots(source), InputConfig(), corrupt).__getitems__(
            [Item(row) for row in range(100)]
        )[1]
        for corrupt in (None, damage)
    )
    assert 20 < (clean != damaged).any(dim=1).sum() < 80
    robustness = RobustnessConfig(kinds={"tabular": {"jitter": []}})
    assert [condition.level for condition in damage_levels(robustness, "tabular")] == [0.1, 1.0]


def test_an_unreadable_file_is_rejected_by_the_modalitys_own_reason(tabular, raw):
    (raw / "thing00" / "0.json").write_text("{")
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(raw)}}))
    with pytest.raises(ValueError, match="thing00/0.json: not a row of numbers"):
        tabular.read({"source": "made", "path": "thing00/0.json"}, roots)


def test_a_name_is_taken_once_and_given_back(tabular):
    with pytest.raises(ValueError, match="the name 'rows' is registered already"):
        register(Tabular())
    assert modality_names() == ("image", "speech", "text", "tabular")
    assert "tabular" in InputConfig().model_dump()


def test_a_modality_whose_encoders_are_all_frozen_is_no_student(tabular):
    frozen = EncoderLibrary(embed=lambda config, samples: None, weights=lambda config: "")

    class Still(Tabular):
        name, inputs, libraries = "still", None, {"still": frozen}

    register(Still())
    try:
        with pytest.raises(ValueError, match="task.student: none of the encoder libraries of 'still' can be trained"):
            TaskConfig(name="t", title="T", kind="verification", student="still", teacher="text")
        assert TaskConfig(name="t", title="T", kind="verification", student="text", teacher="still")
    finally:
        unregister("still")


def test_what_is_not_registered_is_unknown_everywhere():
    assert modality_names() == ("image", "speech", "text")
    assert list(InputConfig().model_dump()) == ["image", "speech", "cache_mb"]
    with pytest.raises(ModalityError, match="unknown modality 'tabular'; there are: image, speech, text"):
        modality_of("tabular")
    with pytest.raises(ValueError, match="unknown modality 'tabular'; expected one of: 'image', 'speech', 'text'"):
        TaskConfig(name="t", title="T", kind="verification", student="tabular", teacher="text")
    with pytest.raises(ValueError, match="unknown key 'tabular' in InputConfig; expected one of: cache_mb, image"):
        InputConfig(tabular={})
    with pytest.raises(ValueError, match="unknown modality 'tabular'"):
        RobustnessConfig(kinds={"tabular": {}})
    assert not SAMPLES.columns["modality"].checks[0](pd.Series(["tabular"])).check_passed
