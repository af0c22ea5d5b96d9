"""What a run reads is of the samples and the models that lie there now, or it does not begin."""

import json
import shutil

import pandas as pd
import pytest

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.lineage import NOTES
from cross_modal_kd.models import load_bundle, save_bundle

TASK = "test"


def change_samples(data_root, change):
    """Write the table of samples again; returns what it was."""
    file = data_root / "02_intermediate" / TASK / "samples.parquet"
    before = pd.read_parquet(file)
    change(before.copy()).to_parquet(file, index=False)
    return before


def change_weights(data_root, model):
    folder = data_root / "06_models" / TASK / model
    bundle = load_bundle(folder)
    config = bundle.config if bundle.tensors else bundle.config | {"another": True}  # of a pretrained one
    save_bundle(folder, type(bundle)(bundle.kind, config, {name: each + 1 for name, each in bundle.tensors.items()}))


def without_first(split):
    return lambda table: table.drop(table.index[(table["split"] == split) & (table["modality"] == "image")][:1])


def refused(run, pipeline, **options):
    """What is named before the colon, and the whole sentence."""
    with pytest.raises(ConfigError) as error:
        run(pipeline, **options)
    named, _, rest = str(error.value).partition(": made of other ")
    assert rest
    return set(named.split(", ")), rest


def test_samples_that_changed_are_found_before_a_run_that_would_mix_them(run_kedro_after):
    notes = run_kedro_after.data_root / "08_reporting" / TASK / NOTES
    made_of = json.loads((notes / "distilled.student.json").read_text())["of"]
    assert set(made_of) == {"learnt", "teacher_model", "projection_mlp", "projection_pca"}
    change_samples(run_kedro_after.data_root, without_first("train"))
    named, rest = refused(run_kedro_after, "evaluation")
    assert {"quality_measures", "quality_scores", "teacher_embeddings", "distilled.student"} <= named
    assert rest.startswith("training and dev samples (training and dev: ")
    for stage in ("distillation", "comparison", "regimes", "robustness", "deployment", "teacher", "projection"):
        assert "`kedro run --pipelines=quality" in refused(run_kedro_after, stage)[1]


def test_the_command_has_all_that_lies_between(run_kedro_after):
    """What was advised for one stage was refused in its turn: its own inputs were of other samples too."""
    change_samples(run_kedro_after.data_root, without_first("train"))
    for stage in ("quality_study", "robustness"):
        _, rest = refused(run_kedro_after, stage)
        assert "quality,teacher,projection,distillation" in rest


def test_models_are_of_training_and_dev_samples_alone(run_kedro_after):
    """A test picture that is taken out asks for no training anew."""
    before = change_samples(run_kedro_after.data_root, without_first("test"))
    named, rest = refused(run_kedro_after, "evaluation")
    assert "quality_measures" in named and not [each for each in named if each.endswith(("student", "history"))]
    assert rest.startswith("test samples (all: ") and "distillation" not in rest
    change_samples(run_kedro_after.data_root, lambda _: before)
    run_kedro_after("quality_study")


def test_what_was_noted_nowhere_is_let_through(run_kedro_after):
    change_samples(run_kedro_after.data_root, without_first("test"))
    refused(run_kedro_after, "projection")
    shutil.rmtree(run_kedro_after.data_root / "08_reporting" / TASK / NOTES)
    run_kedro_after("projection")


@pytest.mark.parametrize(
    ("model", "stage", "options"),
    [
        ("projection_pca", "evaluation", {}),
        ("teacher", "distillation", {}),  # which reads its projection, and not the teacher itself
        ("distilled/student", "evaluation", {"tags": ["report"]}),  # a page of numbers of a student that is gone
    ],
)
def test_what_is_of_another_model_is_found_though_the_run_does_not_read_that(run_kedro_after, model, stage, options):
    change_weights(run_kedro_after.data_root, model)
    _, rest = refused(run_kedro_after, stage, **options)
    assert rest.startswith({"teacher": "teacher_model", "distilled/student": "distilled.student"}.get(model, model))


def test_samples_that_a_run_makes_are_set_beside_what_it_reads(run_kedro_after):
    """`--pipelines=ingestion,evaluation`: another split is known only once it was drawn."""
    both = {"tags": ["ingestion", "evaluation"]}
    run_kedro_after("ingestion")
    run_kedro_after("quality")  # the same table: nothing is said
    with pytest.raises(ConfigError, match="distilled.student.*: made of other .*samples"):
        run_kedro_after("distill", params={"ingestion": {"split": {"seed": 5, "frozen": None}}}, **both)


