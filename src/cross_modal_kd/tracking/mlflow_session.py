"""The MLflow run of one process: started under what may be active already, ended with MLflow left as it was found.

MLflow is imported when a run starts, and at no other time.
"""

import atexit
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep, time
from typing import Any

from cross_modal_kd.storage import guarded, is_dead
from cross_modal_kd.tracking.outbox import LAST_DELAYS
from cross_modal_kd.tracking.run import TrackedRun, set_session_run
from cross_modal_kd.tracking.settings import SQLITE, URI_VARIABLE, Settings, database_file, database_uri
from cross_modal_kd.tracking.unsent import save_unsent

logger = logging.getLogger(__name__)

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    # a server that does not answer is given up after seconds, not after minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
CHATTY = {
    "alembic": logging.WARNING,
    "mlflow.store.db.utils": logging.CRITICAL,  # the traceback of each error of the database, which is raised as well
    "mlflow.system_metrics": logging.WARNING,
}
TRIES = 20


@contextmanager
def joined_run(run_id: str | None, tracking_uri: str, logs: Path) -> Iterator[None]:
    """A context in which the run of another process is the current one, as in a task that works for that process.

    Args:
        run_id: of the run, which stays open; None, and nothing is tracked.
        tracking_uri: address of the server or database that keeps it.
        logs: folder for what the server does not take until the end.

    Yields:
        Nothing.
    """
    if run_id is None:
        yield
        return
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    run = TrackedRun(run_id, tracking_uri)
    set_session_run(run)
    try:
        yield
    finally:
        set_session_run(None)
        run.outbox.close(logs / f"unsent-{run_id}-{os.getpid()}.json")


class MlflowSession:
    """At most one open run, whose address is MLflow's own only while it lasts."""

    def __init__(self) -> None:
        self.run: TrackedRun | None = None
        self._before = Before()
        self._logs = Path("logs")

    def start(self, settings: Settings, name: str, tags: Mapping[str, str], logs: Path) -> TrackedRun:
        """Open a run, nested where the user has one open, and make it the process's current run.

        Args:
            settings: the server and the experiment; a new experiment is made.
            name: of the run, as MLflow shows it.
            tags: flat texts that the run is found by.
            logs: folder for what the server does not take until the end.

        Returns:
            The run, which ``end`` closes; an exit of the process without it closes the run as KILLED.

        Raises:
            RuntimeError: if the tracking server cannot be reached, with the address and where it is set; or a local
                database lies where MLflow makes none.
        """
        if settings.local_folder is not None and "'" in settings.local_folder.as_posix():  # it writes it into its SQL
            raise RuntimeError(
                f'MLflow makes no database in {settings.local_folder}, for the "\'" in that path: rename the folder, '
                "name another place as `tracking_uri` in conf/local/mlflow.yml, or put `enabled: false` there"
            )
        for variable, value in QUIET.items():
            os.environ.setdefault(variable, value)
        fresh = "mlflow" not in sys.modules  # so that nobody here has chosen an experiment or opened a run
        import mlflow

        for chatty, level in CHATTY.items():
            logging.getLogger(chatty).setLevel(level)
        before = Before.now(mlflow)
        try:
            run_id = _started(mlflow, settings, name, tags, fresh, nested=before.active is not None)
        except Exception as error:
            before.restore(mlflow)
            raise RuntimeError(
                f"no run could be started at the MLflow tracking server {settings.tracking_uri}: {_first_line(error)}\n"
                "Can it be reached, and has its disk space left? (A local database that was left half made, where "
                "something `already exists`, is to be removed.) Its address is `tracking_uri` in conf/local/mlflow.yml "
                "(or conf/base/mlflow.yml), or MLFLOW_TRACKING_URI. To run without tracking, put `enabled: false` in "
                "conf/local/mlflow.yml."
            ) from error
        atexit.register(self.end, "KILLED")  # runs before MLflow's own, which would say FINISHED
        self._logs = logs
        self._before, self.run = before, TrackedRun(run_id, settings.tracking_uri)
        set_session_run(self.run)
        self.run.send("the end of runs that died", partial(_close_dead, run_id), keep=False)
        return self.run

    def end(self, status: str) -> None:
        """End what ``start`` has started, and what was left open below it, and nothing else.

        Args:
            status: FINISHED, FAILED or KILLED.
        """
        if self.run is None:
            return
        import mlflow

        run, self.run = self.run, None
        set_session_run(None)
        atexit.unregister(self.end)
        if not run.owned:
            return
        keep_in = self._logs / f"unsent-{run.run_id}.json"
        run.outbox.close(keep_in)
        try:
            while (active := mlflow.active_run()) and active.info.run_id != self._before.active:
                _ended(mlflow, status)
        except Exception as error:
            what = f"the end of run {run.run_id}"
            run_ends = partial(_end, run.run_id, status, int(time() * 1000))
            save_unsent(keep_in, run.tracking_uri, [(what, run_ends)])
            logger.warning(
                "%s could not be told to %s (%s); `python -m cross_modal_kd.tracking.unsent %s` tells it later",
                *(what, run.tracking_uri, error, keep_in),
            )
        self._before.restore(mlflow)


def _end(run_id: str, status: str, at: int, client: Any) -> None:
    client.set_terminated(run_id, status, end_time=at)


