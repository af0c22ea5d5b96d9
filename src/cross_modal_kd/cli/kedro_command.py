"""``kedro run`` of this project: what goes wrong by the user's making ends in a paragraph, the rest in a log file.

The command is Kedro's own; around it an error is told for people, and ``--params`` takes lists.
"""

import copy

import click
from kedro.framework.cli.project import run as kedro_run

from cross_modal_kd.cli.command import Run
from cross_modal_kd.cli.params import split_params


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
