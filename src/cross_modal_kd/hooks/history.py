"""What a run made is kept when the next one of its task writes over it: models and reports, of the last few runs.

A copy, ``<data_root>/.history/<task>/<session>.<pipeline>/``, has the layers as ``<data_root>`` has them, so that
``cp -r <copy>/. <data_root>/`` brings a run back. The session's name is the tag ``kedro.session`` in MLflow.
"""

import glob
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.hooks.lineage import NOTES, note_of
from cross_modal_kd.hooks.provenance import FILE, FOLDER
from cross_modal_kd.storage import SUMS, replaced

logger = logging.getLogger(__name__)

HISTORY = ".history"
KEEP = 5
LAYERS = ("06_models", "08_reporting")


class HistoryHook:
    """Keeps a copy at the end of a run that went well, while the run still holds the task's lock."""

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Keep what is there already where nothing is kept yet: it is of a time before copies were made.

        Args:
            pipeline: that is about to write over it.
            catalog: in which its outputs are looked up.
        """
        self._keep("0-before", pipeline, catalog, only_first=True)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Copy what the run has made, and forget what is older than the last ``KEEP`` runs of the same pipeline.

        A disk without room for it ends no run: it is warned of.

        Args:
            run_params: what Kedro says about the run: its session.
            pipeline: whose outputs are kept, where they lie in ``LAYERS``.
            catalog: in which they are looked up.
        """
        names = run_params.get("pipeline_names") or ["distill"]
        self._keep(f"{run_params['run_id']}.{'+'.join(sorted(names))}", pipeline, catalog)

    def _keep(self, session: str, pipeline: Pipeline, catalog: CatalogProtocol, only_first: bool = False) -> None:
        reporting = getattr(catalog.get(FOLDER), "_filepath", None) if FOLDER in catalog else None
        if reporting is None:
            return
        root, task = Path(reporting).resolve().parents[1], Path(reporting).name
        found = {name: path for name, path in _made(pipeline, catalog) if path.is_relative_to(root)}
        made = {name: path for name, path in found.items() if path.relative_to(root).parts[0] in LAYERS}
        if not made:
            return
        history = root / HISTORY / task
        if only_first and history.exists():
            return
        try:
            with replaced(history / session) as new:
                folder = Path(reporting).resolve()
                notes = [note_of(folder / NOTES, name) for name in made]  # what is not brought back keeps its own
                for path in (*made.values(), folder / FILE, *notes):
                    _copy(path, new / path.relative_to(root))
            (history / session / SUMS).unlink(missing_ok=True)  # of a copy, nothing is loaded
            for old in sorted(history.glob(f"[0-9]*.{glob.escape(session.rpartition('.')[2])}"))[:-KEEP]:
                shutil.rmtree(old)
        except OSError as error:
            logger.warning("what this run made is not kept in %s for later (%s)", history, error)


def _made(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[tuple[str, Path]]:
    for name in sorted(pipeline.all_outputs()):
        path = getattr(catalog.get(name) if name in catalog else None, "_filepath", None)
        if path is not None and Path(path).exists():
            yield name, Path(path).resolve()


def _copy(path: Path, to: Path) -> None:
    """A file or a folder. Copies, not second names of one file: who brings a run back writes over them."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, to)
    elif path.is_file():
        shutil.copy2(path, to)
