"""What nodes may say to the tracked run: curves while they train, and child runs. Without a run, nothing happens.

MLflow is never imported from here before somebody else has started a run: a library user, a test or a run with
``enabled: false`` does not pay for it.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cross_modal_kd.storage import process_facts
from cross_modal_kd.tracking.flatten import as_metrics, as_params, leaves
from cross_modal_kd.tracking.names import child_name
from cross_modal_kd.tracking.outbox import Outbox

if TYPE_CHECKING:
    from cross_modal_kd.tracking.champion import Judged
    from cross_modal_kd.tracking.logged_model import ModelToLog

# what MLflow takes in one call
PARAMS_PER_BATCH = 100
METRICS_PER_BATCH = 1000
SECONDS = "seconds"


class TrackedRun:
    """One MLflow run, addressed by its id, so that every thread of this process can write to it.

    A server that goes away in the middle of a training must not end it: see ``Outbox``.

    Args:
        run_id: MLflow's id of a run that exists.
        tracking_uri: address of the server or database that keeps it.
        outbox: through which it speaks; its own where none is given.
    """

    def __init__(self, run_id: str, tracking_uri: str, outbox: Outbox | None = None) -> None:
        self.run_id = run_id
        self.tracking_uri = tracking_uri
        self.outbox = outbox or Outbox(tracking_uri)
        self._process = os.getpid()

    @property
    def owned(self) -> bool:
        """False in a forked worker, which has inherited this object but not the run."""
        return self._process == os.getpid()

    def send(self, what: str, action: Callable[[Any], Any], keep: bool = True) -> Any:
        """Say something to the server, unless this process does not own the run.

        Args:
            what: is sent, for warnings.
            action: takes MLflow's client.
            keep: it is worth sending later, where the server is away now.

        Returns:
            What the action gives; None where it was not sent now.
        """
        return self.outbox.send(what, action, keep) if self.owned else None

    def metrics(self, values: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Log numbers.

        Args:
            values: Finite numbers by their flat names.
            step: Epoch, for a curve.
            model_id: Of a model of this run whose page is to show them; None for those of the run alone.
        """
        now, kept = int(time.time() * 1000), dict(values)
        self.send("metrics", lambda client: _log_metrics(client, self.run_id, kept, step, now, model_id))

    def model(self, model: "ModelToLog") -> str | None:
        """Keep a model with the run, as a logged model that ``mlflow.pyfunc.load_model`` reads.

        Args:
            model: On this machine.

        Returns:
            MLflow's id of it; None where it could not be sent now. It is not sent later: by then another run may have
            written to the folder.
        """
        from cross_modal_kd.tracking.logged_model import log_model

        return self.send(f"the model {model.name}", lambda client: log_model(client, self.run_id, model), keep=False)

    def register(self, name: str, model_id: str, judged: "Judged", description: str = "") -> None:
        """Make a logged model a version of a registered one; see ``register_version``.

        Args:
            name: Of the registered model.
            model_id: Of the logged model.
            judged: How good it is on dev.
            description: Of the version, Markdown.
        """
        from cross_modal_kd.tracking.champion import register_version

        self.send(
            f"the version of {name}",
            lambda client: register_version(client, name, model_id, self.run_id, judged, description),
        )

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters: the columns by which MLflow compares runs.

        Args:
            values: Nested values; they are logged under their flat names.
        """
        self.send("parameters", lambda client: _log_params(client, self.run_id, values))

    def params_and_file(self, values: Mapping[str, Any]) -> None:
        """Log parameters flat, to be compared, and whole in ``parameters.json``, since long values are cut.

        Args:
            values: Nested values.
        """

        def log(client: Any) -> None:
            if _log_params(client, self.run_id, values):
                client.log_dict(self.run_id, dict(leaves(values)), "parameters.json")

        self.send("parameters", log)

    def tag(self, name: str, text: str) -> None:
        """Log a text that the run is found by.

        Args:
            name: Of the tag.
            text: Up to 5,000 characters.
        """
        self.send(f"the tag {name}", lambda client: client.set_tag(self.run_id, name, text))

    def artifact(self, file: Path, folder: str | None = None) -> None:
        """Keep a file with the run.

        Args:
            file: On this machine.
            folder: Among the run's files; None is the top.
        """
        self.send(file.name, lambda client: client.log_artifact(self.run_id, str(file), artifact_path=folder))

    def data(self, name: str, digest: str, rows: int, source: Path | None) -> None:
        """Log that the run has seen a table: its fingerprint as the tag ``data.<name>`` and as a data set of the run.

        Args:
            name: Of the table.
            digest: Its fingerprint.
            rows: How many it has.
            source: The file or folder it is kept in.
        """

        def log(client: Any) -> None:
            from mlflow.entities import Dataset, DatasetInput, InputTag

            client.set_tag(self.run_id, f"data.{name}", digest)
            dataset = Dataset(name=name, digest=digest, source_type="local", source=str(source or "memory"))
            tags = [InputTag("mlflow.data.context", f"{rows} rows")]
            client.log_inputs(self.run_id, [DatasetInput(dataset, tags)])

        self.send(f"the fingerprint of {name}", log)


def _log_params(client: Any, run_id: str, values: Mapping[str, Any]) -> int:
    """Log in batches; how many there were."""
    from mlflow.entities import Param

    entities = [Param(name, value) for name, value in as_params(values).items()]
    for start in range(0, len(entities), PARAMS_PER_BATCH):
        client.log_batch(run_id, params=entities[start : start + PARAMS_PER_BATCH])
    return len(entities)


def _log_metrics(
    client: Any, run_id: str, values: Mapping[str, float], step: int, now: int, model_id: str | None
) -> None:
    from mlflow.entities import Metric

    entities = [Metric(name, value, now, step, model_id=model_id) for name, value in values.items()]
    for start in range(0, len(entities), METRICS_PER_BATCH):
        client.log_batch(run_id, metrics=entities[start : start + METRICS_PER_BATCH])


_session_run: TrackedRun | None = None
_child: ContextVar[TrackedRun | None] = ContextVar("child_run", default=None)


def set_session_run(run: TrackedRun | None) -> None:
    """Said by what starts and ends the run of a ``kedro run``.

    Args:
        run: From now on the current one; None if there is none.
    """
    global _session_run
    _session_run = run


def current_run() -> TrackedRun | None:
    """The innermost run.

    Returns:
        A child, the session's, or one that the user has started by hand (in a notebook); None if there is none.
    """
    run = _child.get() or _session_run
    if run is None and "mlflow" in sys.modules:
        import mlflow

        active = mlflow.active_run()
        run = TrackedRun(active.info.run_id, mlflow.get_tracking_uri()) if active else None
    return run


def epoch_logger(prefix: str) -> Callable[[Mapping[str, float], int], None]:
    """A function for the training loop: ``log({"loss": 0.3}, epoch)`` draws the curve ``training/<prefix>.loss``.

    The seconds of an epoch are a time like that of a node: ``seconds/<prefix>.epoch``.

    Args:
        prefix: What is trained.

    Returns:
        (values, epoch) -> None; it does nothing where no run is open now.
    """
    run = current_run()

    def log(values: Mapping[str, float], epoch: int) -> None:
        if run is not None:
            named = {f"training/{prefix}.{name}": value for name, value in values.items() if name != SECONDS}
            if SECONDS in values:
                named[f"{SECONDS}/{prefix}.epoch"] = values[SECONDS]
            run.metrics(as_metrics(named), step=epoch)

    return log


@contextmanager
def child_run(name: str, tags: Mapping[str, Any] | None = None) -> Iterator[TrackedRun | None]:
    """A run of its own under the current one, for one arm and seed of a comparison; FAILED if the block raises.

    Args:
        name: Of the run; the task of the run above is set behind it.
        tags: Are logged as texts.

    Yields:
        The run, which is the current one in the block; None where no run is open.
    """
    parent = current_run()
    child = parent and _start_child(parent, name, tags or {})
    if child is None:
        yield None
        return
    token = _child.set(child)
    status = "FAILED"
    try:
        yield child
        status = "FINISHED"
    finally:
        _child.reset(token)
        child.send("the end of a child run", lambda client: client.set_terminated(child.run_id, status))


def _start_child(parent: TrackedRun, name: str, tags: Mapping[str, Any]) -> TrackedRun | None:
    def create(client: Any) -> str:
        above = client.get_run(parent.run_id)
        texts = {key: str(value) for key, value in tags.items()}
        known = {"mlflow.parentRunId": parent.run_id, **process_facts()}
        full_name = child_name(above.data.tags.get("task"), [name])
        run = client.create_run(above.info.experiment_id, run_name=full_name, tags={**known, **texts})
        return run.info.run_id

    run_id = parent.send("a child run", create, keep=False)
    return TrackedRun(run_id, parent.tracking_uri, parent.outbox) if run_id else None
