"""Kedro's settings (https://docs.kedro.org/en/stable/configure/project_settings/)."""

import warnings

import cross_modal_kd.modalities  # noqa: F401 (registers the names that parameters may use)
from cross_modal_kd.hooks import (
    EndsHook,
    HistoryHook,
    LastWordsHook,
    LineageHook,
    MlflowHook,
    OneWriterHook,
    ParameterNamesHook,
    PreflightHook,
    ProjectFolderHook,
    ProvenanceHook,
    RanksHook,
    TaskConfigLoader,
)

# Kedro calls the last one first: the lock is taken before MLflow hears of the run, and (which PreflightHook asks for
# itself) after it was checked that the run could end well; a process that only shares trainings comes to none of this
HOOKS = (
    ParameterNamesHook(),
    ProjectFolderHook(),
    PreflightHook(),
    RanksHook(),
    MlflowHook(),
    EndsHook(),
    LineageHook(),
    ProvenanceHook(),
    HistoryHook(),
    LastWordsHook(),
    OneWriterHook(),
)


# An environment changes single keys of a parameter block, and keeps the rest of it, as config/overlay.py has it.
CONFIG_LOADER_CLASS = TaskConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"]},
}

# Usage data: refused in .telemetry too, here so that no hook of it runs at all.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)

# The arms are namespaces, and nodes that compare them stand outside: `distilled.student` is meant to have its dot.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.'", category=UserWarning)
