"""A misspelt top-level parameter stops the run; inside a block, the block's pydantic model sees to that."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from cross_modal_kd.config import did_you_mean

RUN_TIME_ONLY = ("data_root",)
QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast as OmegaConf's, which the run reads the same files by: names need no interpolation."""


class ParameterNamesHook:
    """conf/base declares every parameter; an environment or ``--params`` may change them, not add to them.

    Kedro itself takes any name: ``--params=trainning.epochs=3`` would change nothing, in silence.
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the names of all top-level parameters of the run, before anything runs.

        Args:
            context: Kedro's, with the configuration loader.
        """
        loader: Any = context.config_loader  # OmegaConfigLoader, which Kedro types as its abstract kind
        base = Path(loader.conf_source) / loader.base_env
        declared = declared_names(base, loader.config_patterns["parameters"])
        if declared:  # a packed configuration (kedro run --conf-source=conf.tar.gz) cannot be looked into here
            check_names(loader["parameters"], declared)


def declared_names(folder: Path, patterns: Iterable[str]) -> set[str]:
    """The top-level keys of the parameter files of one environment.

    Args:
        folder: of the environment, such as conf/base.
        patterns: globs of parameter files in it, as Kedro has them; files that are not YAML or JSON are passed over.

    Returns:
        The keys; none where no file is found.
    """
    files = {file for pattern in patterns for file in folder.glob(pattern) if file.suffix in (".yml", ".yaml", ".json")}
    read = (yaml.load(file.read_text(encoding="utf-8"), QUICK) for file in files)  # noqa: S506 (one of the safe ones)
    return {str(name) for found in read for name in found or ()}


def check_names(parameters: Iterable[str], declared: Iterable[str]) -> None:
    """Refuse a parameter that is not declared.

    Args:
        parameters: top-level names that the run has.
        declared: those that it may have, beside ``RUN_TIME_ONLY``.

    Raises:
        ValueError: for the first name that is not declared, with the nearest one and all that there are.
    """
    known = sorted((*declared, *RUN_TIME_ONLY))
    for name in parameters:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(
                f"unknown parameter {name!r} (in conf/<env>/parameters*.yml or --params).{hint and f' {hint}'} "
                f"conf/base/parameters*.yml declares: {', '.join(known)}"
            )
