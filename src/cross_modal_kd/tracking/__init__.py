"""What is worth knowing about a run: facts, flat values, and MLflow, which no other room imports.

Importing this room imports neither kedro nor mlflow: MLflow comes with the first run that is started.
"""

from cross_modal_kd.tracking.champion import Judged
from cross_modal_kd.tracking.facts import (
    ThisRun,
    add_remark,
    command,
    device_facts,
    git_facts,
    parted,
    set_beside,
    set_this_run,
    this_run,
    version_facts,
)
from cross_modal_kd.tracking.fetch import fetched_model
from cross_modal_kd.tracking.fingerprint import fingerprint, row_hashes
from cross_modal_kd.tracking.flatten import as_metrics, as_params, leaves
from cross_modal_kd.tracking.logged_model import ModelToLog
from cross_modal_kd.tracking.mlflow_session import MlflowSession, joined_run
from cross_modal_kd.tracking.names import run_name, without_other_arms
from cross_modal_kd.tracking.run import TrackedRun, child_run, current_run, epoch_logger
from cross_modal_kd.tracking.runs import PastRun, Runs, RunsError
from cross_modal_kd.tracking.settings import Settings, database_uri, shown_by

__all__ = [
    "Judged",
    "MlflowSession",
    "ModelToLog",
    "PastRun",
    "Runs",
    "RunsError",
    "Settings",
    "ThisRun",
    "TrackedRun",
    "add_remark",
    "as_metrics",
    "as_params",
    "child_run",
    "command",
    "current_run",
    "database_uri",
    "device_facts",
    "epoch_logger",
    "fetched_model",
    "fingerprint",
    "row_hashes",
    "git_facts",
    "joined_run",
    "leaves",
    "parted",
    "run_name",
    "set_beside",
    "set_this_run",
    "shown_by",
    "this_run",
    "version_facts",
    "without_other_arms",
]
