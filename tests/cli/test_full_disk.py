"""What the commands of a student say when the disk is full: the file, and the option of their own that helps."""

import errno
import os
import shutil

import pytest
from click.testing import CliRunner

from cross_modal_kd.cli import cli

FULL = os.strerror(errno.ENOSPC)
COMMANDS = {
    "enroll": (["a", "a.png", "--book", "{place}/book"], "book", "--book"),
    "export": (["{place}/folder"], "folder", "FOLDER"),
    "predict": (["a.png", "-o", "{place}/o.csv"], "o.csv", "--output"),
}


def said(monkeypatch, words, error):
    """What a command prints of an error that its work ends with."""

    def fail(**_):
        raise error

    with cli.make_context("cross-modal-kd", words) as context:
        command = cli.get_command(context, words[0])
    monkeypatch.setattr(command, "callback", fail)
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_with_the_file_and_the_option_of_the_command(command, tmp_path, monkeypatch):
    words, name, option = COMMANDS[command]
    words = [command, *(word.format(place=tmp_path) for word in words)]
    advice = "write elsewhere with `--params=data_root=/another/folder`"
    for error in (
        OSError(errno.ENOSPC, FULL),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.ENOSPC, advice, str(tmp_path / ".new" / "a")),
        shutil.Error([("a", "b", f"[Errno {errno.ENOSPC}] {FULL}: 'b'")]),
    ):
        found = said(monkeypatch, words, error)
        assert f"{tmp_path / name} cannot be written: no space is left" in found.replace("\n", "")
        assert f"name another {option}" in found and "data_root" not in found


def test_another_file_and_what_is_printed_are_told_of_too(tmp_path, monkeypatch):
    enrolled = ["enroll", "a", "b", f"--book={tmp_path}"]
    found = said(monkeypatch, enrolled, OSError(errno.ENOSPC, FULL, "/cache/models/a"))
    assert "/cache/models/a cannot be written" in found
    found = said(monkeypatch, ["predict", "a.png"], OSError(errno.ENOSPC, FULL))
    assert "what is printed cannot be written: no space is left" in found
