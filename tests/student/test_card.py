"""The model card: from the small student of `distill`, its numbers, its words, and a folder that can be published."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from cross_modal_kd.cli.export import export
from cross_modal_kd.config import ArmsConfig, IngestionConfig, SourceConfig, SourcesConfig
from cross_modal_kd.sources import NOT_STATED, licence_of
from cross_modal_kd.student import StudentError, gather_evidence, load_package, save_package, with_card, write_hf_folder
from cross_modal_kd.student.card_notes import consent_notes
from cross_modal_kd.student.card_text import fenced, in_markdown, without_places

PROJECT = Path(__file__).parents[2]
HOSTILE = "---\nlicense: mit\n---\n# <script>alert(1)</script> | [x](http://a.b) `y` *z* \u202e"


@pytest.fixture(scope="module")
def packaged(distilled):
    return distilled / "06_models" / "test" / "distilled" / "packaged"


@pytest.fixture(scope="module")
def student(packaged):
    return load_package(packaged)


@pytest.fixture(scope="module")
def reports(distilled):
    return distilled / "08_reporting" / "test"


@pytest.fixture(scope="module")
def evidence(student, distilled, reports):
    base = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text(encoding="utf-8"))
    arms = yaml.safe_load((PROJECT / "conf/base/parameters_arms.yml").read_text(encoding="utf-8"))["arms"]
    (counts,) = distilled.glob("0*/test/split_summary.csv")
    return gather_evidence(
        student,
        json.loads((reports / "metrics.json").read_text(encoding="utf-8")),
        pd.read_csv(counts),
        SourcesConfig(base["sources"]),
        IngestionConfig(**base["ingestion"]),
        ArmsConfig(arms),
        reports,
    )


def front(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_the_packaged_student_has_a_card_that_the_hub_reads(packaged, reports, no_network):
    from huggingface_hub import ModelCard

    card = ModelCard.load(packaged / "README.md")
    assert card.data.library_name == "cross-modal-kd" and card.data.license == "unknown"
    metrics = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))["distilled"]
    assert card.data.eval_results
    for result in card.data.eval_results:
        assert result.metric_value == metrics[result.metric_type]["value"]
    for section in ("Result", "Thresholds", "Robustness", "Data", "Intended use", "Limits", "Consent and bias",
                    "How to use", "How to reproduce"):  # fmt: skip
        assert f"\n## {section}\n" in card.text
    assert "Not measured." in card.text and "True pairs" in card.text
    assert str(PROJECT) not in card.content


def _numbers_of(metrics):
    """Every number of the file as the page may show it: in percent or points with one decimal, or with three."""
    if isinstance(metrics, dict):
        return {each for value in metrics.values() for each in _numbers_of(value)}
    if isinstance(metrics, list):
        return {each for value in metrics for each in _numbers_of(value)}
    if isinstance(metrics, bool) or not isinstance(metrics, int | float):
        return set()
    return {f"{abs(value):.{digits}f}" for value in (metrics, 100 * metrics) for digits in (0, 1, 3)} | {str(metrics)}


def test_every_number_of_the_results_is_one_of_the_metrics_file(packaged, reports):
    text = (packaged / "README.md").read_text(encoding="utf-8")
    known = _numbers_of(json.loads((reports / "metrics.json").read_text(encoding="utf-8")))
    rows = [line for line in text.split("## Result")[1].split("## Thresholds")[0].splitlines() if line.startswith("|")]
    cells = [cell for row in rows for cell in row.split("|")[2:]]
    found = re.findall(r"\d+(?:\.\d+)?", " ".join(cells))
    assert len(found) > 30 and set(found) <= known
    record = json.loads((packaged / "student.json").read_text(encoding="utf-8"))
    for threshold in record["operating"]["thresholds"]:
        assert threshold["reason"][:20] in text.replace("\\", "") or f"{threshold['value']:.4f}" in text


def test_hostile_names_are_shown_and_steer_nothing(student, evidence):
    task = student.record.task.model_copy(update={"title": HOSTILE, "note": HOSTILE})
    counts = evidence.counts.assign(source=HOSTILE)
    given = replace(evidence, counts=counts, licences=[(HOSTILE, "folder", HOSTILE)])
    card = with_card(replace(student, record=student.record.model_copy(update={"task": task})), given).card
    assert front(card)["license"] == "unknown"
    page = card.split("---\n", 2)[2]
    assert not re.search(r"(?<!\\)<script", page) and "](http:" not in page.replace("\\]", "") and "\u202e" not in card
    assert all(line.count("|") - line.count("\\|") == 4 for line in page.splitlines() if line.startswith("| \\-") or
               "| folder |" in line)  # fmt: skip


def test_a_baseline_that_a_teacher_binds_and_classes_known_by_name_are_called_so(student, evidence):
    record, arms = student.record, evidence.metrics["arms"]
    weights = arms["distilled"]["weights"]
    alone = arms["student_alone"] | {"name": "plain pull", "bound": True, "weights": weights}
    metrics = dict(evidence.metrics) | {"labels": {"training_samples": 9, "labelled": 0}, "arms": arms}

    def card(task, metrics, role="student_alone"):
        as_said = replace(student, record=record.model_copy(update={"task": task, "role": role}))
        return with_card(as_said, replace(evidence, metrics=metrics)).card

    classification = record.task.model_copy(update={"kind": "classification"})
    bound = metrics | {"arms": arms | {"student_alone": alone}}
    plain = metrics | {"arms": arms | {"student_alone": arms["student_alone"] | {"weights": weights}}}
    assert "itself trained without a teacher" in card(record.task, plain) and "distilled - alone" in card(
        record.task, plain
    )
    page = card(classification, bound)
    assert "itself trained without a teacher" not in page and "| distilled - plain pull |" in page
    assert "classes, of which it was told the names alone, as the teacher reads them." in page
    assert "Dev and test share their labels; the training was told none." in page and "The splits share" not in page
    assert "training classes" in card(record.task, bound)


def test_chimeric_pairs_are_called_so_and_biometrics_by_modality(student, evidence):
    task = student.record.task.model_copy(update={"chimeric": True, "pairing": "label"})
    card = with_card(replace(student, record=student.record.model_copy(update={"task": task})), evidence).card
    assert "Chimeric:" in card and "True pairs" not in card and "chimeric" in front(card)["tags"]
    voices = task.model_copy(update={"student": "speech", "teacher": "image"})
    assert any("voice identifies" in note for note in consent_notes(voices, ["voices"]))
    assert any("face identifies" in note for note in consent_notes(voices, ["voices", "orl_faces"]))
    assert not any("identifies" in note for note in consent_notes(task, ["emoji"]))


@pytest.mark.parametrize(
    ("pairing", "words"),
    [
        (("instance", "session", "label"), "of the same instance, else the same session, else the same label."),
        ("session", "of the same label and session."),
        ("instance", "of the same instance."),
    ],
)
def test_what_pairs_are_of_is_said(student, evidence, pairing, words):
    task = student.record.task.model_copy(update={"pairing": pairing})
    card = with_card(replace(student, record=student.record.model_copy(update={"task": task})), evidence).card
    assert "**Pairing.** True pairs" in card and words in card


def test_robustness_of_this_student_is_shown_and_that_of_an_earlier_one_is_not(student, evidence):
    row = {"kind": "blur", "level": 2.0, "unit": "pixels", "severity": 3, "error_metric": "eer", "error": 0.3217,
           "error_low": 0.3, "error_high": 0.35}  # fmt: skip
    card = with_card(student, replace(evidence, robustness=pd.DataFrame([row]))).card
    assert "| blur | 2 pixels |" in card and "32.2" in card and "Not measured" not in card


def test_licences(tmp_path):
    own = SourceConfig(layout="folder", root="x")
    assert licence_of(own, tmp_path) == NOT_STATED
    (tmp_path / "LICENCE.txt").write_text("mine")
    assert "LICENCE.txt" in licence_of(own, tmp_path)
    assert licence_of(own.model_copy(update={"licence": "CC BY 4.0"}), tmp_path) == "CC BY 4.0"
    assert "GPL-2" in licence_of(SourceConfig(layout="voices", root="x"))
    shipped = licence_of(SourceConfig(layout="emoji", root="x", options={"styles": ["noto"]}))
    assert "Apache-2.0" in shipped and "openmoji" not in shipped


def test_texts():
    assert in_markdown("a|b\nc") == r"a\|b c"
    assert fenced(["a ```` b"]).startswith("`````\n")
    command = "kedro run --env=x '--params=data_root=/home/me/a b,sources.a.root=/data/x,seed=1' --conf-source=~/c"
    assert without_places(command) == "kedro run --env=x --params=sources.a.root=PATH,seed=1 --conf-source=PATH"


def exported(folder, record, **other):
    """A folder of programs of that student."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    operating = record.operating
    content = {
        "student": record.weights,
        "thresholds": {each.name: each.value for each in operating.thresholds if each.value is not None},
        "temperature": operating.temperature.value or 1.0,
        "programs": {"student.onnx": {"bytes": 10, "latency_ms": 1.5, "parity": {"max_abs_difference": 1e-6}}},
        **other,
    }
    (programs / "export.json").write_text(json.dumps(content))
    (programs / "run_student.py").write_text("print()\n")
    return programs


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"student": "0" * 64}, "programs is of another student than the packaged one"),
        ({"student": None}, "programs does not say of which student it is, an older version made it"),
        ({"thresholds": {"eer": 0.125}}, "programs has other thresholds or another temperature"),
        ({"temperature": 7.0}, "programs has other thresholds or another temperature"),
    ],
)
def test_programs_of_another_student_are_not_published_with_this_one(packaged, student, tmp_path, other, said):
    programs, target = exported(tmp_path, student.record, **other), tmp_path / "published"
    with pytest.raises(StudentError, match=f"{said}.*kedro run --pipeline=deployment"):
        write_hf_folder(packaged, target, programs)
    done = CliRunner().invoke(export, [str(target), "--student", str(packaged), "--exported", str(programs)])
    assert done.exit_code == 1 and said in " ".join(done.output.split())
    assert not target.exists()


