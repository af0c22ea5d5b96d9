from cross_modal_kd.cli.command import Run as Run
from cross_modal_kd.cli.errors import REPORTED as REPORTED
from cross_modal_kd.cli.errors import write_log as write_log
from cross_modal_kd.cli.group import PROJECT_COMMANDS as PROJECT_COMMANDS
from cross_modal_kd.cli.group import cli as cli
from cross_modal_kd.cli.kedro_command import run as run
from cross_modal_kd.cli.told import Told as Told
