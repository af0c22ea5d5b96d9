"""One writer at a time: who works in a folder, said in files that tell a living owner from a dead one."""

import errno
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from cross_modal_kd.storage.process import is_dead, process_facts, user

logger = logging.getLogger(__name__)

BEAT_SECONDS, SILENT_SECONDS = 30.0, 300.0
GUARD_SECONDS = 60.0
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


class HeldError(RuntimeError):
    """Another process works where this one wants to."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes:
        user: the account.
        process: machine, number and start of the process, of ``process_facts``.
        since: seconds since 1970.
        what: the work, for messages.
    """

    user: str
    process: dict[str, str]
    since: float
    what: str

    @property
    def host(self) -> str:
        """The machine's name."""
        return self.process.get("process.host", "?").partition(" ")[0]

    def __str__(self) -> str:
        minutes = max(0.0, time.time() - self.since) / 60
        return f"{self.user} on {self.host}, process {self.process.get('process.pid', '?')}, since {minutes:.0f} min"


class Lock:
    """Held by one process.

    ``folder`` has a pair of files of the owner: a text that says who it is, and a file that the operating system locks
    for as long as the process lives. An owner that was killed on this machine is recognised at once and taken over
    from; one of another machine, when it was silent for five minutes.

    Args:
        folder: of this lock alone; made where it is missing.
        about: what it stands for, for messages.
    """

    def __init__(self, folder: Path, about: str) -> None:
        self.folder, self.about = folder, about
        self._file: Path | None = None
        self._held: Any = None
        self._released = Event()
        self._process = os.getpid()

    def acquire(self, what: str) -> None:
        """Take the lock.

        Args:
            what: this process is about to do, as the command that does it.

        Raises:
            HeldError: another process holds it; the message says who and what to do.
            OSError: the folder cannot be written to.
        """
        from filelock import FileLock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with guarded(self.folder / "guard"):
                self._refuse()
                file = self.folder / f"{uuid4().hex}.json"
                held = FileLock(file.with_suffix(".alive"), thread_local=False)
                held.acquire(timeout=0)
                owner = Owner(user(), process_facts(), time.time(), what)
                write_whole(file, json.dumps(asdict(owner), indent=1))
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            raise type(error)(
                error.errno,
                f"{self.about} cannot be written to: {error}. A run needs a folder of its own user with space in it: "
                "`--params=data_root=/another/folder` writes elsewhere",
                str(self.folder),  # what is told of a full disk names it
            ) from error
        self._file, self._held, self._process = file, held, os.getpid()
        self._released.clear()
        Thread(target=self._beat, args=(file,), daemon=True, name="lock of the run").start()

    def release(self) -> None:
        """Give it back; nothing where this process does not hold it."""
        file, self._file = self._file, None
        if file is None or self._process != os.getpid():  # a forked worker has the object, not the lock
            return
        self._released.set()
        with suppress(OSError):
            file.unlink(missing_ok=True)
            self._held.release()
            file.with_suffix(".alive").unlink(missing_ok=True)

    def _refuse(self) -> None:
        """Raise for an owner that lives; clear away those that do not."""
        for file, owner in self._owners():
            if not self._lives(file, owner):
                logger.warning("%s: the lock of a run that has ended (%s) is taken over", self.about, owner)
                for each in (file, file.with_suffix(".alive")):
                    each.unlink(missing_ok=True)
            else:
                raise HeldError(
                    f"{self.about} is being written to by another run: {owner} ({owner.what}). Two runs would mix "
                    "their files. Wait for its end, or write elsewhere with `--params=data_root=/another/folder`. "
                    f"If that run is certainly dead, remove {file}"
                )

    def _owners(self) -> Iterator[tuple[Path, Owner]]:
        for file in sorted(self.folder.glob("*.json")):
            try:
                yield file, Owner(**json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):  # damaged: whether its owner lives can still be asked
                yield file, Owner("somebody", {}, file.stat().st_mtime if file.exists() else 0.0, "unknown")

    def _lives(self, file: Path, owner: Owner) -> bool:
        """Whether the owner's process is there: by its lock, and where that does not reach, by its beat."""
        from filelock import FileLock, Timeout

        alive = FileLock(file.with_suffix(".alive"))
        try:
            alive.acquire(timeout=0)
        except Timeout:
            return True
        alive.release()
        mine = process_facts()["process.host"]
        if owner.process.get("process.host") == mine or is_dead(owner.process):
            return False
        now = self.folder / "guard.now"  # by the clock of the file system, which all machines share
        now.touch()
        return file.exists() and now.stat().st_mtime - file.stat().st_mtime < SILENT_SECONDS

    def _beat(self, file: Path) -> None:
        while not self._released.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(file)


@contextmanager
def guarded(file: Path, passing: bool = False) -> Iterator[None]:
    """A short critical section among processes: what is read in the block is what is written at its end.

    Args:
        file: that is locked meanwhile, made where it is missing.
        passing: whether it goes afterwards. Who waits for it meanwhile, and then holds a file without a name, tries
            again with a new one: filelock looks for that.

    Yields:
        Nothing.

    Raises:
        HeldError: another process is in the section for a minute.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(file)
    try:
        lock.acquire(timeout=GUARD_SECONDS)
    except Timeout as error:
        raise HeldError(f"{file} is held by another process for {GUARD_SECONDS:.0f} s; try again") from error
    try:
        yield
    finally:
        if passing:
            with suppress(OSError):  # an open file keeps its name on Windows
                file.unlink()
        lock.release()


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A file beside another one, which takes its place at the end; a failure leaves the old one.

    Args:
        file: in a folder that is there.

    Yields:
        Where to write.
    """
    new = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        yield new
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def write_whole(file: Path, text: str) -> None:
    """Write a file so that who reads meanwhile, or is killed meanwhile, has the old one or the new one.

    Args:
        file: in a folder that is there.
        text: its new content.
    """
    new = file.with_name(f".{file.name}.{os.getpid()}.{uuid4().hex[:8]}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="")
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