def test_the_folder_can_be_pushed(packaged, tmp_path):
    programs = exported(tmp_path, load_package(packaged).record)
    target = tmp_path / "published"
    done = CliRunner().invoke(
        export, [str(target), "--to", "hf-folder", "--student", str(packaged), "--exported", str(programs)]
    )
    assert done.exit_code == 0, done.output
    assert "*.safetensors filter=lfs" in (target / ".gitattributes").read_text()
    assert (target / "exported/run_student.py").is_file()
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "| student.onnx | 10 | 1.5 |" in card and 'load(".")' in card
    assert load_package(target).record == load_package(packaged).record
    for file in target.rglob("*"):
        assert not file.is_file() or str(PROJECT).encode() not in file.read_bytes()
    assert set(load_package(target).facts) <= set(load_package(packaged).facts) - {"platform", "git.branch"}
    with pytest.raises(StudentError, match="already"):
        write_hf_folder(packaged, target)


def test_what_names_a_place_or_a_secret_is_not_written(student, tmp_path):
    for number, named in enumerate(("/home/anna/x", "hf_" + "a" * 34)):
        folder = tmp_path / str(number)
        save_package(folder, replace(student, card=f"---\nlicense: mit\n---\n{named}\n"))
        with pytest.raises(StudentError, match="README.md names a (path|secret)"):
            write_hf_folder(folder, tmp_path / "out")
        assert not (tmp_path / "out").exists()
    save_package(tmp_path / "bare", replace(student, card=""))
    with pytest.raises(StudentError, match="has no README.md"):
        write_hf_folder(tmp_path / "bare", tmp_path / "out")
