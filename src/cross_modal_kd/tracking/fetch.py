"""A model of MLflow as a folder on this machine."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cross_modal_kd.tracking.settings import URI_VARIABLE, database_file

NAMED = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")
BAR = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]+)")


@contextmanager
def fetched_model(address: str, marker: str, tracking_uri: str | None = None) -> Iterator[Path]:
    """The folder of a model that MLflow keeps, for the time of reading it.

    Args:
        address: ``models:/<name>@<alias>``, ``models:/<name>/<version>``, ``models:/<id>``, ``runs:/<run>/<path>``.
        marker: name of a file by which the wanted folder is known, at any depth of the model's.
        tracking_uri: MLflow's server; None takes MLFLOW_TRACKING_URI, or what this process has set.

    Yields:
        The folder that holds the marker.

    Raises:
        ImportError: mlflow is not installed.
        LookupError: MLflow has no such model, or it is none of this kind.
    """
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise ImportError("an address of MLflow needs the package mlflow: install it, or give a folder") from error
    uri = tracking_uri or os.environ.get(URI_VARIABLE) or mlflow.get_tracking_uri()
    base = database_file(uri)
    if base is not None and not base.exists():  # MLflow would make an empty one
        raise LookupError(f"there is no MLflow database {base}: name the server, or another file, by {URI_VARIABLE}")
    with tempfile.TemporaryDirectory(prefix="student-") as scratch:
        try:
            place = _place(mlflow.MlflowClient(uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or uri), address)
            with _no_bar():
                got = mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=scratch, tracking_uri=uri)
        except (MlflowException, OSError) as error:
            raise LookupError(
                f"MLflow ({uri}) has no such model: {error}. Is that the right server? {URI_VARIABLE} names another"
            ) from error
        folders = sorted((file.parent for file in Path(got).rglob(marker)), key=lambda folder: len(folder.parts))
        if not folders:
            raise LookupError(f"the model has no {marker}: it is no packaged student")
        yield folders[0]


@contextmanager
def _no_bar() -> Iterator[None]:
    """Keep MLflow from drawing a bar among the answers."""
    before = os.environ.get(BAR)
    os.environ[BAR] = "false"
    try:
        yield
    finally:
        os.environ.pop(BAR) if before is None else os.environ.update({BAR: before})


def _place(client: Any, address: str) -> str:
    """Where the files lie; MLflow itself would look an address up at the server that this process talked to last."""
    if named := NAMED.fullmatch(address):
        name, version = named["name"], named["version"]
        if version is None:
            version = client.get_model_version_by_alias(name, named["alias"]).version
        place = str(client.get_model_version_download_uri(name, version))
        return _place(client, place) if LOGGED.fullmatch(place) else place
    if logged := LOGGED.fullmatch(address):
        return str(client.get_logged_model(logged["id"]).artifact_location)
    return address
