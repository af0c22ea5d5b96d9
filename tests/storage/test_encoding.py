"""Names of files under a Python that takes them for another encoding than UTF-8."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cross_modal_kd
from cross_modal_kd import cli
from cross_modal_kd.config import IngestionConfig, SourcesConfig, TaskConfig
from cross_modal_kd.samples import SamplesError
from cross_modal_kd.sources import list_files, read_sources
from cross_modal_kd.storage import misread
from cross_modal_kd.student import StudentError, files_in

WITHOUT_UTF8 = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
WHAT_TO_DO = "set PYTHONUTF8=1"
A_UMLAUT = "\udcc3\udca4"  # as Python has the two bytes in ASCII


@pytest.fixture
def ascii_names(monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")


def test_names_are_right_in_utf8_whatever_their_bytes():
    for name in ("a.png", "\u00e4.png", "\udce9.png"):
        assert misread(name) == ""


def test_what_is_utf8_on_the_disk_or_in_a_file_is_misread_and_what_is_not_is_no_name_anyway(ascii_names):
    for name in (f"{A_UMLAUT}.png", "\u00e4.png"):
        assert f"and what is typed for ascii, and '\u00e4.png' is UTF-8: {WHAT_TO_DO}" in misread(name)
    for name in ("a.png", "\udce9.png"):
        assert misread(name) == ""


@pytest.mark.parametrize("path", ["\u00e4/1.png", "a/\u00e9.png"])
def test_a_folder_with_such_names_is_neither_empty_nor_full_of_rejected_files(ascii_names, tmp_path, path):
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_bytes(b"x")
    (tmp_path / ".\u00e4").write_bytes(b"hidden")
    with pytest.raises(SamplesError, match=WHAT_TO_DO):
        list_files(tmp_path)
    with pytest.raises(StudentError, match=WHAT_TO_DO):
        list(files_in(tmp_path, "image"))
    (tmp_path / path).unlink()
    (tmp_path / path).parent.rename(tmp_path / "b")
    assert list_files(tmp_path).paths == []


def test_the_root_of_a_source_is_named(ascii_names):
    task = TaskConfig(name="t", kind="verification", student="image", teacher="text", pairing="label")
    sources = SourcesConfig.model_validate({"s": {"layout": "folder", "root": "\u00e4"}})
    with pytest.raises(SamplesError, match=f"sources.s.root: .*{WHAT_TO_DO}"):
        read_sources(task, sources, IngestionConfig())


@pytest.mark.parametrize(
    "words",
    [
        ["predict", f"{A_UMLAUT}.png"],
        ["enroll", f"Zo{A_UMLAUT}", "a.png", "--book=b"],
        ["compare", A_UMLAUT, "b"],
        ["run", f"--params=sources.s.root={A_UMLAUT}"],
        ["new-task", "birds", A_UMLAUT],
    ],
)
def test_what_was_typed_is_told(ascii_names, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "base").mkdir(parents=True)
    result = CliRunner().invoke(cli.cli, words)
    assert result.exit_code == 1 and WHAT_TO_DO in result.output and "Traceback" not in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
def test_a_python_without_utf8_says_so_itself(tmp_path):
    (tmp_path / "\u00e4.png").write_bytes(b"x")
    program = "import os; from cross_modal_kd.storage import misread; print(ascii(misread(os.listdir()[0])))"
    env = {**os.environ, **WITHOUT_UTF8, "PYTHONPATH": str(Path(cross_modal_kd.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert "for ascii" in done.stdout and WHAT_TO_DO in done.stdout
