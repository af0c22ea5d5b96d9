"""What differs between runs, and whether their metrics may be set against each other."""

import re
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cross_modal_kd import cli
from cross_modal_kd.runs import compare, compare_page, compare_words
from cross_modal_kd.tracking import PastRun

PARAMS = {"task.name": "birds", "training.seed": "0", "training.lr": "0.1", "evaluation.bootstrap": "200"}
TAGS = {
    "task": "birds",
    "data.samples": "5a",
    "data.protocol": "9f",
    "git.sha": "c" * 40,
    "git.dirty": "false",
    "version.torch": "2.14",
    "device.cpu": "a",
    "kedro.command": "kedro run",
}


def metrics(alone: float, distilled: float) -> dict[str, float]:
    found = {"headline/eer": distilled, "metrics/protocol.bootstrap.level": 0.95, "seconds/node": 3.0}
    for part, value in (("student_alone", alone), ("distilled", distilled), ("difference", distilled - alone)):
        full = f"metrics/{part}.eer"
        found |= {full: value, f"interval/{full}.low": value - 0.02, f"interval/{full}.high": value + 0.02}
    return found | {"projection_metrics/mlp.dev_eer": 0.25}


def past(number: int, params=None, tags=None, found=None, **others) -> PastRun:
    return PastRun(
        run_id=f"{number:032x}"[::-1],
        name=f"run {number}",
        experiment="birds",
        status=others.pop("status", "FINISHED"),
        started=datetime(2026, 11, 26, 9, number),
        params=PARAMS | (params or {}),
        tags={name: value for name, value in (TAGS | (tags or {})).items() if value is not None},
        metrics=found or metrics(0.3, 0.2),
        **{"whole": True} | others,
    )


