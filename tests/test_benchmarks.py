"""Every benchmark runs, on sizes that say nothing, and what they share works out what it says."""

import importlib
import itertools
import subprocess
import sys

import pytest
import torch

from cross_modal_kd.sources import LAYOUTS

QUICK = ["constraints", "data_path", "distilled", "growth", "loops", "trials"]
FORKS = ["loops"]  # which a process that has differentiated already cannot do


@pytest.fixture
def bench(request, monkeypatch):
    """A benchmark's module, by its name; afterwards none is left, and torch has its threads again."""
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    before, threads = set(sys.modules), torch.get_num_threads()
    yield importlib.import_module
    torch.set_num_threads(threads)
    for name in set(sys.modules) - before:
        if name in {path.stem for path in (request.config.rootpath / "benchmarks").glob("*.py")}:
            del sys.modules[name]


@pytest.fixture
def program(bench, monkeypatch):
    def run(name, *options):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *options])
        bench(name).main()

    return run


@pytest.mark.parametrize("name", QUICK)
def test_it_runs_and_prints_whole_tables(program, request, capsys, name):
    if name in FORKS:
        command = [sys.executable, str(request.config.rootpath / "benchmarks" / f"{name}.py"), "--quick"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    else:
        program(name, "--quick")
        printed = capsys.readouterr().out
    rows = [line.count("|") for line in printed.splitlines() if line.startswith("|")]
    assert len(rows) >= 3 and "nan" not in printed and "; Python " in printed
    for one, other in itertools.pairwise(printed.splitlines()):
        if one.startswith("|") and other.startswith("|"):
            assert one.count("|") == other.count("|")


def test_a_thousand_rows_go_through_every_stage(bench, tmp_path, monkeypatch):
    million = bench("million")
    monkeypatch.setitem(LAYOUTS, "made_up", None)  # which is gone again afterwards
    lines = list(million.table([1000], [million.one_size(1000, tmp_path)]))
    assert len(lines) == 20 and len({line.count("|") for line in lines[2:]}) == 1


@pytest.mark.slow
def test_nodes_are_run_by_kedro_and_without(program, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # which the benchmark sets
    program("nodes", "--quick")
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in ("called directly", "Kedro", "Kedro + MLflow", "an empty Python"))


def test_a_gpu_is_asked_for_in_words(program, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        program("gpu")
    assert "torch finds none here" in capsys.readouterr().err


def test_the_rehearsal_of_a_gpu_has_every_column(bench, program, capsys, monkeypatch):
    monkeypatch.setattr(bench("gpu"), "ROUND_S", 0)
    program("gpu", "--tiny", "--device=cpu", "--students=image ResNet18", "--no-compile")
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert {len(row) for row in rows} == {12}
    loops = [row for row in rows if "loop" in row[4]]
    assert loops and all(row[-1].strip().endswith("%") for row in loops)


def test_who_is_first_takes_turns_and_the_first_round_is_not_counted(bench):
    timing, calls = bench("timing"), []
    now = itertools.count()
    works = {"a": (lambda: calls.append("work"), lambda: calls.append("peer"))}
    taken = timing.beside(works, 3, lambda: float(next(now)))
    assert calls == ["peer", "work", "work", "peer", "peer", "work", "work", "peer"]
    assert taken["a"].work == taken["a"].peer == [1.0] * 3


def test_a_ratio_is_the_median_over_rounds_and_says_where_it_misses_its_goal(bench):
    taken = bench("timing").Beside([2.0, 3.0, 8.0, 1.0], [1.0, 1.0, 2.0, 1.0])
    assert taken.ratio == 2.5 and taken.spread == (1.75, 3.25)
    assert taken.cells(goal=2.0) == ["2,500 ms", "1,000 ms", "2.500 (1.750 to 3.250) !"]
    assert taken.cells(goal=3.0)[-1] == "2.500 (1.750 to 3.250)"


def test_a_part_of_the_page_that_was_not_run_stays(bench):
    every = bench("all")
    titles = [title for title, _ in every.ALL.values()]
    first = every.page_of({"growth": f"{titles[-1]}\n\nold growth\n", "loops": f"{titles[2]}\n\nold loops\n"}, "")
    page = every.page_of({"loops": f"{titles[2]}\n\nnew loops\n"}, first)
    assert "old growth" in page and "new loops" in page and "old loops" not in page
    assert page.index(titles[2]) < page.index(titles[-1]) and page.count("# Benchmarks") == 1
