"""The tasks that the project ships beside the default, from real files to a report, with tiny trainings."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.student import StudentModel

TINY = {"epochs": 1, "min_steps": None, "batch_size": 8, "eval_every": 1}
SPEECH = {
    "encoder": {
        "options": {
            "channels": [8, 8, 8, 8, 24],
            "attention_channels": 4,
            "res2net_scale": 2,
            "se_channels": 4,
            "lin_neurons": 16,
        }
    }
}
SHORT = {"speech": {"sample_rate": 8000, "crop_s": 0.5, "eval_s": 0.5, "n_mels": 16}, "image": {"size": 16}}
COMMON = {
    "projection": {"dim": 8, "hidden": 8, "epochs": 1, "min_steps": None},
    "training": TINY,
    "inputs": SHORT,
    "evaluation": {"bootstrap": 5, "max_impostors": 200, "gallery": [2], "folds": 1},
}
TASKS = {
    "face_speech": {
        "student": SPEECH,
        "ingestion": {"max_labels": 7},
        "teacher": {"embedding_dim": 8, "encoder": {"options": {"channels": [8, 8, 8, 8]}}, "training": TINY},
    },
    "text_speech": {"student": SPEECH, "ingestion": {"max_labels": 7}},
    "speech_face": {
        "teacher": {"embedding_dim": 8, **SPEECH, "training": TINY},
        "ingestion": {"max_labels": 7},
        "student": {"encoder": {"options": {"channels": [8, 8, 8, 8]}}},
    },
    "image_text": {
        "teacher": {"embedding_dim": 8, "encoder": {"options": {"channels": [4, 8]}}, "training": TINY},
        "ingestion": {"max_labels": 4},
    },
    "text_image": {
        "student": {"encoder": {"options": {"channels": [4, 8]}}},
        "ingestion": {"max_labels": 4},
    },
}


VOICES = Path(__file__).parents[2] / "data" / "01_raw" / "voices"
CLIPS = 8  # of a speaker


@pytest.fixture(scope="module")
def few_voices(tmp_path_factory):
    """The voices with the first clips of every speaker, a tenth of them all."""
    folder = tmp_path_factory.mktemp("voices")
    clips = pd.read_csv(VOICES / "clips.csv").groupby("speaker").head(CLIPS)
    for path in clips["path"]:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(VOICES / path, folder / path)
    clips.to_csv(folder / "clips.csv", index=False)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_other_task_distills_too(run_kedro, task, few_voices, tmp_path):
    voices = {"sources": {"voices": {"root": str(few_voices)}}} if "speech" in task else {}
    run_kedro("distill", env=task, params={**COMMON, **TASKS[task], **voices})
    metrics = json.loads(((run_kedro.data_root / "08_reporting" / task) / "metrics.json").read_text())
    assert {"student_alone", "distilled", "difference"} <= set(metrics)
    page = ((run_kedro.data_root / "08_reporting" / task) / "report.html").read_text()
    assert ("himeric" in page) == (task in ("face_speech", "speech_face"))
    if task == "image_text":  # in use: words as they are, or in a file
        student = StudentModel.load(
            folder := run_kedro.data_root / "06_models" / task / "distilled/packaged", device="cpu"
        )
        (tmp_path / "words.txt").write_text("a  red heart\n", encoding="utf-8")
        said, read = student.predict(["a red heart", tmp_path / "words.txt"])
        assert said.error is None and (said.label, said.probability) == (read.label, read.probability)
        assert student.predict(tmp_path / "none.txt").error == "there is no such file; words are given in a .txt file"
        assert [each.error for each in student.predict(sorted((folder / "examples").glob("*.txt")))] == [None]