def _ended(mlflow: Any, status: str) -> None:
    """End the active run; a server that is away for a moment is told again."""
    run_id = mlflow.active_run().info.run_id
    try:
        mlflow.end_run(status)
        return
    except Exception as error:
        logger.debug("the end of run %s was not taken at once (%s)", run_id, error)
    for delay in LAST_DELAYS[1:-1]:
        sleep(delay)
        with suppress(Exception):
            mlflow.MlflowClient().set_terminated(run_id, status)
            return
    mlflow.MlflowClient().set_terminated(run_id, status)


def _close_dead(run_id: str, client: Any) -> None:
    """End as KILLED the runs of this experiment that a dead process has left RUNNING, and their child runs."""
    experiment = client.get_run(run_id).info.experiment_id
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'", max_results=1000):
        if run.info.run_id != run_id and is_dead(run.data.tags):
            client.set_terminated(run.info.run_id, "KILLED")
            logger.info("run %s was left open by a process that is dead: ended as KILLED", run.info.run_name)


def _started(mlflow: Any, settings: Settings, name: str, tags: Mapping[str, str], fresh: bool, nested: bool) -> str:
    """The id of a new active run."""
    mlflow.set_tracking_uri(settings.tracking_uri)
    run: dict[str, Any] = {"experiment_id": _experiment(settings), "run_name": name, "tags": dict(tags)}
    if fresh:  # mlflow.start_run would import GitPython and IPython (0.5 s) to find fewer facts than these
        run = {"run_id": mlflow.MlflowClient().create_run(**run).info.run_id}
    return mlflow.start_run(**run, nested=nested, log_system_metrics=settings.system_metrics).info.run_id


@dataclass(frozen=True)
class Before:
    """MLflow's state in this process before the run: the address is ours only while the run lasts.

    Attributes:
        active: id of the run that was open; None where there was none.
        tracking_uri: address that was set; None where MLflow's default held.
        variable: value of MLFLOW_TRACKING_URI; None where it was not set.
    """

    active: str | None = None
    tracking_uri: str | None = None
    variable: str | None = None

    @classmethod
    def now(cls, mlflow: Any) -> "Before":
        """The state at this moment.

        Args:
            mlflow: The module.

        Returns:
            The open run, the address and the variable, each None where there is none.
        """
        active = mlflow.active_run()
        return cls(
            active=active.info.run_id if active else None,
            tracking_uri=mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None,
            variable=os.environ.get(URI_VARIABLE),
        )

    def restore(self, mlflow: Any) -> None:
        """Put the address back; the runs that are open stay open.

        Args:
            mlflow: The module.
        """
        mlflow.set_tracking_uri(self.tracking_uri)
        os.environ.pop(URI_VARIABLE, None)
        if self.variable is not None:
            os.environ[URI_VARIABLE] = self.variable


def _experiment(settings: Settings) -> str:
    """The experiment's id; a new one in a local database keeps its files in ``artifact_root`` beside it."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if (file := database_file(settings.tracking_uri)) is not None:
        _make_whole(file)
    client = ready(lambda: MlflowClient(settings.tracking_uri), settings.tracking_uri)
    found = client.get_experiment_by_name(settings.experiment)
    if found is None:
        try:
            return client.create_experiment(settings.experiment, artifact_location=_artifact_location(settings))
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


def _artifact_location(settings: Settings) -> str | None:
    """The folder beside a local database, as an address; None lets a server decide."""
    folder = settings.local_folder
    return None if folder is None else (folder / settings.artifact_root / settings.experiment).resolve().as_uri()


def _make_whole(file: Path) -> None:
    """Make a local database that is not there yet, under another name until it has all its tables.

    MLflow makes them in many steps, and goes on with none that a full disk or a kill has left half-way: every later
    run would end with ``table _alembic_tmp_params already exists``.
    """
    from mlflow import MlflowClient

    if file.exists() or not file.parent.is_dir() or file.name.startswith(":"):  # :memory:
        return
    with (
        guarded(file.with_name(f".{file.name}.lock"), passing=True),
        TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder,
    ):
        if not file.exists():
            made = Path(folder) / file.name
            MlflowClient(database_uri(made))
            new = shutil.copyfile(made, Path(folder) / "whole")  # MLflow has the first one open, which pins its name
            new.replace(file)


def _first_line(error: Exception) -> str:
    """What an error says, without SQLAlchemy's word to programmers before it and the statements of SQL after it."""
    lines = (line for line in str(error).splitlines() if not line.startswith("(raised as a result of"))
    return next(lines, type(error).__name__)


def ready(connect: Callable[[], Any], uri: str) -> Any:
    """What ``connect`` gives, tried again where another process makes the same local database.

    Two runs that start together both make its tables: the slower one fails on a table that is there already, and
    finds all of them a moment later.

    Args:
        connect: opens the database at ``uri``.
        uri: an address; only that of a local database is tried more than once.

    Returns:
        The connection.
    """
    for _ in range(TRIES if uri.startswith(SQLITE) else 0):
        try:
            return connect()
        except Exception as error:  # sqlalchemy's own kinds, whichever statement was the second
            if "already exists" not in str(error):
                raise
            sleep(0.5)
    return connect()
