"""A saved model as a model of MLflow: its folder as it is, and the module that reads it. Nothing is pickled.

The model is a pyfunc whose ``loader_module`` is a module of this package: loading it needs the package, and runs no
code that came with the model.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = ("cross-modal-kd", "torch")
LONGEST_NOTE = 15_000  # characters: four bytes each, and a text of MySQL holds 65,535


@dataclass(frozen=True)
class ModelToLog:
    """A model on this machine, and what MLflow is told of it.

    Attributes:
        folder: that it lies in; it is copied as it is.
        name: as MLflow shows it.
        loader: module of this package with the function ``_load_pyfunc``, which reads the folder.
        about: parameters of the model: what it was made from.
        inputs: type by column, none required: a type of MLflow, ``[]`` behind it for each level of lists.
        outputs: likewise.
        params: (type, default) by name.
        example: rows of inputs; None for none.
        note: what the model's page says of it, Markdown.
    """

    folder: Path
    name: str
    loader: str
    about: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    example: "pd.DataFrame | None" = None
    note: str = ""


def log_model(client: Any, run_id: str, model: ModelToLog) -> str:
    """Keep a model with the run that has made it.

    Args:
        client: MLflow's.
        run_id: Of the run.
        model: What is kept.

    Returns:
        MLflow's id of the model; ``models:/<id>`` is its address.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    experiment = client.get_run(run_id).info.experiment_id
    about: dict[str, Any] = {"params": dict(model.about), "model_type": "student"}
    if model.note:
        about["tags"] = {"mlflow.note.content": model.note[:LONGEST_NOTE]}
    made = client.create_logged_model(experiment, model.name, run_id, **about)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            files = _as_pyfunc(Path(scratch) / "model", model, made.model_id, run_id)
            client.log_model_artifacts(made.model_id, str(files))
    except BaseException:
        client.finalize_logged_model(made.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 0)])
    return made.model_id


def _as_pyfunc(files: Path, model: ModelToLog, model_id: str, run_id: str) -> Path:
    """The folder beside MLflow's description of it."""
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ParamSchema, ParamSpec, Schema

    params = [_param(ParamSpec, name, *each) for name, each in model.params.items()]
    schemas: dict[str, Any] = {"inputs": Schema(_columns(model.inputs)), "outputs": Schema(_columns(model.outputs))}
    signature = ModelSignature(**schemas, **({"params": ParamSchema(params)} if params else {}))
    requirements = [f"{package}=={version(package).partition('+')[0]}" for package in PACKAGES]
    mlflow.pyfunc.save_model(
        files,
        loader_module=model.loader,
        data_path=str(model.folder),
        mlflow_model=Model(run_id=run_id, model_id=model_id),
        signature=signature,
        input_example=model.example,
        pip_requirements=requirements,
    )
    return files


def _columns(types: Mapping[str, str]) -> list[Any]:
    """MLflow's columns of ``{"embedding": "double[]"}``."""
    from mlflow.types import ColSpec, DataType
    from mlflow.types.schema import Array

    columns = []
    for name, written in types.items():
        plain = written.rstrip("[]")
        kind: Any = DataType[plain]
        for _ in range((len(written) - len(plain)) // 2):
            kind = Array(kind)
        columns.append(ColSpec(kind, name, required=False))
    return columns


def _param(spec: Any, name: str, written: str, default: Any) -> Any:
    return spec(name, written.rstrip("[]"), default, shape=(-1,) if written.endswith("[]") else None)
