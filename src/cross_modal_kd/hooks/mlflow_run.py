"""One MLflow run for one ``kedro run``.

A hook of our own on MLflow's public API, and not kedro-mlflow: that imports mlflow at every kedro command (two
seconds), leaves its run open after an in-process session, logs a pydantic block as one string, leaves ``--params``
out of the command, and knows no commit. This one imports mlflow when a pipeline is about to run, and at no other time
(``kedro registry list`` and ``kedro viz`` start no run).

Settings: conf/base/mlflow.yml, with conf/local/mlflow.yml over it in every environment. What is logged of a dataset is
said in the catalog, under its ``metadata``::

    metadata:
      mlflow: [metrics]       # the numbers in it, flat           (dictionaries)
      mlflow: [artifact]      # the file it is saved to            (any dataset with a file)
      mlflow: [fingerprint]   # a hash of its content, as a tag    (tables, embedding tables)
"""

import atexit
import getpass
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from omegaconf import OmegaConf

from cross_modal_kd.tracking.facts import command, device_facts, git_facts, version_facts
from cross_modal_kd.tracking.fingerprint import fingerprint
from cross_modal_kd.tracking.flatten import as_metrics, as_params, leaves
from cross_modal_kd.tracking.run import TrackedRun, set_session_run

logger = logging.getLogger(__name__)

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    # a server that does not answer is given up after seconds, not after minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
LOGGABLE = ("metrics", "artifact", "fingerprint")
PARAMS_PER_BATCH = 100
URI_VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"
TRIES = 20


