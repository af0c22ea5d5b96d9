"""Runs that are there already, read from the tracking server: found by id, by the beginning of it, or by name."""

import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cross_modal_kd.tracking.flatten import INTERVAL
from cross_modal_kd.tracking.mlflow_session import CHATTY, QUIET
from cross_modal_kd.tracking.settings import database_file

PARAMETERS = "parameters.json"
SHOWN = 8  # runs that an error lists
PAGE = 1000


class RunsError(ValueError):
    """A run that is not there, or a server that does not answer; the message says what to do."""


@dataclass(frozen=True)
class PastRun:
    """One run as the server keeps it.

    Attributes:
        run_id: MLflow's id.
        name: as MLflow shows it.
        experiment: name of its experiment.
        status: FINISHED, FAILED, KILLED or RUNNING.
        started: its first moment, in local time.
        params: flat names and texts; whole ones where the run has kept ``parameters.json``, else cut at 500 characters.
        tags: commit, versions, machine, command, fingerprints.
        metrics: the last value of each.
        whole: the parameters are those of ``parameters.json``.
    """

    run_id: str
    name: str
    experiment: str
    status: str
    started: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    whole: bool = False

    @property
    def short(self) -> str:
        """The first eight digits of the id."""
        return self.run_id[:8]

    @property
    def user(self) -> str:
        """Who made it; empty where the run does not say."""
        return self.tags.get("mlflow.user", "")

    def interval(self, metric: str) -> tuple[float, float] | None:
        """The ends of a metric's interval.

        Args:
            metric: its name, such as ``metrics/distilled.eer``.

        Returns:
            (low, high); None where it has none.
        """
        ends = [self.metrics.get(f"{INTERVAL}/{metric}.{end}") for end in ("low", "high")]
        return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


class Runs:
    """The runs of one tracking server or database, to be read.

    Args:
        tracking_uri: its address.

    Raises:
        RunsError: it is a local database that is not there.
    """

    def __init__(self, tracking_uri: str) -> None:
        file = database_file(tracking_uri)
        if file is not None and not file.is_file():
            raise RunsError(
                f"there are no runs yet: no database lies at {file}. `kedro run` makes it; another one or a server is "
                "named by tracking_uri in conf/local/mlflow.yml, by MLFLOW_TRACKING_URI, or by --tracking-uri"
            )
        for variable, value in {**QUIET, "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}.items():
            os.environ.setdefault(variable, value)
        from mlflow import MlflowClient

        for chatty, level in CHATTY.items():
            logging.getLogger(chatty).setLevel(level)
        self.tracking_uri = tracking_uri
        self._client = MlflowClient(tracking_uri)

    def find(self, reference: str) -> PastRun:
        """The one run that is meant.

        Args:
            reference: an id, the beginning of one (four digits or more), or the name of a run.

        Returns:
            The run, with its whole parameters.

        Raises:
            RunsError: none is called so, with the last ones that there are; or several are, with their ids.
        """
        experiments = self._asked(lambda: _experiments(self._client))
        found = self._asked(lambda: self._matching(reference, list(experiments)))
        if len(found) == 1:
            return self._whole(_past(found[0], experiments))
        known = found or self._asked(
            lambda: self._client.search_runs(
                list(experiments), max_results=SHOWN, order_by=["attributes.start_time DESC"]
            )
        )
        head = (
            f"{len(found)} runs are called {reference!r}: name one by its id"
            if found
            else f"no run at {self.tracking_uri} has the id or the name {reference!r}; the last ones are"
        )
        lines = [_line(_past(each, experiments)) for each in known[:SHOWN]] or ["  (none)"]
        raise RunsError("\n".join([head, *lines, *(["  ..."] if len(known) > SHOWN else [])]))

    def children(self, run: PastRun) -> list[PastRun]:
        """The runs below a run, those of the arms and seeds of a study, the oldest first.

        Args:
            run: the one above.

        Returns:
            Their params are as MLflow cuts them.
        """
        experiments = self._asked(lambda: _experiments(self._client))
        found = self._asked(lambda: self._all(list(experiments), f"tags.`mlflow.parentRunId` = '{run.run_id}'", "ASC"))
        return [_past(each, experiments) for each in found]

    def newest(self) -> PastRun:
        """The run that was started last and is no child of another.

        Returns:
            The run, with its whole parameters.

        Raises:
            RunsError: there is none.
        """
        experiments = self._asked(lambda: _experiments(self._client))
        for each in self._asked(lambda: self._all(list(experiments), "", "DESC")):
            if "mlflow.parentRunId" not in each.data.tags:
                return self._whole(_past(each, experiments))
        raise RunsError(f"there is no run at {self.tracking_uri}")

    def file(self, run: PastRun, name: str, folder: Path) -> Path | None:
        """A file that was kept with a run.

        Args:
            run: whose file it is.
            name: of the file, with its folder.
            folder: to lay it in.

        Returns:
            The file; None where the run has none of that name, or it cannot be had now.
        """
        try:
            return Path(self._client.download_artifacts(run.run_id, name, str(folder)))
        except Exception as error:  # of a server, a bucket, a file system: each has its own kinds
            logging.getLogger(__name__).debug("run %s has no %s (%s)", run.short, name, error)
            return None

    def _matching(self, reference: str, experiments: list[str]) -> list[Any]:
        if re.fullmatch(r"[0-9a-f]{4,32}", reference):
            by_id = self._all(experiments, f"attributes.run_id LIKE '{reference}%'", "DESC")
            if by_id:
                return by_id
        quote = '"' if "'" in reference else "'"
        return self._all(experiments, f"attributes.run_name = {quote}{reference.replace(quote, '')}{quote}", "DESC")

    def _all(self, experiments: list[str], where: str, order: str) -> list[Any]:
        found: list[Any] = []
        token = None
        while experiments:
            page = self._client.search_runs(
                experiments, where, max_results=PAGE, order_by=[f"attributes.start_time {order}"], page_token=token
            )
            found, token = [*found, *page], page.token
            if not token:
                break
        return found

    def _whole(self, run: PastRun) -> PastRun:
        """With the parameters as they were before MLflow cut long ones."""
        with tempfile.TemporaryDirectory() as folder:
            file = self.file(run, PARAMETERS, Path(folder))
            if file is None:
                return run
            try:
                values = json.loads(file.read_text(encoding="utf-8"))
            except ValueError:
                return run
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
        return PastRun(**{**run.__dict__, "params": texts, "whole": True})

    def _asked(self, question: Any) -> Any:
        try:
            return question()
        except RunsError:
            raise
        except Exception as error:
            who = ""
            if any(word in str(error) for word in ("401", "403", "not authenticated", "Permission denied")):
                who = " Name and password are MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
            raise RunsError(f"the tracking server {self.tracking_uri} does not answer: {error}.{who}") from error


def _experiments(client: Any) -> dict[str, str]:
    """Names by id, of those that were not deleted."""
    return {each.experiment_id: each.name for each in _pages(client.search_experiments)}


def _pages(search: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _past(run: Any, experiments: Mapping[str, str]) -> PastRun:
    return PastRun(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        experiment=experiments.get(run.info.experiment_id, run.info.experiment_id),
        status=run.info.status,
        started=datetime.fromtimestamp((run.info.start_time or 0) / 1000),
        params=dict(run.data.params),
        tags=dict(run.data.tags),
        metrics=dict(run.data.metrics),
    )


def _line(run: PastRun) -> str:
    return f"  {run.run_id}  {run.started:%Y-%m-%d %H:%M}  {run.experiment}: {run.name} ({run.status})"
