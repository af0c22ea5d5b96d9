"""What a run reads is of the samples and the models that it reads beside, or it does not begin."""

import json

import pandas as pd
import pytest

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.lineage import FILE
from cross_modal_kd.models import load_bundle, save_bundle

TASK = "test"


def change_samples(data_root, change):
    """Write the table of samples again; returns what it was."""
    file = data_root / "02_intermediate" / TASK / "samples.parquet"
    before = pd.read_parquet(file)
    change(before.copy()).to_parquet(file, index=False)
    return before


def without_first(split):
    return lambda table: table.drop(table.index[(table["split"] == split) & (table["modality"] == "image")][:1])


def refused(run, pipeline):
    """What is named before the colon, and the whole sentence."""
    with pytest.raises(ConfigError) as error:
        run(pipeline)
    named, _, rest = str(error.value).partition(": made of other ")
    assert rest
    return set(named.split(", ")), rest


def test_samples_that_changed_are_found_before_a_run_that_would_mix_them(run_kedro_after):
    notes = run_kedro_after.data_root / "08_reporting" / TASK / FILE
    made_of = json.loads(notes.read_text())["distilled.student"]["of"]
    assert set(made_of) == {"learnt", "teacher_model", "projection_mlp", "projection_pca"}
    change_samples(run_kedro_after.data_root, without_first("train"))
    named, rest = refused(run_kedro_after, "evaluation")
    assert {"quality_measures", "quality_scores", "teacher_embeddings", "distilled.student"} <= named
    assert rest.startswith("samples than there are now")
    assert "--pipelines=quality,teacher,projection,distillation`" in rest.replace("ingestion,", "")
    named, rest = refused(run_kedro_after, "distillation")
    assert named == {"projection_mlp", "projection_pca", "sample_weights", "teacher_embeddings"}
    for study in (
        "comparison",
        "tuning",
        "regimes",
        "robustness",
        "quality_study",
        "deployment",
        "teacher",
        "projection",
    ):
        refused(run_kedro_after, study)


def test_models_are_of_training_and_dev_samples_alone(run_kedro_after):
    """A test picture that is taken out asks for no training anew."""
    before = change_samples(run_kedro_after.data_root, without_first("test"))
    named, rest = refused(run_kedro_after, "evaluation")
    assert "quality_measures" in named and not [each for each in named if each.endswith(("student", "history"))]
    change_samples(run_kedro_after.data_root, lambda _: before)
    run_kedro_after("quality_study")


def test_what_was_noted_nowhere_is_let_through(run_kedro_after):
    (run_kedro_after.data_root / "08_reporting" / TASK / FILE).unlink()
    run_kedro_after("quality")


def test_a_projection_of_another_teacher_is_found(run_kedro_after):
    folder = run_kedro_after.data_root / "06_models" / TASK / "projection_pca"
    bundle = load_bundle(folder, ["projection"])
    save_bundle(folder, type(bundle)(bundle.kind, bundle.config, {k: v + 1 for k, v in bundle.tensors.items()}))
    named, rest = refused(run_kedro_after, "evaluation")
    assert named and rest.startswith("projection_pca than there are now")


def test_samples_that_a_run_makes_are_set_beside_what_it_reads(run_kedro_after):
    """`--pipelines=ingestion,evaluation`: another split is known only once it was drawn."""
    both = {"tags": ["ingestion", "evaluation"]}
    run_kedro_after("ingestion")
    run_kedro_after("quality")  # the same table: nothing is said
    with pytest.raises(ConfigError, match="distilled.student.*: made of other samples"):
        run_kedro_after("distill", params={"ingestion": {"split": {"seed": 5, "frozen": None}}}, **both)