def test_parameters_of_one_stage_alone_are_warned_of_in_the_next(run_kedro_after, caplog):
    """Weights by another quality went into a student without a word, under a page that showed this run's."""
    run_kedro_after("quality", params={"quality": {"combine": "mean"}})
    assert "made with other parameters" not in caplog.text
    run_kedro_after("quality_study")
    said = [each.message for each in caplog.records if "made with other parameters" in each.message]
    assert len(said) == 1 and said[0].startswith(
        "quality_measures, quality_scores: made with other parameters (quality)"
    )
    assert "`kedro run --pipelines=quality` first" in said[0]


def notes_of(run, name, part):
    return json.loads((run.data_root / "08_reporting" / TASK / NOTES / f"{name}.json").read_text())[part]


def test_a_model_that_a_run_makes_is_saved_with_all_of_its_node_before_others_are_refused(run_kedro_after):
    """A new mlp beside an old pca stayed on disk, and the advised command trained on both."""
    other, both = {"projection": {"dim": 8}}, {"tags": ["projection", "evaluation"]}
    with pytest.raises(ConfigError, match=r"distilled\.student.*: made of other projection_mlp.*=distillation`"):
        run_kedro_after("distill", params=other, **both)
    made_by = [notes_of(run_kedro_after, f"projection_{each}", "by") for each in ("mlp", "pca", "history", "metrics")]
    assert all(each["projection"] == made_by[0]["projection"] for each in made_by)


def warned(caplog):
    found = [each.getMessage() for each in caplog.records if "made with other parameters" in each.getMessage()]
    caplog.clear()
    return found


def test_what_was_made_of_two_that_differ_is_of_no_runs_parameters(run_kedro_after, caplog):
    """Weights by other qualities, then these again: the student in between was noted as made by this run's."""
    run_kedro_after("quality", params={"quality": {"combine": "mean"}})
    run_kedro_after("distillation")
    run_kedro_after("quality")
    assert warned(caplog)
    run_kedro_after("evaluation")
    (said,) = warned(caplog)
    assert "distilled.student" in said and "(quality)" in said and "distillation" in said.rpartition("or `")[2]


def test_a_page_of_numbers_of_another_training_says_so_once(run_kedro_after, caplog):
    run_kedro_after("distillation", params={"training": {"epochs": 1}})
    run_kedro_after("evaluation", params={"training": {"epochs": 1}})
    caplog.clear()
    run_kedro_after("evaluation", tags=["report"])
    (said,) = warned(caplog)
    assert "figures, metrics" in said and "(training)" in said
    run_kedro_after("evaluation")  # which reads the students: provenance says it, of each
    assert not warned(caplog)


def test_how_a_pretrained_teacher_would_be_trained_is_no_other_parameter(run_kedro_after, caplog):
    run_kedro_after("teacher", params={"teacher": {"training": {"seed": 5}}})
    run_kedro_after("projection")
    assert not warned(caplog)


def test_damaged_notes_of_the_right_form_end_no_run(run_kedro_after):
    notes = run_kedro_after.data_root / "08_reporting" / TASK
    (notes / NOTES / "metrics.json").write_text('{"of": {"samples": 5}, "by": []}')
    known = json.loads((notes / "provenance.json").read_text())
    known["distilled/history.csv"]["blocks"] = "x"
    (notes / "provenance.json").write_text(json.dumps(known))
    run_kedro_after("evaluation", tags=["report"])


def test_what_is_packaged_stands_alone(tmp_path):
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline, node
    from kedro_datasets.text import TextDataset

    from cross_modal_kd.datasets import DirectoryDataset, ModelDataset
    from cross_modal_kd.hooks import LineageHook
    from cross_modal_kd.models import ModelBundle

    save_bundle(tmp_path / "teacher", ModelBundle("pretrained", {}))
    files = {
        name: TextDataset(filepath=str(tmp_path / name)) for name in ("distilled.packaged", "distilled.embeddings")
    }
    folders = {"reporting_folder": DirectoryDataset(filepath=str(tmp_path / "reporting"))}
    catalog = DataCatalog({**files, **folders, "teacher_model": ModelDataset(filepath=str(tmp_path / "teacher"))})
    (tmp_path / "reporting" / NOTES).mkdir(parents=True)
    for name in files:
        (tmp_path / "reporting" / NOTES / f"{name}.json").write_text('{"of": {"teacher_model": "another"}}')

    def begin(name):
        LineageHook().before_pipeline_run(Pipeline([node(lambda _: None, name, None, name="reads")]), catalog)

    begin("distilled.packaged")
    with pytest.raises(ConfigError, match=r"distilled\.embeddings: made of other teacher_model"):
        begin("distilled.embeddings")
