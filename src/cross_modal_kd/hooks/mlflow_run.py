"""One MLflow run for one ``kedro run``: Kedro's side of it; what talks to MLflow is in tracking/.

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

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from omegaconf import OmegaConf

from cross_modal_kd.storage import process_facts, user
from cross_modal_kd.tracking import (
    MlflowSession,
    Settings,
    TrackedRun,
    as_metrics,
    as_params,
    command,
    device_facts,
    fingerprint,
    git_facts,
    version_facts,
)

LOGGABLE = ("metrics", "artifact", "fingerprint")


class MlflowHook:
    """Starts the run before the first node, ends it whatever happens, and logs what the catalog marks."""

    def __init__(self) -> None:
        self._session = MlflowSession()
        self._settings: Settings | None = None
        self._project = Path.cwd()
        self._datasets: dict[str, Tracked] = {}
        self._started: dict[str, float] = {}
        self._fingerprinted: set[str] = set()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read and check mlflow.yml.

        Args:
            context: Kedro's, with the project's folder and the configuration loader.
        """
        self._project = Path(context.project_path)
        loader: Any = context.config_loader
        # Kedro reads conf/local only where no --env is given; a person's server is theirs for every task
        local = Path(loader.conf_source) / "local" / "mlflow.yml"
        own: Any = OmegaConf.to_container(OmegaConf.load(local)) if local.is_file() else {}
        self._settings = Settings.from_config({**loader["mlflow"], **own}, self._project)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Start the run, with its tags and parameters; nothing where tracking is not enabled.

        Args:
            run_params: what Kedro says about the run: its id, environment, pipelines and ``--params``.
            pipeline: that runs; its datasets are looked up in the catalog, its parameters are logged.
            catalog: of which ``metadata`` says what is logged of a dataset.
        """
        self._session.end("KILLED")  # of a session that was interrupted before Kedro could tell
        if self._settings is None or not self._settings.enabled:
            return
        self._datasets = _tracked_datasets(pipeline, catalog)
        self._started, self._fingerprinted = {}, set()
        params = _parameters(pipeline, catalog)
        name, arm = _pipeline_name(run_params), as_params(params).get("distillation.arm")
        tags = {**_tags(run_params, name, arm), **git_facts(self._project), **version_facts(), **device_facts()}
        run = self._session.start(self._settings, f"{name}, {arm}" if arm else name, tags)
        run.params_and_file(params)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the node's clock.

        Args:
            node: that is about to run.
        """
        self._started[node.name] = perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Log the node's seconds, as ``seconds/<node>``.

        Args:
            node: that has run.
        """
        run = self._session.run
        if run and node.name in self._started:
            run.metrics(as_metrics({f"seconds/{node.name}": perf_counter() - self._started[node.name]}))

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Log which data the run saw: the fingerprint of a dataset that the catalog marks for it, once a run.

        Args:
            dataset_name: as the catalog has it.
            data: what was loaded: a table or an embedding table where a fingerprint is asked for.
        """
        run = self._session.run
        if run and "fingerprint" in self._wanted(dataset_name):
            self._log_fingerprint(run, dataset_name, data)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what the catalog marks of a result: its fingerprint, the numbers in it, its file.

        Args:
            dataset_name: as the catalog has it; metrics are logged as ``<dataset_name>/...``.
            data: what was saved: a mapping where metrics are asked for.
        """
        run, wanted = self._session.run, self._wanted(dataset_name)
        if run is None:
            return
        if "fingerprint" in wanted:
            self._log_fingerprint(run, dataset_name, data)
        if "metrics" in wanted:
            run.metrics(as_metrics(data, f"{dataset_name}/"))
        if "artifact" in wanted:
            self._log_artifact(run, dataset_name)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """End the run as FINISHED."""
        self._session.end("FINISHED")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """End the run as FAILED, with the error as a tag.

        Args:
            error: that ended the pipeline; the first 5,000 characters of it are kept.
        """
        if self._session.run:
            self._session.run.tag("error", f"{type(error).__name__}: {error}"[:5000])
        self._session.end("FAILED")

    def _wanted(self, dataset_name: str) -> Collection[str]:
        return self._datasets[dataset_name].wanted if dataset_name in self._datasets else ()

    def _log_artifact(self, run: TrackedRun, name: str) -> None:
        file = self._datasets[name].file
        if file is not None and file.exists():
            run.artifact(file, folder=name.rpartition(".")[0] or None)

    def _log_fingerprint(self, run: TrackedRun, name: str, data: Any) -> None:
        if name not in self._fingerprinted:
            self._fingerprinted.add(name)
            run.data(name, fingerprint(data), rows=len(data), source=self._datasets[name].file)


@dataclass(frozen=True)
class Tracked:
    """A dataset of the pipeline that the catalog marks for tracking.

    Attributes:
        wanted: what is logged of it, some of ``LOGGABLE``.
        file: that it is kept in; None where it has none on this machine.
    """

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


def _parameters(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, Any]:
    """What the nodes of this pipeline take as parameters, resolved, by name."""
    names = sorted(name for name in pipeline.inputs() if name == "parameters" or name.startswith("params:"))
    return {name.removeprefix("params:"): catalog[name].load() for name in names}


def _pipeline_name(run_params: Mapping[str, Any]) -> str:
    names = run_params.get("pipeline_names") or ["__default__"]
    return "+".join("distill" if each == "__default__" else each for each in names)


def _tags(run_params: Mapping[str, Any], name: str, arm: str | None) -> dict[str, str]:
    """What Kedro says about the run, and who runs it."""
    return {
        "kedro.pipeline": name,
        "kedro.env": run_params.get("env") or "local",
        "kedro.command": command(run_params),
        "kedro.session": run_params["run_id"],
        "mlflow.source.name": "cross_modal_kd",
        "mlflow.user": user(),
        **process_facts(),
        **({"arm": arm} if arm else {}),
    }
