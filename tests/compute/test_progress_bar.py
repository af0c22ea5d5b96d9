"""A bar on a terminal, lines of the log elsewhere."""

import io
import logging
import sys

import pytest

from cross_modal_kd.compute import progress_bar


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_for_terminals_alone(monkeypatch, terminal):
    monkeypatch.setattr(sys, "stderr", stream := Stream(terminal))
    assert list(progress_bar(range(3), desc="Looking", mininterval=0)) == [0, 1, 2]
    assert ("Looking" in stream.getvalue()) == terminal


@pytest.mark.parametrize(("unit", "told"), [("file", "2 of 3 files, after "), ("", "2 of 3, after ")])
def test_long_work_is_told_in_lines(monkeypatch, caplog, unit, told):
    monkeypatch.setattr(sys, "stderr", stream := Stream(False))
    monkeypatch.setattr(sys.modules[progress_bar.__module__], "SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        list(progress_bar(range(3), desc="Looking", unit=unit))
    assert any(record.message.startswith(f"Looking: {told}") for record in caplog.records)
    assert not stream.getvalue() and "\r" not in caplog.text


def test_what_is_turned_off_says_nothing(monkeypatch, caplog):
    monkeypatch.setattr(sys.modules[progress_bar.__module__], "SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        list(progress_bar(range(3), desc="Looking", disable=True))
    assert "Looking" not in caplog.text


def test_no_other_file_makes_a_bar(project_path):
    makers = {file.name for file in (project_path / "src").rglob("*.py") if "tqdm(" in file.read_text()}
    assert makers == {"progress_bar.py"}
