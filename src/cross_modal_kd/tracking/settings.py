"""Where runs are tracked: conf/base/mlflow.yml, checked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

URI_VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Settings:
    """The keys of mlflow.yml: whether, where and under which experiment a run is tracked.

    Attributes:
        enabled: whether runs are tracked at all.
        tracking_uri: address of a server, or ``sqlite:///<file>`` for a local database.
        experiment: name of the experiment; a new one is made.
        artifact_root: folder for the files of new experiments, beside a local database; a server decides by itself.
        system_metrics: whether MLflow samples CPU, memory and GPU during the run.
    """

    enabled: bool = True
    tracking_uri: str = "sqlite:///mlflow.db"
    experiment: str = "cross_modal_kd"
    artifact_root: str = "mlartifacts"
    system_metrics: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any], project: Path) -> "Settings":
        """The settings with MLFLOW_TRACKING_URI, where it is set, over the file's address.

        Args:
            config: the keys of mlflow.yml; a missing one keeps its default.
            project: the folder at which a local database's relative path starts.

        Returns:
            The settings, with the address of a local database made absolute.

        Raises:
            ValueError: for an unknown key, with those that there are, or for an empty address.
        """
        unknown = sorted(set(config) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(
                f"conf/*/mlflow.yml: unknown setting {unknown[0]!r}; expected {list(cls.__dataclass_fields__)}"
            )
        uri = os.environ.get(URI_VARIABLE) or cls(**config).tracking_uri
        if not uri:
            raise ValueError("conf/*/mlflow.yml: tracking_uri is empty; set an address, or enabled: false")
        return cls(**{**config, "tracking_uri": _anchored(uri, project)})

    @property
    def local_folder(self) -> Path | None:
        """The folder of a local database; None where a server keeps the runs."""
        if not self.tracking_uri.startswith(SQLITE):
            return None
        return Path(self.tracking_uri.removeprefix(SQLITE)).parent


def _anchored(uri: str, project: Path) -> str:
    """``sqlite:///file`` with a relative file, seen from the project's folder."""
    if uri.startswith(SQLITE) and not uri.startswith(f"{SQLITE}/"):
        return f"{SQLITE}{(project / uri.removeprefix(SQLITE)).resolve().as_posix()}"
    return uri
