"""A run that is interrupted in a notebook gives back what it holds when its cell ends."""

import pytest

from cross_modal_kd.hooks import OneWriterHook
from cross_modal_kd.hooks.cell import at_end_of_cell


@pytest.fixture
def shell():
    IPython = pytest.importorskip("IPython")
    shell = IPython.core.interactiveshell.InteractiveShell.instance()
    yield shell
    type(shell).clear_instance()


@pytest.mark.parametrize("code", ["begin(); raise KeyboardInterrupt", "begin(); 1 / 0", "begin()"])
def test_it_is_done_once_at_the_end_of_the_cell_whatever_ended_it(shell, code, capsys):
    done = []
    shell.user_ns["begin"] = lambda: at_end_of_cell(lambda: done.append("given back"))
    shell.run_cell(code)
    shell.run_cell("1 + 1")
    assert done == ["given back"]
    capsys.readouterr()


def test_the_lock_of_an_interrupted_run_is_given_back(shell, run_kedro, monkeypatch, capsys):
    from cross_modal_kd.pipelines.ingestion import nodes

    def interrupted(*_):
        raise KeyboardInterrupt

    locks = run_kedro.data_root / ".locks" / "test"
    held = []
    monkeypatch.setattr(nodes, "assign_splits", interrupted)
    release = OneWriterHook.release

    def watched(hook):
        held.append(hook._lock is not None)
        release(hook)

    monkeypatch.setattr(OneWriterHook, "release", watched)
    shell.user_ns["run"] = lambda: run_kedro("ingestion")
    ended = shell.run_cell("run()").error_in_exec
    capsys.readouterr()
    assert isinstance(ended, KeyboardInterrupt)
    assert held[-1] and [file.name for file in locks.iterdir()] in ([], ["guard"])


def test_outside_of_a_notebook_nothing_is_done():
    at_end_of_cell(lambda: pytest.fail("there is no cell"))
