"""What happens around a run. Importing this package imports neither mlflow nor torch."""

from cross_modal_kd.hooks.ends import EndsHook
from cross_modal_kd.hooks.history import HistoryHook
from cross_modal_kd.hooks.last_words import LastWordsHook
from cross_modal_kd.hooks.lineage import LineageHook
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.hooks.mlflow_run import MlflowHook
from cross_modal_kd.hooks.one_writer import OneWriterHook
from cross_modal_kd.hooks.parameter_names import ParameterNamesHook
from cross_modal_kd.hooks.preflight import PreflightHook, check_environment
from cross_modal_kd.hooks.project_folder import ProjectFolderHook
from cross_modal_kd.hooks.provenance import ProvenanceHook
from cross_modal_kd.hooks.ranks import RanksHook

__all__ = [
    "EndsHook",
    "HistoryHook",
    "LastWordsHook",
    "LineageHook",
    "MlflowHook",
    "OneWriterHook",
    "ParameterNamesHook",
    "PreflightHook",
    "ProjectFolderHook",
    "ProvenanceHook",
    "RanksHook",
    "TaskConfigLoader",
    "check_environment",
]
