"""A tracked run done again: at its commit, from its command and parameters, on the same raw data."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cross_modal_kd.runs.agreement import Agreement
from cross_modal_kd.runs.command import Command
from cross_modal_kd.runs.tree import Refused, answer, checked_commit, kedro, worktree
from cross_modal_kd.tracking import PastRun, Runs, database_uri, leaves, shown_by, version_facts

COMMAND, SAMPLES, THREADS = "kedro.command", "data.samples", "OMP_NUM_THREADS"
TAIL = 25  # lines of the log of a run that failed
NOT_PASSED_ON = ("MLFLOW_", "KEDRO_")
PACKAGE = "package:"
# what the worktree's own configuration says, without running anything
RESOLVE = """
import json, logging, sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
logging.disable()
bootstrap_project(Path.cwd())
with KedroSession.create(Path.cwd(), env=sys.argv[1] or None, save_on_close=False) as session:
    found = session.load_context().config_loader["parameters"]
print(json.dumps(found, default=str))
"""


class Repetition:
    """One run, to be done again.

    Args:
        store: the server that has it.
        past: the run.
        project: a folder of a clone that knows its commit; it is not written to.
        data: the folder at which relative paths of raw data start; it is read.
        say: takes a line about what is being done.
    """

    def __init__(
        self, store: Runs, past: PastRun, project: Path, data: Path, say: Callable[[str], Any] = lambda _: None
    ) -> None:
        self._store, self._past, self._project, self._data, self._say = store, past, project, data, say

    def run(self, tolerance: float = 1e-6, anyway: bool = False, keep: bool = False) -> Agreement:
        """Do it again and compare.

        Args:
            tolerance: up to which two numbers agree.
            anyway: also where it was made with uncommitted changes, did not finish, or saw other data.
            keep: leave the worktree with its database and artifacts.

        Returns:
            Every number of both.

        Raises:
            Refused: it cannot be done, or failed, with the reason.
        """
        command, commit = self._checked(anyway)
        self._say(f"run {self._past.short} ({self._past.name}): {command}")
        for name, now in version_facts().items():
            then = self._past.tags.get(name)
            if name.startswith("version.") and then not in (None, now):
                self._say(f"  {name.removeprefix('version.')} was {then} then and is {now} now")
        with worktree(self._project, commit, keep) as tree:
            self._say(f"commit {commit[:12]} in {tree}")
            after = Again(self._past, command, tree, self._data, self._say).run(anyway)
            fresh = Runs(after)
            new = fresh.newest()
            before = [self._past, *self._store.children(self._past)]
            agreement = Agreement.of(before, [new, *fresh.children(new)], tolerance)
            if keep:
                self._say(f"kept: {tree}; see the new run {new.run_id} by {shown_by(after)}\n")
        return agreement

    def _checked(self, anyway: bool) -> tuple[Command, str]:
        """What to run and at which commit. Raises Refused."""
        past = self._past
        above = past.tags.get("mlflow.parentRunId")
        if above:
            raise Refused(f"run {past.short} is a part of the run {above}: reproduce that one")
        if COMMAND not in past.tags:
            raise Refused(f"run {past.short} has no tag {COMMAND}: it was not made by `kedro run` of this project")
        if "git.sha" not in past.tags:
            raise Refused(f"run {past.short} does not say from which commit it was made (no tag git.sha): it was made "
                          "outside of a git clone, and cannot be done again from here")  # fmt: skip
        if past.tags.get("git.dirty") == "true" and not anyway:
            files = past.tags.get("git.changes", "which files differed was not recorded")
            raise Refused(
                f"run {past.short} was made with changes that are in no commit:\n{files}\n"
                f"What its commit {past.tags['git.sha'][:12]} gives may be something else; --anyway tries. A "
                "run of what is committed, an environment of your own too, can be done again"
            )
        if past.status != "FINISHED" and not anyway:
            raise Refused(
                f"run {past.short} did not end well ({past.status}): its numbers are not all there; --anyway tries"
            )
        return Command.of(past.tags[COMMAND]), checked_commit(self._project, past.tags["git.sha"])


class Again:
    """The new run, in a worktree.

    Args:
        past: the run that is done again.
        command: of it.
        tree: the worktree.
        data: the folder at which relative paths of raw data start.
        say: takes a line about what is being done.
    """

    def __init__(self, past: PastRun, command: Command, tree: Path, data: Path, say: Callable[[str], Any]) -> None:
        self._past, self._command, self._tree, self._data, self._say = past, command, tree, data, say
        self._uri = database_uri(tree / "mlflow.db")
        self._log = tree.parent / f"{tree.name}.log"
        passed = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        threads = past.tags.get("device.threads")
        self._environment = {
            **passed,
            "MLFLOW_TRACKING_URI": self._uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONPATH": str(tree / "src"),
            **({THREADS: threads} if threads else {}),
        }

    def run(self, anyway: bool) -> str:
        """What the run needs, the same data, then the run.

        Args:
            anyway: also of other data.

        Returns:
            The address of the database that the new run is in.

        Raises:
            Refused: raw data is not there or is another, or a command failed.
        """
        self._link()
        command = self._command.with_params(self._from_elsewhere())
        ingestion, *others = command.before()
        self._say(f"reading the data; the log is {self._log}")
        self._kedro(ingestion)
        self._check_data(anyway)
        for each in others:
            self._say(f"first, what it starts from: {each}")
            self._kedro(each)
        self._say(f"running it again: {command}")
        self._kedro(command)
        return self._uri

    def _kedro(self, command: Command) -> None:
        if kedro(self._tree, command.arguments, self._environment, self._log, sys.executable):
            tail = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])
            raise Refused(f"`{command}` failed at the commit of run {self._past.short}:\n{tail}")

    def _link(self) -> None:
        """Files and folders that the parameters name and the commit does not hold: they stay where they are."""
        for name, value in sorted(self._past.params.items()):
            is_root = name.startswith("sources.") and name.endswith(".root") and not value.startswith(PACKAGE)
            path = Path(value).expanduser() if is_root or "/" in value else Path()
            if is_root and path.is_absolute() and not path.exists():
                raise Refused(f"{name}: there is no {path} on this machine; lay the raw data there")
            if path == Path() or path.is_absolute() or ".." in path.parts or _exists(self._tree / path):
                continue
            original = self._data / path
            if _exists(original):
                (self._tree / path).parent.mkdir(parents=True, exist_ok=True)
                (self._tree / path).symlink_to(original.resolve())
                self._say(f"{name}: {original.resolve()}, read from where it lies")
            elif is_root:
                raise Refused(
                    f"{name}: the raw data is not in {original}, nor in the commit; name the folder that {value} "
                    "starts from: --data FOLDER"
                )

    def _from_elsewhere(self) -> dict[str, Any]:
        """Parameters of the run that neither the commit nor the command gives: those of conf/local, say."""
        text = answer(self._tree, RESOLVE, [self._command.env], self._environment, sys.executable)
        if not text or not self._past.whole:
            return {}
        known = {name: value for name, value in leaves(json.loads(text)) if isinstance(name, str)}
        found = {}
        for name, then in self._past.params.items():
            value = _parsed(then)
            indexed = any(part.isdigit() for part in name.split("."))
            if name not in known or name in self._command.named or indexed or _same(value, known[name]):
                continue
            found[name] = value
            self._say(f"{name}={then}: the commit says {known[name]!r}; taken from what the run has logged")
        return found

    def _check_data(self, anyway: bool) -> None:
        then = self._past.tags.get(SAMPLES)
        now = Runs(self._uri).newest().tags.get(SAMPLES)
        if then is None:
            self._say("which data the run saw is not known (no tag data.samples)")
        elif now == then:
            self._say(f"the data is the same ({then})")
        elif anyway:
            self._say(f"the data is another ({then} then, {now} now)")
        else:
            raise Refused(
                f"the data is another than that of run {self._past.short}: the fingerprint of its samples is {then}, "
                f"here it is {now}. Its numbers cannot come out; --data FOLDER names the right data, --anyway tries"
            )


def _exists(path: Path) -> bool:
    with suppress(OSError):  # a value that is too long for a path
        return path.exists()
    return False


def _parsed(text: str) -> Any:
    """A value as it was before it became a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _same(one: Any, other: Any) -> bool:
    return one == other or str(one) == str(other) or (one in ({}, []) and other in ({}, [], None))
