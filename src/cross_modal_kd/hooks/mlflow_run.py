"""One MLflow run for one ``kedro run``: Kedro's side of it; what talks to MLflow is in tracking/.

A hook of our own on MLflow's public API, and not kedro-mlflow: that imports mlflow at every kedro command (two
seconds), leaves its run open after an in-process session, logs a pydantic block as one string, leaves ``--params``
out of the command, and knows no commit. This one imports mlflow when a pipeline is about to run, and at no other time
(``kedro registry list`` and ``kedro viz`` start no run).

Settings: conf/base/mlflow.yml, with conf/local/mlflow.yml over it in every environment. What is logged of a dataset is
said in the catalog, under its ``metadata``::

    metadata:
      mlflow: [metrics]       # the numbers in it, flat           (dictionaries)
      mlflow: [headline]      # the metric that the task is about, also in words as the run's description (metrics.json)
      mlflow: [artifact]      # the file it is saved to            (any dataset with a file)
      mlflow: [model]         # its folder, as a logged model      (packaged students)
      mlflow: [registered]    # that, as a version of the registered model of the task; the best on dev is its champion
      mlflow: [fingerprint]   # a hash of its content, as a tag    (tables, embedding tables)

The names of metrics are in folders, of which MLflow's pages make sections. Sorted, as MLflow lists them: ``headline``
(the distilled student's metric, that of the student alone, their difference), ``interval`` (the ends of intervals),
one for each dataset (``metrics``, ``projection_metrics``, ``teacher_metrics``) and ``operating`` (the dev metric of a
packaged student, by which the champion is chosen), ``seconds`` (of nodes and epochs),
``system`` (MLflow's own), ``training`` (curves).
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from omegaconf import OmegaConf

from cross_modal_kd.hooks.cell import at_end_of_cell
from cross_modal_kd.storage import process_facts, user
from cross_modal_kd.tracking import (
    Judged,
    MlflowSession,
    ModelToLog,
    Settings,
    TrackedRun,
    as_metrics,
    command,
    device_facts,
    fingerprint,
    git_facts,
    leaves,
    run_name,
    version_facts,
    without_other_arms,
)

LOGGABLE = ("metrics", "headline", "artifact", "model", "registered", "fingerprint")
HEADLINE = "headline"
LOGIN = "MLFLOW_TRACKING_USERNAME"  # under which a team's server knows who it is
READER = "cross_modal_kd.student.pyfunc"  # of logged models
OWN_ENVIRONMENTS = (None, "local", "base")  # that a run's name does without


class MlflowHook:
    """Starts the run before the first node, ends it whatever happens, and logs what the catalog marks."""

    def __init__(self) -> None:
        self._session = MlflowSession()
        self._settings: Settings | None = None
        self._project = Path.cwd()
        self._datasets: dict[str, Tracked] = {}
        self._started: dict[str, float] = {}
        self._fingerprinted: set[str] = set()
        self._models: dict[str, str] = {}
        self._measured: dict[str, list[dict[str, float]]] = {}
        self._task = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read and check mlflow.yml; note the task's name.

        Args:
            context: Kedro's, with the project's folder and the configuration loader.
        """
        self._project = Path(context.project_path)
        self._task = str(dict(leaves({"task": context.params.get("task")})).get("task.name", ""))
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
        self._started, self._fingerprinted, self._models, self._measured = {}, set(), {}, {}
        params = without_other_arms(_parameters(pipeline, catalog))
        tags = _tags(run_params, self._task, params) | git_facts(self._project) | version_facts() | device_facts()
        name = _run_name(run_params, self._task, params)
        run = self._session.start(self._settings, name, tags, self._project / "logs")
        at_end_of_cell(partial(self._session.end, "KILLED"))
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
        """Log what the catalog marks of a result: its fingerprint, the numbers in it, its file, the model that it is.

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
            self._log_metrics(run, dataset_name, data)
        if "headline" in wanted:
            self._log_headline(run, data)
        if "artifact" in wanted:
            self._log_artifact(run, dataset_name)
        if "model" in wanted:
            self._log_model(run, dataset_name, data)

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

    def _log_model(self, run: TrackedRun, name: str, student: Any) -> None:
        """A student is called after its role, ``distilled`` or ``student_alone``."""
        from cross_modal_kd.student import served

        folder, role = self._datasets[name].file, name.partition(".")[0]
        if folder is None or not folder.is_dir():
            return
        about = {"task": self._task, "role": role, "weights": student.record.weights[:12]}
        model_id = run.model(ModelToLog(folder, role, READER, about, **vars(served(student)), note=student.describe()))
        if model_id is None:
            return
        self._models[role] = model_id
        dev = student.record.operating.dev
        run.metrics(as_metrics({role: {dev.name: dev.value}}, "operating/"), model_id=model_id)
        for values in self._measured.get(role, []):  # its metrics came first
            run.metrics(values, model_id=model_id)
        if "registered" in self._wanted(name) and self._task:
            judged = Judged(dev.name, dev.value, dev.larger_is_better, dev.data)
            run.register(self._task, model_id, judged, student.describe())

    def _log_metrics(self, run: TrackedRun, name: str, data: Mapping[str, Any]) -> None:
        """Those of a student, which stand under its role, are on the page of its model too."""
        for part, values in data.items():
            flat = as_metrics({part: values}, f"{name}/")
            self._measured.setdefault(part, []).append(flat)
            run.metrics(flat, model_id=self._models.get(part))

    def _log_headline(self, run: TrackedRun, data: dict[str, Any]) -> None:
        """As metrics, and in words as the run's description, which its page shows above all metrics."""
        from cross_modal_kd.evaluation import headline, verdict

        found = verdict(data)
        run.tag("mlflow.note.content", found.sentences)
        flat = as_metrics(headline(data), f"{HEADLINE}/")
        self._measured.setdefault("distilled", []).append(flat)
        run.metrics(flat, model_id=self._models.get("distilled"))

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


def _run_name(run_params: Mapping[str, Any], task: str, params: Mapping[str, Any]) -> str:
    """Of pipeline and its tags, arm, seed, task (and environment where it is called otherwise), and --params."""
    env = run_params.get("env")
    where = task if env in (*OWN_ENVIRONMENTS, task) else f"{task} ({env})".strip()
    pipeline = " ".join([_pipeline_name(run_params), *(run_params.get("tags") or ())])
    return run_name(where, pipeline, params, run_params.get("runtime_params") or {})


def _tags(run_params: Mapping[str, Any], task: str, params: Mapping[str, Any]) -> dict[str, str]:
    """What Kedro says about the run, and who runs it."""
    arm = dict(leaves(params)).get("distillation.arm")
    return {
        "kedro.pipeline": _pipeline_name(run_params),
        "kedro.env": run_params.get("env") or "local",
        "kedro.command": command(run_params),
        "kedro.session": run_params["run_id"],
        "mlflow.source.name": "cross_modal_kd",
        "mlflow.user": os.environ.get(LOGIN) or user(),
        **process_facts(),
        **({"task": task} if task else {}),
        **({"arm": str(arm)} if arm else {}),
    }
