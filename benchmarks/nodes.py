"""What Kedro and MLflow add to the nodes that they run, and what a command costs before it does anything.

    python benchmarks/nodes.py
    python benchmarks/nodes.py --env base --rounds 1 --clock cpu --threads 1     # the default task, minutes

First table: a pipeline's nodes run three times in turn, each in a data folder of its own: called one after the other
with values that stay in memory; by Kedro, which saves and loads what lies between them; by Kedro with a tracked MLflow
run, in a database whose tables are there. Seconds count from the first node to the end, start-up apart. A first round,
which imports everything, is that of ``--env=test`` and not counted. Second table: CPU seconds of commands in processes
of their own, the least of the rounds, beside an empty Python.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import CLOCKS, Clock, machine, table

PROJECT = Path(__file__).parents[1]
COMMANDS = {
    "an empty Python": ["-c", "pass"],
    "import kedro.framework.cli": ["-c", "import kedro.framework.cli"],
    "cross-modal-kd --help": ["-m", "cross_modal_kd", "--help"],
    "kedro registry list": ["-m", "kedro", "registry", "list"],
}
GOAL = 1.05


class FirstNode:
    """Notes when the first node of a run begins."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.at: float | None = None

    def __call__(self) -> None:
        """Only the first one counts."""
        self.at = self.clock() if self.at is None else self.at


def by_kedro(env: str, pipeline: str, folder: Path, tracked: bool, clock: Clock) -> tuple[float, float]:
    """Seconds before the first node and from there on."""
    from kedro.framework.hooks import hook_impl
    from kedro.framework.project import settings
    from kedro.framework.session import KedroSession

    from cross_modal_kd.hooks import MlflowHook

    first = FirstNode(clock)

    class Listener:
        @hook_impl
        def before_node_run(self) -> None:
            first()

    own, started = settings.HOOKS, clock()
    settings.set("HOOKS", (*(hook for hook in own if tracked or not isinstance(hook, MlflowHook)), Listener()))
    try:
        with KedroSession.create(PROJECT, env=env, runtime_params=runtime(folder), save_on_close=False) as session:
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
            session.run(pipeline_names=[pipeline])
    finally:
        settings.set("HOOKS", own)
    assert first.at is not None, "no node has run"  # noqa: S101
    return first.at - started, clock() - first.at


def runtime(folder: Path) -> dict[str, Any]:
    """``--params`` of every run."""
    return {"data_root": str(folder / "data")}


def directly(env: str, pipeline: str, folder: Path, clock: Clock) -> float:
    """Seconds of the nodes called one after the other; parameters and folders are read before."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession

    with KedroSession.create(PROJECT, env=env, runtime_params=runtime(folder), save_on_close=False) as session:
        catalog, chosen = session.load_context().catalog, pipelines[pipeline]
        values = {name: catalog.load(name) for name in sorted(chosen.inputs())}
        started = clock()
        for node in chosen.nodes:
            values |= node.run({name: values[name] for name in node.inputs})
        return clock() - started


def compared(given: argparse.Namespace, base: Path) -> list[list[str]]:
    """Rows of the first table."""
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(PROJECT)
    empty = base / "empty.db"
    tables(empty)
    clock = CLOCKS[given.clock]
    ways: dict[str, Callable[[str, Path], tuple[float, float]]] = {
        "called directly": lambda env, folder: (0.0, directly(env, given.pipeline, folder, clock)),
        "Kedro": lambda env, folder: by_kedro(env, given.pipeline, folder, False, clock),
        "Kedro + MLflow": lambda env, folder: by_kedro(env, given.pipeline, folder, True, clock),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(given.rounds + 1):
        for name, way in ways.items():
            folder = base / f"{number}-{name.replace(' ', '')}"
            folder.mkdir()
            (folder / "mlflow.db").write_bytes(empty.read_bytes())
            taken[name].append(way(given.env if number else "test", folder))
    own = [seconds for _, seconds in taken["called directly"][1:]]
    rows = []
    for name, found in taken.items():
        before, seconds = (statistics.median(each) for each in zip(*found[1:], strict=True))
        ratio = statistics.median(one / other for (_, one), other in zip(found[1:], own, strict=True))
        rows.append([name, f"{before:.2f} s", f"{seconds:.2f} s", f"{ratio:.3f}{' !' if ratio > GOAL else ''}"])
    return rows


def tables(file: Path) -> None:
    """An MLflow database without runs."""
    import mlflow

    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()


def cpu_seconds(words: list[str]) -> float:
    """User and system seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="test")
    parser.add_argument("--pipeline", default="distill")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of torch; all where it is not given")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where the machine has other work")
    parser.add_argument("--quick", action="store_true", help="does it run? one stage, one round, an empty Python")
    given = parser.parse_args()
    commands = COMMANDS
    if given.quick:
        given.pipeline, given.rounds, commands = "ingestion", 1, dict(list(COMMANDS.items())[:1])
    if given.threads:
        import torch

        torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = compared(given, Path(folder))
    head = [f"nodes of {given.pipeline}, --env={given.env}", "before the first", "from there on", "over direct calls"]
    print("\n".join(["", *table(head, rows), ""]), flush=True)
    least = {name: min(cpu_seconds(words) for _ in range(given.rounds)) for name, words in commands.items()}
    print("\n".join(table(["command", "CPU"], ([name, f"{each:.2f} s"] for name, each in least.items()))))
    print(f"\n{machine('kedro', 'mlflow')}; {given.threads or 'all'} threads, {given.clock} clock")


if __name__ == "__main__":
    main()
