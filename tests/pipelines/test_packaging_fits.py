"""A student is packaged with its own embeddings, thresholds and metrics, or not at all."""

import json
import shutil

import pytest

from cross_modal_kd.config import ConfigError
from cross_modal_kd.samples import SamplesError
from cross_modal_kd.student import StudentError

ROLES = ("student_alone", "distilled")


def put(root, layer, name):
    """The student alone's in the place of the distilled one's."""
    here, there = (root / layer / "test" / role / name for role in ROLES)
    if there.is_dir():
        shutil.rmtree(there)
        shutil.copytree(here, there)
    else:
        shutil.copy(here, there)


@pytest.mark.slow
def test_what_belongs_to_another_student_is_neither_exported_nor_packaged(run_kedro_after, tracking_uri):
    root = run_kedro_after.data_root
    packaged = root / "06_models" / "test" / "distilled" / "packaged" / "checksums.json"
    before = packaged.read_bytes()
    exported = packaged.parents[1] / "exported"
    exported.mkdir()
    (exported / "export.json").write_text("of the student that was there before")

    def package():
        run_kedro_after("deployment", to_outputs=["distilled.packaged"])

    put(root, "06_models", "student")  # as if only distillation had been run again
    with pytest.raises(ConfigError, match=r"distilled\.embeddings, .*, metrics: made of other distilled\.student"):
        run_kedro_after("deployment")
    shutil.rmtree(root / "08_reporting" / "test" / "lineage")  # what was put there by hand was noted nowhere
    with pytest.raises(StudentError, match="thresholds of distilled were found with another student"):
        run_kedro_after("deployment")  # which exports first
    assert [file.read_text() for file in exported.iterdir()] == ["of the student that was there before"]
    with pytest.raises(SamplesError, match="embeddings at hand are not of the student.*--pipelines=evaluation"):
        package()
    put(root, "07_model_output", "embeddings")
    with pytest.raises(StudentError, match="thresholds of distilled were found with another student"):
        package()
    put(root, "07_model_output", "operating.json")
    with pytest.raises(StudentError, match="metrics.json is of another student than the distilled one"):
        package()
    assert packaged.read_bytes() == before
    file = root / "08_reporting" / "test" / "metrics.json"
    metrics = json.loads(file.read_text(encoding="utf-8"))
    metrics["arms"]["distilled"]["weights"] = metrics["arms"]["student_alone"]["weights"]
    file.write_text(json.dumps(metrics), encoding="utf-8")
    package()
    assert packaged.read_bytes() != before
