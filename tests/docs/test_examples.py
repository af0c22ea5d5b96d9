"""The examples of the pages that say how to add a loss and a source are real files, and they work."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from cross_modal_kd.config import ArmsConfig, SourcesConfig
from cross_modal_kd.losses import ConstraintInputs, build_constraint, kinds
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources import LAYOUTS, OPTIONS, check_source, layout_of
from own_folders import image, table

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def loaded(name: str, within: str, monkeypatch):
    """An example, as if it lay in a room of the package."""
    spec = importlib.util.spec_from_file_location(f"{within}.{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, f"{within}.{name}", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def huber(monkeypatch):
    loaded("huber", "cross_modal_kd.losses", monkeypatch)
    page = (EXAMPLES.parent / "add-a-loss.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith('"huber": '))
    declared = eval(line.partition(": ")[2].rstrip(","), vars(kinds))  # noqa: S307 (our own page)
    monkeypatch.setitem(kinds.CONSTRAINTS, "huber", declared)


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_loss_against_plain_loops(huber, margin):
    torch.manual_seed(0)
    student, teacher = (torch.nn.functional.normalize(torch.randn(9, 5, dtype=torch.float64)) for _ in range(2))
    output = build_constraint("huber", margin, delta=0.4)(ConstraintInputs(student, teacher))
    for row in range(9):
        distance = 1 - sum(float(student[row, at]) * float(teacher[row, at]) for at in range(5))
        value = distance**2 / 0.8 if distance < 0.4 else distance - 0.2
        assert output.values[row].item() == pytest.approx(max(0.0, value - margin), abs=1e-12)
        assert output.active[row].item() == float(value > margin)


def test_the_loss_is_an_arm_like_any_other(huber):
    import yaml

    page = (EXAMPLES.parent / "add-a-loss.md").read_text(encoding="utf-8")
    block = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    arm = ArmsConfig(block["arms"]).get(block["distillation"]["arm"])
    constraint = arm.constraints["feature"]
    assert build_constraint(constraint.kind, constraint.margin, **constraint.options).delta == 0.4
    with pytest.raises(ValueError, match="has no option 'delt'"):
        kinds.check_constraint("huber", options={"delt": 1})


@pytest.fixture
def pairs(monkeypatch, tmp_path):
    """The source of the example, registered as the page says, on a folder of twelve pictures."""
    module = loaded("pairs_table", "cross_modal_kd.sources", monkeypatch)
    page = (EXAMPLES.parent / "add-a-source.md").read_text(encoding="utf-8")
    for registry, name in ((LAYOUTS, "LAYOUTS"), (OPTIONS, "OPTIONS")):
        line = next(line for line in page.splitlines() if line.startswith(f'{name}["pairs_table"] = '))
        monkeypatch.setitem(registry, "pairs_table", getattr(module, line.partition(" = ")[2]))
    rows = []
    for number in range(48):
        species = f"s{number % 8}"
        rows.append((image(tmp_path / f"{number}.png", number % 8, number), f"a bird, {species}", species))
    table(tmp_path / "pairs.csv", ("image", "text", "species"), [*rows[:-1], (rows[-1][0], " ", rows[-1][2])])
    return tmp_path


def test_the_source_runs_through_ingestion(pairs, run_kedro):
    sources = {"emoji": None, "mine": {"layout": "pairs_table", "root": str(pairs), "options": {"label": "species"}}}
    run_kedro("ingestion", params={"sources": sources})
    folder = run_kedro.data_root / "02_intermediate" / "test"
    samples = pd.read_parquet(folder / "samples.parquet")
    assert samples["modality"].value_counts().to_dict() == {"image": 47, "text": 47}
    assert samples.groupby("group")["split"].nunique().max() == 1
    rejected = pd.read_csv(folder / "rejected_samples.csv")
    assert rejected["reason"].tolist() == ["no text (pairs.csv, line 49)"]


def test_the_source_says_what_is_wrong(pairs):
    source = SourcesConfig({"mine": {"layout": "pairs_table", "root": str(pairs)}})
    with pytest.raises(SamplesError, match=r"pairs.csv: expected the column\(s\) 'label'"):
        layout_of("mine", "pairs_table")("mine", Roots(source), {})
    wrong = SourcesConfig({"mine": {"layout": "pairs_table", "root": str(pairs), "options": {"lable": "x"}}})
    with pytest.raises(SamplesError, match="unknown key 'lable' in PairsTableOptions"):
        check_source("mine", wrong.root["mine"])


def test_the_pages_show_the_files_that_are_tested():
    for page, files in {
        "add-a-loss": ["docs/examples/huber.py"],
        "add-a-source": ["docs/examples/pairs_table.py"],
        "add-a-modality": ["tests/toys/tabular/__init__.py", "tests/toys/tabular/tensors.py"],
    }.items():
        text = (EXAMPLES.parent / f"{page}.md").read_text(encoding="utf-8")
        assert all(f'--8<-- "{file}"' in text for file in files)
