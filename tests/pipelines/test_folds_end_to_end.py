"""``evaluation.folds`` through the real pipelines."""

import json
import shutil
from pathlib import Path

import pytest

FOLDS = {"evaluation": {"folds": 3}}


def stamps(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_label_is_tested_once_and_nothing_is_trained_twice(distilled, evaluated_in_folds, run_kedro):
    root = shutil.copytree(evaluated_in_folds, run_kedro.data_root)
    single = json.loads((distilled / "08_reporting/test/metrics.json").read_text())
    student = [path.relative_to(distilled) for path in (distilled / "06_models/test/distilled/student").rglob("*.saf*")]
    pooled = json.loads((root / "08_reporting/test/metrics.json").read_text())
    folds = pooled["protocol"]["folds"]
    assert "folds" not in single["protocol"] and len(folds) == 3
    assert pooled["protocol"]["bootstrap"]["clusters"] == sum(fold["clusters"] for fold in folds) == 24
    assert folds[0]["eer"] == {role: single[role]["eer"]["value"] for role in ("student_alone", "distilled")}
    assert folds[1]["eer"] != folds[0]["eer"] and pooled["difference"]["eer"] != single["difference"]["eer"]
    assert student and all((root / path).read_bytes() == (distilled / path).read_bytes() for path in student)
    page = (root / "08_reporting/test/report.html").read_text()
    assert "The task, on the tests of all 3 folds" in page and "The task, on the test split" not in page
    assert not list((root / "06_models/test/folds").rglob("embedding_cache")), "a pretrained teacher embeds once"
    assert "rotated over 3 folds" in page and "of the first fold: the test split" in page
    assert "rotated over" not in page.split('<h2 id="plots">')[1]

    kept = stamps(store := root / "06_models/test/folds")
    assert kept
    (other := store / "fold-2-0123456789abcdef").mkdir()
    run_kedro("evaluation", params=FOLDS)
    assert stamps(store) == kept
    assert json.loads((root / "08_reporting/test/metrics.json").read_text()) == pooled
    assert not other.exists(), "students of other parameters are not kept for ever"
