"""The commands: ``kedro run``, of which errors end in a paragraph, and those that read what runs have left.

Kedro finds this room by its name, in the project and for the installed package. ``run`` is Kedro's own; around it
an error is told for people, and ``--params`` takes lists. The others are also ``kedro compare`` and so on.
"""

import copy

import click
from kedro.framework.cli.project import run as kedro_run

from cross_modal_kd.cli.command import Run
from cross_modal_kd.cli.errors import REPORTED, Told, write_log
from cross_modal_kd.cli.new_task import new_task
from cross_modal_kd.cli.params import split_params
from cross_modal_kd.cli.runs import compare, reproduce

__all__ = ["REPORTED", "Run", "Told", "cli", "run", "write_log"]


@click.group(name="cross_modal_kd")
def cli() -> None:
    """The project's own commands."""


def _options() -> list[click.Parameter]:
    options = [copy.copy(option) for option in kedro_run.params]
    next(option for option in options if option.name == "params").callback = split_params
    return options


run = Run(
    name="run",
    callback=kedro_run.callback,
    params=_options(),
    help=kedro_run.help,
    context_settings=kedro_run.context_settings,
)
for each in (run, compare, reproduce, new_task):
    cli.add_command(each)
