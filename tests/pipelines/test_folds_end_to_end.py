"""``evaluation.folds`` through the real pipelines."""

import json
from pathlib import Path

import pytest

FOLDS = {"evaluation": {"folds": 3}}


def stamps(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_label_is_tested_once_and_nothing_is_trained_twice(run_kedro_after):
    root = run_kedro_after.data_root
    single = json.loads((root / "08_reporting/test/metrics.json").read_text())
    student = (root / "06_models/test/distilled/student").rglob("*.safetensors")
    before = {path: path.read_bytes() for path in student}
    other = root / "06_models/test/folds/fold-2-0123456789abcdef"
    other.mkdir(parents=True)
    run_kedro_after("evaluation", params=FOLDS)
    pooled = json.loads((root / "08_reporting/test/metrics.json").read_text())
    folds = pooled["protocol"]["folds"]
    assert "folds" not in single["protocol"] and len(folds) == 3
    assert pooled["protocol"]["bootstrap"]["clusters"] == sum(fold["clusters"] for fold in folds) == 24
    assert folds[0]["eer"] == {role: single[role]["eer"]["value"] for role in ("student_alone", "distilled")}
    assert folds[1]["eer"] != folds[0]["eer"] and pooled["difference"]["eer"] != single["difference"]["eer"]
    assert all(path.read_bytes() == content for path, content in before.items())
    page = (root / "08_reporting/test/report.html").read_text()
    assert "The task, on the tests of all 3 folds" in page and "The task, on the test split" not in page
    assert not list((root / "06_models/test/folds").rglob("embedding_cache")), "a pretrained teacher embeds once"
    assert "rotated over 3 folds" in page and "of the first fold: the test split" in page
    assert "rotated over" not in page.split('<h2 id="plots">')[1]

    kept = stamps(store := other.parent)
    assert kept
    run_kedro_after("evaluation", params=FOLDS)
    assert stamps(store) == kept
    assert json.loads((root / "08_reporting/test/metrics.json").read_text()) == pooled
    assert not other.exists(), "students of other parameters are not kept for ever"
