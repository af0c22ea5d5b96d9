"""A saved model as a model of MLflow: its folder as it is, and the module that reads it. Nothing is pickled.

The model is a pyfunc whose ``loader_module`` is a module of this package: loading it needs the package, and runs no
code that came with the model.
"""

import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("cross-modal-kd", "torch")


def log_model(client: Any, run_id: str, folder: Path, name: str, loader: str, about: Mapping[str, str]) -> str:
    """Keep a model with the run that has made it.

    Args:
        client: MLflow's.
        run_id: Of the run.
        folder: That the model lies in; it is copied as it is.
        name: Of the model, as MLflow shows it.
        loader: Module with the function ``_load_pyfunc``, which reads the folder.
        about: Parameters of the model: what it was made from.

    Returns:
        MLflow's id of the model; ``models:/<id>`` is its address.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    experiment = client.get_run(run_id).info.experiment_id
    model = client.create_logged_model(experiment, name, run_id, params=dict(about), model_type="student")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            files = _as_pyfunc(Path(scratch) / "model", folder, loader, model.model_id, run_id)
            client.log_model_artifacts(model.model_id, str(files))
    except BaseException:
        client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return model.model_id


def _as_pyfunc(files: Path, folder: Path, loader: str, model_id: str, run_id: str) -> Path:
    """The folder beside MLflow's description of it."""
    import mlflow.pyfunc
    from mlflow.models import Model

    known = Model(run_id=run_id, model_id=model_id)
    requirements = [f"{package}=={version(package).partition('+')[0]}" for package in PACKAGES]
    mlflow.pyfunc.save_model(
        files, loader_module=loader, data_path=str(folder), mlflow_model=known, pip_requirements=requirements
    )
    return files
