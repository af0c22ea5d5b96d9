"""Where runs are tracked: conf/base/mlflow.yml, checked."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

URI_VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


def shown_by(tracking_uri: str) -> str:
    """The command that shows what a database holds, and the switch without which MLflow's page shows no run of it.

    The page begins with GenAI, whose overview of an experiment is empty; no tag of the experiment changes that.

    Args:
        tracking_uri: of the database.

    Returns:
        Words that follow "see".

    >>> shown_by("sqlite:///mlflow.db")
    '`mlflow ui --backend-store-uri sqlite:///mlflow.db` (choose Model training at the top left)'
    """
    return f"`mlflow ui --backend-store-uri {shlex.quote(tracking_uri)}` (choose Model training at the top left)"


def database_uri(file: Path) -> str:
    """The address of a local database, as MLflow decodes it.

    Args:
        file: from the root of the disk; ``#``, ``?`` and ``%``, which have a meaning in an address, are encoded.

    Returns:
        ``sqlite:///`` and the file.

    >>> database_uri(Path("/data/a #1/mlflow.db"))
    'sqlite:////data/a %231/mlflow.db'
    """
    return SQLITE + re.sub("[#?%]", lambda sign: quote(sign[0]), file.as_posix())


def database_file(uri: str) -> Path | None:
    """The file of a local database.

    Args:
        uri: of any tracking server.

    Returns:
        None where a server keeps the runs.

    >>> database_file("sqlite:////data/a %231/mlflow.db").as_posix()
    '/data/a #1/mlflow.db'
    """
    return Path(unquote(uri.removeprefix(SQLITE).partition("?")[0])) if uri.startswith(SQLITE) else None


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

    @classmethod
    def of_project(cls, project: Path) -> "Settings":
        """The settings of a project's folder, read without Kedro: where its runs are.

        Args:
            project: with ``conf/base/mlflow.yml``, and ``conf/local/mlflow.yml`` over it; neither need be there.

        Returns:
            The settings; ``experiment`` may be a reference to the task's name, which only Kedro resolves.

        Raises:
            ValueError: as ``from_config``.
        """
        import yaml

        found: dict[str, Any] = {}
        for layer in ("base", "local"):
            file = project / "conf" / layer / "mlflow.yml"
            found |= (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}
        return cls.from_config(found, project)

    @property
    def local_folder(self) -> Path | None:
        """The folder of a local database; None where a server keeps the runs."""
        file = database_file(self.tracking_uri)
        return None if file is None else file.parent


def _anchored(uri: str, project: Path) -> str:
    """``sqlite:///file`` with a relative file, seen from the project's folder."""
    file = database_file(uri)
    if file is None or uri.startswith(f"{SQLITE}/"):
        return uri
    options = uri.removeprefix(SQLITE).partition("?")
    return database_uri((project / file).resolve()) + "".join(options[1:])
