"""What a run made outlives the next run, and the console says at the end what came out."""

import html
import json
import shutil
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node
from kedro_datasets.json import JSONDataset
from kedro_datasets.text import TextDataset

from cross_modal_kd.datasets import DirectoryDataset
from cross_modal_kd.hooks import history

PIPELINE = Pipeline([node(lambda: None, None, ["student", "metrics", "samples"], name="all")])


class Run:
    """A run of ``PIPELINE`` whose outputs hold ``content``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = DataCatalog({
            "student": TextDataset(filepath=str(root / "06_models/mine/distilled/weights")),
            "metrics": JSONDataset(filepath=str(root / "08_reporting/mine/metrics.json")),
            "samples": TextDataset(filepath=str(root / "02_intermediate/mine/samples")),
            "reporting_folder": DirectoryDataset(filepath=str(root / "08_reporting/mine")),
        })  # fmt: skip

    def __call__(self, session: str, content: str, pipeline: str = "all") -> None:
        hook = history.HistoryHook()
        hook.before_pipeline_run(PIPELINE, self.catalog)
        for name in PIPELINE.all_outputs():
            self.catalog.save(name, content)
        hook.after_pipeline_run({"run_id": session, "pipeline_names": [pipeline]}, PIPELINE, self.catalog)

    @property
    def made(self) -> list[str]:
        return [self.catalog.load(name) for name in ("student", "metrics")]

    @property
    def kept(self) -> list[str]:
        return sorted(path.name for path in (self.root / ".history" / "mine").iterdir())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_last_runs_are_kept_and_can_be_brought_back(run):
    for number in range(history.KEEP + 2):
        run(str(number), f"content {number}")
    assert run.kept == [f"{number}.all" for number in range(2, history.KEEP + 2)]
    notes = run.root / "08_reporting/mine/lineage"
    notes.mkdir()
    for name in ("student", "samples"):
        (notes / f"{name}.json").write_text('{"of": {}}')
    run("9", "content 9", "noted")
    copied = run.root / ".history/mine/9.noted/08_reporting/mine/lineage"
    assert [note.name for note in copied.iterdir()] == ["student.json"]  # samples are not brought back
    for number in (3, 4, 3):
        shutil.copytree(run.root / ".history/mine" / f"{number}.all", run.root, dirs_exist_ok=True)
        assert run.made == [f"content {number}"] * 2
    assert run.catalog.load("samples") == "content 9"  # made again by whoever needs it
    last = run.root / ".history/mine" / run.kept[-1] / "06_models/mine/distilled/weights"
    assert last.read_text() == "content 9"


def test_runs_of_a_stage_push_out_none_of_another_pipeline(run):
    run("0", "whole", "distill")
    for number in range(1, history.KEEP + 3):
        run(str(number), "stage", "evaluation")
    assert run.kept == ["0.distill", *(f"{number}.evaluation" for number in range(3, history.KEEP + 3))]
    assert not list((run.root / ".history").rglob("checksums.json"))


def test_what_was_there_before_copies_were_made_is_kept_too(run):
    run("0", "old")
    shutil.rmtree(run.root / ".history")
    run("1", "new")
    assert run.kept == ["0-before", "1.all"]
    assert json.loads((run.root / ".history/mine/0-before/08_reporting/mine/metrics.json").read_text()) == "old"


def test_without_room_for_a_copy_a_run_ends_well(run, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history, "_copy", full)
    run("0", "new")
    assert run.made == ["new"] * 2 and "is not kept" in caplog.text


@pytest.mark.slow
def test_the_console_says_the_result_its_page_and_where_it_is_tracked(run_kedro_after, caplog, tracking_uri):
    with caplog.at_level("INFO"):
        run_kedro_after("evaluation", params={"training": {"patience": None}})
    said = [record.message for record in caplog.records if record.name.endswith("last_words")]
    assert said[0].startswith("result: EER ") and "points" in said[0]
    metrics = json.loads((run_kedro_after.data_root / "08_reporting/test/metrics.json").read_text())
    assert f"{100 * metrics['distilled']['eer']['value']:.1f}" in said[0].replace("\N{NO-BREAK SPACE}", " ")
    assert any(line.startswith("report: ") and line.endswith("report.html") for line in said)
    assert said[-1].startswith("MLflow: run ") and tracking_uri in said[-1] and "mlflow ui" in said[-1]
    assert (run_kedro_after.data_root / history.HISTORY / "test").is_dir()
    page = html.unescape((run_kedro_after.data_root / "08_reporting/test/report.html").read_text())
    typed = f"--params=training.patience=null,data_root={run_kedro_after.data_root}"
    assert typed in page or ",".join(reversed(typed.removeprefix("--params=").split(","))) in page
    assert "None" not in page.split("Make this page again")[1].split("<script")[0]