def resamples(seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame({f"{arm}.eer": generator.normal(0.2, 0.01, 200) for arm in ("student_alone", "distilled")})


def cell(comparison, part: str, title: str = "EER"):
    (row,) = [row for row in comparison.metrics if row.part == part and row.title == title]
    return row.cells[1]


def test_parameters_are_those_that_differ_under_their_nested_names():
    runs = [past(1), past(2, {"training.seed": "1", "student.margin": "0.2"})]
    found = compare(runs, {})
    assert {fact.name: fact.values for fact in found.params} == {
        "training.seed": ("0", "1"),
        "student.margin": ("\N{EM DASH}", "0.2"),
    }
    assert found.same_params == 3
    assert not found.warnings


def test_long_parameters_are_compared_as_mlflow_cuts_them_where_a_run_has_no_whole_ones():
    from cross_modal_kd.tracking import as_params

    long = {"training.note": "x" * 900}
    runs = [past(1, long), past(2, as_params(long), whole=False)]
    found = compare(runs, {})
    assert not found.params
    assert "parameters are known only as MLflow shows them" in found.warnings[0]


def test_code_versions_and_machine_are_told_where_they_differ():
    found = compare([past(1), past(2, tags={"git.sha": "d" * 40, "version.torch": "2.15", "device.cpu": "b"})], {})
    assert {fact.name for fact in found.code} == {"commit", "version.torch"}
    assert {fact.name for fact in found.machine} == {"device.cpu"}


@pytest.mark.parametrize(
    ("tags", "params", "same", "warning"),
    [
        ({}, {}, True, None),
        ({"data.samples": "6b"}, {}, True, None),  # other training data, the same test set
        (
            {"data.protocol": "8e"},
            {"evaluation.bootstrap": "9"},
            False,
            "test sets differ.*n.bootstrap differ",
        ),
        (
            {"data.protocol": None, "data.samples": "6b"},
            {},
            False,
            "data differ.*cannot be.*the files are not",
        ),
        ({"data.protocol": None}, {}, True, None),
        ({"data.protocol": None}, {"evaluation.bootstrap": "9"}, False, "measured in different ways"),
        ({"data.protocol": None, "data.samples": None}, {}, None, "not known of 20000000"),
        ({"task": "fish", "data.protocol": "8e"}, {}, False, "different tasks .birds, fish."),
        ({"git.dirty": "true"}, {}, True, "B .20000000. was made with uncommitted changes"),
        ({"git.sha": None}, {}, True, "does not say from which commit"),
    ],
)
def test_what_keeps_the_metrics_from_being_compared_is_warned_of(tags, params, same, warning):
    found = compare([past(1), past(2, params, tags)], {})
    assert found.test_set.same is same
    if warning is None:
        assert not found.warnings
    else:
        assert re.search(warning, " ".join(found.warnings))
        assert f"WARNING: {found.warnings[0]}" in compare_words(found)
        assert found.warnings[0].split("(")[0].strip() in compare_page(found, "x")


def test_a_run_that_did_not_end_well_is_warned_of():
    found = compare([past(1), past(2, status="KILLED")], {})
    assert "B (20000000) did not end well: KILLED" in found.warnings[0]


def test_a_run_that_measured_nothing_is_named_with_what_measures():
    nothing = {"seconds/ingestion.split_samples": 0.5, "system/cpu": 3.0, "training/distilled.loss": 1.0}
    reads = past(2, tags={"data.protocol": None, "kedro.env": "birds"}, found=nothing)
    found = compare([past(1), reads], {})
    assert found.warnings == (
        "20000000 (run 2) has measured nothing that could be compared: `kedro run --pipelines=distill --env=birds` "
        "trains and measures, and `kedro run --pipelines=evaluation --env=birds` measures the students that are there.",
    )
    said = compare_words(found)
    assert "no interval: nothing was measured by 20000000." in said and "same test set" not in said
    also = past(3, tags={"kedro.env": "local"}, found=nothing)
    (warning,) = compare([also, reads], {}).warnings
    assert warning.startswith("30000000 (run 3) and 20000000 (run 2) have measured nothing") and "--env" not in warning
    on_dev = past(4, found={"teacher_metrics/dev_eer": 0.1})
    assert not compare([past(1), on_dev], {}).warnings


def test_the_interval_of_a_difference_is_that_of_the_differences_in_the_same_resamples():
    runs = [past(1), past(2, found=metrics(0.3, 0.15))]
    tables = {run.run_id: resamples(seed) for seed, run in enumerate(runs)}
    found = compare(runs, tables)
    first, second = (tables[run.run_id] for run in runs)
    differences = sorted(b - a for a, b in zip(first["distilled.eer"], second["distilled.eer"], strict=True))
    low, high = np.percentile(differences, [2.5, 97.5])
    shown = cell(found, "Distilled student")
    assert shown.change == "\N{MINUS SIGN}5.0"
    ends = [float(each.replace("\N{MINUS SIGN}", "-")) for each in re.findall(r"[−+]?\d+\.\d", shown.change_interval)]
    assert ends == pytest.approx([100 * low, 100 * high], abs=0.051)
    assert "have intervals" in found.intervals
    within = cell(found, "Distilled less alone, within each run")
    assert within.change == "\N{MINUS SIGN}5.0" and within.change_interval


def test_better_and_worse_are_said_where_the_interval_leaves_zero_out():
    runs = [past(1), past(2, found=metrics(0.3, 0.1))]
    tables = {runs[0].run_id: resamples(0), runs[1].run_id: resamples(0) - 0.1}
    tables[runs[1].run_id]["distilled.eer"] += np.linspace(-0.01, 0.01, 200)
    found = compare(runs, tables)
    assert cell(found, "Distilled student").tone == "better"
    assert "leaves zero out: B is better" in found.result[0]
    found = compare(runs[::-1], tables)
    assert cell(found, "Distilled student").tone == "worse"


@pytest.mark.parametrize(
    ("tags", "kept", "why"),
    [
        ({}, (1,), "20000000 has kept no resamples"),
        ({"data.protocol": "8e"}, (1, 2), "not measured on one test set"),
        ({"data.protocol": None}, (1, 2), "does not say in which resamples"),
    ],
)
def test_without_a_pair_of_resamples_there_is_no_interval_and_it_is_said_why(tags, kept, why):
    runs = [past(1), past(2, tags=tags, found=metrics(0.3, 0.15))]
    tables = {run.run_id: resamples(0) for number, run in enumerate(runs, start=1) if number in kept}
    found = compare(runs, tables)
    assert cell(found, "Distilled student").change and not cell(found, "Distilled student").change_interval
    assert why in found.intervals


def test_metrics_on_training_samples_are_not_paired_where_those_differ():
    names = ("metrics/distilled.eer_train", "metrics/distilled.eer")
    found = {
        f"{kind}{name}{end}": 0.2
        for name in names
        for kind, end in (("", ""), ("interval/", ".low"), ("interval/", ".high"))
    } | {"metrics/protocol.bootstrap.level": 0.95}
    runs = [past(1, found=found), past(2, found=found, tags={"data.samples": "6b"})]
    tables = {
        run.run_id: resamples(seed).assign(**{"distilled.eer_train": resamples(seed + 7)["distilled.eer"]})
        for seed, run in enumerate(runs)
    }
    compared = compare(runs, tables)
    assert cell(compared, "Distilled student").change_interval
    assert not cell(compared, "Distilled student", "EER on training samples").change_interval


def test_three_runs_are_set_against_the_first():
    found = compare([past(1), past(2), past(3, {"training.seed": "2"})], {})
    assert "C less A" in compare_words(found) and "C less A" in compare_page(found, "x")
    assert found.params[0].values == ("0", "0", "2")


def test_a_run_is_not_compared_with_itself_nor_alone():
    with pytest.raises(ValueError, match="two runs or more"):
        compare([past(1)], {})
    with pytest.raises(ValueError, match="is named twice"):
        compare([past(1), past(1)], {})


def test_the_page_needs_nothing_beside_it_and_escapes_what_runs_say():
    found = compare([past(1), past(2, {"training.note": "<script>alert(1)</script>"})], {})
    page = compare_page(found, "cross-modal-kd compare a b")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.findall(r"(?:src|href)=\"(?!#)|url\((?!#)|@import|http", page)
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page
    assert "<svg" in page and "cross-modal-kd compare a b" in page


def test_a_metric_that_nobody_knows_is_shown_as_it_is():
    runs = [past(1, found={"comparison/x": 1.0}), past(2, found={"comparison/x": 1.5, "metrics/distilled.odd": 2.0})]
    words = compare_words(compare(runs, {}))
    assert re.search(r"comparison/x +1 +1.5 +\+0.5", words)
    assert "<svg" not in compare_page(compare(runs, {}), "x")


@pytest.fixture
def two_runs(tracking_uri, tmp_path):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    experiment = client.create_experiment("birds", artifact_location=(tmp_path / "files").as_uri())
    ids = []
    for seed in (0, 1):
        run = past(seed + 1, {"training.seed": str(seed)}, found=metrics(0.3, 0.2 - 0.01 * seed))
        run_id = client.create_run(experiment, run_name=f"birds, seed {seed}", tags=dict(run.tags)).info.run_id
        client.log_dict(run_id, dict(run.params), "parameters.json")
        for name, value in run.metrics.items():
            client.log_metric(run_id, name, value)
        resamples(seed).to_parquet(tmp_path / "resamples.parquet")
        client.log_artifact(run_id, str(tmp_path / "resamples.parquet"))
        client.set_terminated(run_id)
        ids.append(run_id)
    return ids


def test_the_command_prints_what_differs_and_writes_the_page(two_runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("a browser is opened with --open alone"))
    result = CliRunner().invoke(cli.cli, ["compare", two_runs[0][:8], "birds, seed 1"])
    assert result.exit_code == 0, result.output
    assert re.search(r"training.seed +0 +1", result.output)
    assert "Differences between runs have intervals" in result.output
    page = tmp_path / re.search(r"^page: (.*)$", result.output, re.MULTILINE)[1]
    assert page.is_file() and two_runs[1] in page.read_text()


def test_the_page_is_opened_where_there_is_a_browser_with_a_window(two_runs, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    options = ["compare", "--open", "--page", str(tmp_path / "page.html"), *two_runs]
    assert "no browser can be opened here" in CliRunner().invoke(cli.cli, options).output and not opened
    monkeypatch.setenv("DISPLAY", ":0")
    assert "no browser" not in CliRunner().invoke(cli.cli, options).output
    assert opened == [(tmp_path / "page.html").as_uri()]


@pytest.mark.parametrize("words", [["nothing", "else"], ["one"], []])
def test_what_cannot_be_compared_is_told_without_a_traceback(two_runs, tmp_path, monkeypatch, words):
    monkeypatch.setattr("cross_modal_kd.cli.errors.find_kedro_project", lambda _: tmp_path)
    result = CliRunner().invoke(cli.cli, ["compare", *words])
    assert result.exit_code in (1, 2) and "Traceback" not in result.output


def test_the_installed_command_knows_compare_beside_the_options_of_run(monkeypatch, capsys):
    from cross_modal_kd.__main__ import main

    monkeypatch.delattr("sys.ps1", raising=False)  # which an IPython of another test leaves behind
    with pytest.raises(SystemExit) as end:
        main(["compare", "--help"])
    assert end.value.code == 0 and "What differs between runs" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "--pipelines" in capsys.readouterr().out


def test_over_folds_every_sample_is_tested_so_that_they_must_be_the_same():
    folds = {"evaluation.folds": "5"}
    assert compare([past(1, folds), past(2, folds)], {}).test_set.same is True
    found = compare([past(1, folds), past(2, folds, {"data.samples": "6b"})], {})
    assert found.test_set.same is False and "folds test all" in found.warnings[0]
