"""How a run ends when it is asked to: SIGTERM and SIGHUP stop it in order, and it says how to go on.

Schedulers send SIGTERM before they kill, a closed terminal sends SIGHUP. The exception that is raised in the main
thread closes files, ends the MLflow run as KILLED, gives the lock back, and leaves the exit code 128 + signal.
"""

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from kedro.framework.hooks import hook_impl

from cross_modal_kd.hooks.cell import at_end_of_cell
from cross_modal_kd.tracking import command

logger = logging.getLogger(__name__)

SIGNALS = ("SIGTERM", "SIGHUP")
REFUSED = {
    "ThreadRunner": (
        "trains both students at once, and both would draw their dropout and first weights from torch's one global "
        "generator: the same seed would give other students at each run"
    ),
    "ParallelRunner": (
        "runs nodes in processes of their own, to which Kedro gives neither this run's tracking nor its stop signals: "
        "MLflow would miss the metrics of every node"
    ),
}


class Stopped(SystemExit):
    """A signal asked this process to end. No ``except Exception`` holds it up; the exit code is 128 + signal."""


class EndsHook:
    """Listens to the signals while a pipeline runs, and at no other time."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}
        self._process = os.getpid()
        self._again = ""
        self._unraisable: Any = None

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Listen from now on: after all hooks that refuse a run, of whose end none is told, and before it is tracked.

        Args:
            run_params: what Kedro says about the run.
        """
        self._restore()
        self.number, self._process, self._again = None, os.getpid(), command(run_params)
        if threading.current_thread() is not threading.main_thread():
            return
        for name in SIGNALS:
            number = getattr(signal, name, None)
            # another handler has its reasons; SIGHUP is ignored under nohup, and stays so
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                self._before[number] = signal.signal(number, self._stop)
        if self._before:
            at_end_of_cell(self._restore)
            self._unraisable, sys.unraisablehook = sys.unraisablehook, self._lost

    @hook_impl(tryfirst=True)
    def before_node_run(self) -> None:
        """Stop here, where the exception was lost on its way (in a destructor, say).

        Raises:
            Stopped: the signal came.
        """
        if self.number is not None:
            raise Stopped(128 + self.number)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Listen no longer."""
        self._restore()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Listen no longer."""
        self._restore()

    def _stop(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked worker has inherited the handler
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.number is not None:
            raise Stopped(128 + number)
        self.number = number
        logger.warning(
            "%s: the run stops here. What is done is kept; the same command goes on with it:\n  %s",
            signal.Signals(number).name,
            self._again,
        )
        raise Stopped(128 + number)

    def _lost(self, unraisable: Any) -> None:
        """A destructor swallowed the exception: the signal is sent again, a moment later."""
        if isinstance(unraisable.exc_value, Stopped) and self.number is not None:
            again = threading.Timer(0.2, os.kill, (os.getpid(), self.number))
            again.daemon = True
            again.start()
        elif self._unraisable is not None:
            self._unraisable(unraisable)

    def _restore(self) -> None:
        if self._unraisable is not None:
            sys.unraisablehook, self._unraisable = self._unraisable, None
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._stop:
                signal.signal(number, handler)
        self._before = {}


def check_runner(runner: str) -> None:
    """Refuse a runner of Kedro's with which the same command gives other results.

    Args:
        runner: its name, or a text that holds it.

    Raises:
        ValueError: it is refused, with the reason and the runner to take.
    """
    for name, reason in REFUSED.items():
        if name in runner:
            raise ValueError(
                f"--runner={name} {reason}. Leave --runner out (SequentialRunner); the trainings of a study run "
                "at once on a Ray cluster: compute.engine (docs/scale.md)"
            )
