"""A run holds its task's artifacts from before the first node to its end, whatever the end is.

The lock is a folder beside the layers, ``<data_root>/.locks/<task>``. A pipeline that only reads (``results``) needs
none. What the run has saved, it must find unchanged when it loads it.
"""

import atexit
import errno
import glob
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.cell import at_end_of_cell
from cross_modal_kd.hooks.provenance import FOLDER
from cross_modal_kd.storage import Lock, clear_leftovers
from cross_modal_kd.tracking import command

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"


class OneWriterHook:
    """Takes the lock before anything is written, and gives it back at every end."""

    def __init__(self) -> None:
        self._lock: Lock | None = None
        self._catalog: CatalogProtocol | None = None
        self._saved: dict[str, list[tuple[str, int, int, int]]] = {}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Take the lock, where the pipeline writes.

        Args:
            run_params: what Kedro says about the run.
            pipeline: that runs.
            catalog: in which its datasets are looked up.
        """
        self.release()  # of a session of this process that was interrupted
        self._catalog, self._saved = catalog, {}
        reporting = _path(catalog, FOLDER)
        if reporting is None or not writes(pipeline, catalog):
            return
        reporting = reporting.resolve()
        root, task = reporting.parent.parent, reporting.name
        lock = Lock(root / ".locks" / task, f"the task {task!r} in {root}")
        lock.acquire(command(run_params))
        self._lock = lock
        atexit.register(self.release)
        at_end_of_cell(self.release)
        if cleared := sum(map(clear_leftovers, root.glob(f"*/{glob.escape(task)}"))):
            logger.info("%d half-written files of runs that were killed are cleared away", cleared)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note what the files of a dataset are when this run has saved them.

        Args:
            dataset_name: as the catalog has it.
        """
        path = _path(self._catalog, dataset_name)
        if path is not None:
            self._saved[dataset_name] = signature(path)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Refuse files that are not those that this run has saved.

        Args:
            dataset_name: as the catalog has it.

        Raises:
            RuntimeError: something else has written to them since, or taken them away.
        """
        path, saved = _path(self._catalog, dataset_name), self._saved.get(dataset_name)
        if path is None or not saved or (found := signature(path)) == saved:
            return
        if not found:
            raise RuntimeError(
                f"{path} is gone, which this run has saved as {dataset_name!r}: it, or a folder above it, was removed "
                "or renamed meanwhile. Put it back, or run the same command again"
            )
        raise RuntimeError(
            f"{path} is not what this run has saved as {dataset_name!r}: something else wrote to it meanwhile. "
            "Let one program at a time write to this folder, and run again"
        )

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        """Forget the trainings that were kept for the case that this run is interrupted, and give the lock back.

        Args:
            pipeline: that ran.
        """
        checkpoints = _path(self._catalog, CHECKPOINTS) if CHECKPOINTS in pipeline.inputs() else None
        if checkpoints is not None:
            from cross_modal_kd.training import forget_finished

            forget_finished(checkpoints)
        self.release()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Give the lock back."""
        self.release()

    def release(self) -> None:
        """Give the lock back, where it is held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
            atexit.unregister(self.release)


def writes(pipeline: Pipeline, catalog: CatalogProtocol) -> bool:
    """Whether a pipeline writes to the task's artifacts.

    Args:
        pipeline: whose outputs, and inputs that are folders to work in, count.
        catalog: in which they are looked up; a folder is none to work in where its entry says ``read_only: true``.

    Returns:
        False where all outputs stay in memory and no folder is worked in.
    """
    folders = (name for name in pipeline.inputs() if getattr(_dataset(catalog, name), "read_only", None) is False)
    return any(True for _ in folders) or any(_path(catalog, name) is not None for name in pipeline.all_outputs())


def require_root(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Make sure that a run can write where it is to, before it does anything.

    Args:
        pipeline: one that only reads needs no such folder.
        catalog: in which its datasets are looked up.

    Raises:
        ConfigError: ``data_root`` lies below a file, or where no folder can be made.
    """
    reporting = _path(catalog, FOLDER)
    if reporting is None or not writes(pipeline, catalog):
        return
    root = reporting.resolve().parent.parent
    there = next(each for each in (root, *root.parents) if each.exists())
    said = f"data_root (of --params, or of globals.yml) is {root}: expected a folder that can be written to"
    if not there.is_dir():
        raise ConfigError(f"{said}, found the file {there}; name another, `--params=data_root=/another/folder`")
    try:
        with TemporaryDirectory(prefix=".", dir=there):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # of which the lock tells
            raise ConfigError(
                f"{said}, and in {there} nothing can be made ({error.strerror}); name a folder of your own, "
                "`--params=data_root=/another/folder`"
            ) from error


def signature(path: Path) -> list[tuple[str, int, int, int]]:
    """What tells files from those of another write, without reading them.

    Args:
        path: a file, or a folder of files.

    Returns:
        (name, inode, size, time of the last change) of each, sorted; none where nothing is there.
    """
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return [(name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def _dataset(catalog: CatalogProtocol | None, name: str) -> Any:
    return catalog.get(name) if catalog is not None and not name.startswith("param") and name in catalog else None


def _path(catalog: CatalogProtocol | None, name: str) -> Path | None:
    path = getattr(_dataset(catalog, name), "_filepath", None)
    return None if path is None else Path(path)