@dataclass(frozen=True)
class Settings:
    """conf/base/mlflow.yml, checked."""

    enabled: bool = True
    tracking_uri: str = "sqlite:///mlflow.db"
    experiment: str = "cross_modal_kd"
    artifact_root: str = "mlartifacts"
    system_metrics: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any], project: Path) -> "Settings":
        """MLFLOW_TRACKING_URI wins over the file; local paths start at the project's folder."""
        unknown = sorted(set(config) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(
                f"conf/*/mlflow.yml: unknown setting {unknown[0]!r}; expected {list(cls.__dataclass_fields__)}"
            )
        settings = cls(**config)
        uri = os.environ.get(URI_VARIABLE) or settings.tracking_uri
        if not uri:
            raise ValueError("conf/*/mlflow.yml: tracking_uri is empty; set an address, or enabled: false")
        return cls(**{**config, "tracking_uri": _anchored(uri, project)})


def _anchored(uri: str, project: Path) -> str:
    """``sqlite:///file`` with a relative file, seen from the project's folder."""
    if uri.startswith(SQLITE) and not uri.startswith(f"{SQLITE}/"):
        return f"{SQLITE}{(project / uri.removeprefix(SQLITE)).resolve().as_posix()}"
    return uri


class MlflowHook:
    """Starts the run before the first node, ends it whatever happens, and logs what the catalog marks."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._project = Path.cwd()
        self._run: TrackedRun | None = None
        self._before: Before | None = None
        self._datasets: dict[str, Tracked] = {}
        self._started: dict[str, float] = {}
        self._fingerprinted: set[str] = set()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._project = Path(context.project_path)
        loader = context.config_loader
        # Kedro reads conf/local only where no --env is given; a person's server is theirs for every task
        local = Path(loader.conf_source) / "local" / "mlflow.yml"
        own = OmegaConf.to_container(OmegaConf.load(local)) if local.is_file() else {}
        self._settings = Settings.from_config({**loader["mlflow"], **own}, self._project)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._end("KILLED")  # of a session that was interrupted before Kedro could tell
        if self._settings is None or not self._settings.enabled:
            return
        self._datasets = _tracked_datasets(pipeline, catalog)
        self._started, self._fingerprinted = {}, set()
        params = _parameters(pipeline, catalog)
        names = run_params.get("pipeline_names") or ["__default__"]
        name = "+".join("distill" if each == "__default__" else each for each in names)
        arm = as_params(params).get("distillation.arm")
        tags = {
            "kedro.pipeline": name,
            "kedro.env": run_params.get("env") or "local",
            "kedro.command": command(run_params),
            "kedro.session": run_params["run_id"],
            "mlflow.source.name": "cross_modal_kd",
            "mlflow.user": _user(),
            **({"arm": arm} if arm else {}),
            **git_facts(self._project),
            **version_facts(),
            **device_facts(),
        }
        self._run = self._start(self._settings, f"{name}, {arm}" if arm else name, tags)
        set_session_run(self._run)
        self._run.send("parameters", lambda client: _log_params(client, self._run.run_id, params))

    def _start(self, settings: Settings, name: str, tags: dict[str, str]) -> TrackedRun:
        """A run under what may be active already. Raises RuntimeError if the tracking server cannot be reached."""
        for variable, value in QUIET.items():
            os.environ.setdefault(variable, value)
        fresh = "mlflow" not in sys.modules  # so that nobody here has chosen an experiment or opened a run
        import mlflow

        for chatty in ("alembic", "mlflow.store.db.utils", "mlflow.system_metrics"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._before = Before.now(mlflow)
        try:
            mlflow.set_tracking_uri(settings.tracking_uri)
            run = {"experiment_id": _experiment(settings), "run_name": name, "tags": tags}
            if fresh:  # mlflow.start_run would import GitPython and IPython (0.5 s) to find fewer facts than these
                run = {"run_id": mlflow.MlflowClient().create_run(**run).info.run_id}
            nested = self._before.active is not None
            started = mlflow.start_run(**run, nested=nested, log_system_metrics=settings.system_metrics)
        except Exception as error:
            self._before.restore(mlflow)
            raise RuntimeError(
                f"no run could be started at the MLflow tracking server {settings.tracking_uri}: {error}\n"
                "Is it reachable? Its address is `tracking_uri` in conf/local/mlflow.yml (or conf/base/mlflow.yml), "
                "or MLFLOW_TRACKING_URI. To run without tracking, put `enabled: false` in conf/local/mlflow.yml."
            ) from error
        atexit.register(self._end, "KILLED")  # runs before MLflow's own, which would say FINISHED
        return TrackedRun(started.info.run_id, settings.tracking_uri)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        self._started[node.name] = perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        if self._run and node.name in self._started:
            seconds = perf_counter() - self._started[node.name]
            self._run.metrics(as_metrics({f"seconds/{node.name}": seconds}))

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        if self._run and "fingerprint" in self._wanted(dataset_name):
            self._log_fingerprint(dataset_name, data)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        if self._run is None:
            return
        wanted = self._wanted(dataset_name)
        if "fingerprint" in wanted:
            self._log_fingerprint(dataset_name, data)
        if "metrics" in wanted:
            self._run.metrics(as_metrics(data, f"{dataset_name}/"))
        if "artifact" in wanted:
            self._log_artifact(dataset_name)

    def _wanted(self, dataset_name: str) -> list[str]:
        return self._datasets[dataset_name].wanted if dataset_name in self._datasets else []

    def _log_artifact(self, name: str) -> None:
        file, folder, run_id = self._datasets[name].file, name.rpartition(".")[0] or None, self._run.run_id
        if file is not None and file.exists():
            self._run.send(name, lambda client: client.log_artifact(run_id, str(file), artifact_path=folder))

    def _log_fingerprint(self, name: str, data: Any) -> None:
        if name in self._fingerprinted:
            return
        self._fingerprinted.add(name)
        digest, source, run_id = fingerprint(data), str(self._datasets[name].file), self._run.run_id

        def log(client: Any) -> None:
            from mlflow.entities import Dataset, DatasetInput, InputTag

            client.set_tag(run_id, f"data.{name}", digest)
            dataset = Dataset(name=name, digest=digest, source_type="local", source=source)
            client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", f"{len(data)} rows")])])

        self._run.send(f"the fingerprint of {name}", log)

    @hook_impl
    def after_pipeline_run(self) -> None:
        self._end("FINISHED")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        if self._run:
            text = f"{type(error).__name__}: {error}"[:5000]
            self._run.send("the error", lambda client: client.set_tag(self._run.run_id, "error", text))
        self._end("FAILED")

    def _end(self, status: str) -> None:
        """End what this hook has started, and what was left open below it, and nothing else."""
        if self._run is None:
            return
        import mlflow

        run, self._run = self._run, None
        set_session_run(None)
        atexit.unregister(self._end)
        if not run.owned:
            return
        try:
            while (active := mlflow.active_run()) and active.info.run_id != self._before.active:
                mlflow.end_run(status)
        except Exception as error:
            logger.warning("the end of run %s could not be told to %s (%s)", run.run_id, run.tracking_uri, error)
        self._before.restore(mlflow)


@dataclass(frozen=True)
class Before:
    """MLflow's state in this process before the run: the address is ours only while the run lasts."""

    active: str | None
    tracking_uri: str | None
    variable: str | None

    @classmethod
    def now(cls, mlflow: Any) -> "Before":
        active = mlflow.active_run()
        return cls(
            active=active.info.run_id if active else None,
            tracking_uri=mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None,
            variable=os.environ.get(URI_VARIABLE),
        )

    def restore(self, mlflow: Any) -> None:
        mlflow.set_tracking_uri(self.tracking_uri)
        os.environ.pop(URI_VARIABLE, None)
        if self.variable is not None:
            os.environ[URI_VARIABLE] = self.variable


@dataclass(frozen=True)
class Tracked:
    """A dataset of the pipeline that the catalog marks for tracking; file is None where it has none on this machine."""

    wanted: list[str]
    file: Path | None


def _tracked_datasets(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, Tracked]:
    """By name. Raises ValueError for a mark that is not known, before anything runs."""
    tracked = {}
    for name in pipeline.datasets():
        dataset = catalog.get(name) if name in catalog and not name.startswith("param") else None
        wanted = (getattr(dataset, "metadata", None) or {}).get("mlflow", [])
        if not isinstance(wanted, list) or not set(wanted) <= set(LOGGABLE):
            raise ValueError(
                f"catalog entry {name!r}: metadata.mlflow must be a list of {list(LOGGABLE)}, found {wanted!r}"
            )
        if wanted:
            path = getattr(dataset, "_filepath", None)
            tracked[name] = Tracked(wanted, Path(path) if path is not None else None)
    return tracked


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return "unknown"


def _ready(connect: Callable[[], Any], uri: str) -> Any:
    """What ``connect`` gives. Two runs that start together both make the tables of a new local database: the slower one
    fails on a table that is there already, and finds all of them a moment later."""
    for _ in range(TRIES if uri.startswith(SQLITE) else 0):
        try:
            return connect()
        except Exception as error:  # sqlalchemy's own kinds, whichever statement was the second
            if "already exists" not in str(error):
                raise
            sleep(0.5)
    return connect()


def _experiment(settings: Settings) -> str:
    """The experiment's id; a new one in a local database keeps its files in ``artifact_root`` beside it."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = _ready(lambda: MlflowClient(settings.tracking_uri), settings.tracking_uri)
    found = client.get_experiment_by_name(settings.experiment)
    if found is None:
        location = None
        if settings.tracking_uri.startswith(SQLITE):
            folder = Path(settings.tracking_uri.removeprefix(SQLITE)).parent / settings.artifact_root
            location = (folder / settings.experiment).resolve().as_uri()
        try:
            return client.create_experiment(settings.experiment, artifact_location=location)
        except MlflowException:  # another process was quicker
            found = client.get_experiment_by_name(settings.experiment)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise ValueError(
            f"experiment {settings.experiment!r} was deleted: restore it with "
            f"`mlflow experiments restore -x {found.experiment_id}`, or set another `experiment` in mlflow.yml"
        )
    return found.experiment_id


def _parameters(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, Any]:
    """What the nodes of this pipeline take as parameters, resolved, by name."""
    names = sorted(name for name in pipeline.inputs() if name == "parameters" or name.startswith("params:"))
    return {name.removeprefix("params:"): catalog.get(name).load() for name in names}


def _log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Flat, to be compared; and whole, in a file, since a long value is cut in the former."""
    from mlflow.entities import Param

    entities = [Param(name, value) for name, value in as_params(params).items()]
    for start in range(0, len(entities), PARAMS_PER_BATCH):
        client.log_batch(run_id, params=entities[start : start + PARAMS_PER_BATCH])
    if entities:
        client.log_dict(run_id, dict(leaves(params)), "parameters.json")
