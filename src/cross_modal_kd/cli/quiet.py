"""Kedro's log lines about a run, as this project shows them."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from kedro.framework.project import configure_logging
from kedro.utils import find_kedro_project


def log_as_the_project_says() -> None:
    """Kedro looks for conf/logging.yml in the current folder alone, and this may be one below the project's."""
    project = find_kedro_project(Path.cwd())
    if project is None or project == Path.cwd() or "KEDRO_LOGGING_CONFIG" in os.environ:
        return
    file = project / "conf" / "logging.yml"
    if file.is_file():
        configure_logging(yaml.safe_load(file.read_text(encoding="utf-8")))


ADVICE = "You can resume the pipeline run"


class Once(logging.Filter):
    """Kedro logs an error before it raises it, and advises to run again: told once is enough.

    node: in which the error was raised; empty outside of nodes.
    resume: the options with which the run goes on where it ended, as Kedro advises; empty where it does not.
    """

    LOGGERS = ("kedro.pipeline.node", "kedro.runner.sequential_runner", "kedro.validation.parameter_validator")
    LEFT_OUT = ("No nodes ran", "Using synchronous mode", "Parameter '")

    def __init__(self) -> None:
        super().__init__()
        self.node = ""
        self.resume = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through, or not.

        Args:
            record: of one of ``LOGGERS``.

        Returns:
            False for what ``Run`` tells itself.
        """
        if isinstance(record.args, tuple) and record.args and str(record.msg).startswith("Node %s failed"):
            self.node = str(record.args[0]).partition(":")[0]
            return False
        if ADVICE in str(record.msg):
            self.resume = " ".join(str(record.msg).rpartition(ADVICE)[2].partition("\n")[2].split())
            return False
        return not str(record.msg).startswith(self.LEFT_OUT)


@contextmanager
def once() -> Iterator[Once]:
    """``Once`` on Kedro's loggers, for the time of a run."""
    quiet, loggers = Once(), [logging.getLogger(name) for name in Once.LOGGERS]
    for each in loggers:
        each.addFilter(quiet)
    try:
        yield quiet
    finally:
        for each in loggers:
            each.removeFilter(quiet)
