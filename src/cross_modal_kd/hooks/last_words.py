"""What a run ends with on the console: the result in a sentence, its pages, and where it is tracked."""

import logging
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.tracking import current_run, shown_by

logger = logging.getLogger(__name__)

METRICS = "metrics"
TRAINED, PACKAGED = "distilled.student", "distilled.packaged"
SERVER = "http"
# output: (dataset whose place is said, what is said of it)
AT_WORK = {
    PACKAGED: (
        PACKAGED,
        "student: {place}; `cross-modal-kd predict FILES --student={place}` asks it",
    ),
    "distilled.export_report": (
        "distilled.exported",
        "exported: {place}; `python {place}/run_student.py FILES` needs nothing of this project",
    ),
    "predictions": ("predictions", "predictions: {place}"),
}


class LastWordsHook:
    """Says it after the last node, while the run is still open in MLflow."""

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Log a line each.

        Args:
            pipeline: that ran.
            catalog: in which its results lie.
        """
        for line in (
            *_headline(pipeline, catalog),
            *_pages(pipeline, catalog),
            *_at_work(pipeline, catalog),
            *_tracked(),
        ):
            logger.info(line)
        for line in _outdated(pipeline, catalog):
            logger.warning(line)


def _headline(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """The sentence of the report."""
    if METRICS not in pipeline.all_outputs() or not catalog.exists(METRICS):
        return
    from cross_modal_kd.evaluation import verdict

    yield f"result: {verdict(catalog.load(METRICS)).sentences}"


def _pages(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """The pages that were written; a browser opens them."""
    for name in sorted(pipeline.all_outputs()):
        dataset: Any = catalog.get(name) if name in catalog else None
        path = getattr(dataset, "_filepath", None)
        if path is not None and Path(path).suffix == ".html" and Path(path).is_file():
            yield f"{name.replace('_', ' ')}: {_short(Path(path))}"


def _at_work(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """Where the student lies that can be put to use, and by which command; and what it said of files."""
    for output, (name, words) in AT_WORK.items():
        dataset: Any = catalog.get(name) if output in pipeline.all_outputs() and name in catalog else None
        place = getattr(dataset, "_filepath", None)
        if place is not None and Path(place).exists():
            yield words.format(place=shlex.quote(str(_short(Path(place)))))


def _outdated(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """What is of another student than the one that was trained last, of what this run has to do with.

    Of a run that trains, measures or packages a student that is what is packaged and what is exported; of one that asks
    the packaged student, that alone.
    """
    from cross_modal_kd.student import beside_trained

    trained: Any = catalog.get(TRAINED) if TRAINED in catalog else None
    place = getattr(trained, "_filepath", None)
    if place is None or not {TRAINED, PACKAGED} & pipeline.datasets():
        return
    asked = TRAINED not in pipeline.datasets() and PACKAGED not in pipeline.all_outputs()
    old = [each for each in beside_trained(Path(place)) if not asked or each.name == PACKAGED.partition(".")[2]]
    if old:
        names = " and ".join(str(_short(each)) for each in old)
        yield (
            f"{names} {'is' if len(old) == 1 else 'are'} outdated{', and this run asked it' if asked else ''}: another "
            f"student, {_short(Path(place))}, lies there now. `kedro run --pipelines=evaluation,deployment`, "
            f"with the same --env and --params, makes {'it' if len(old) == 1 else 'them'} anew, of that one"
        )


def _tracked() -> Iterator[str]:
    run = current_run()
    if run is not None:
        uri = run.tracking_uri
        how = "" if uri.startswith(SERVER) else f"; see {shown_by(uri)}"
        yield f"MLflow: run {run.run_id} at {uri}{how}"


def _short(path: Path) -> Path:
    """From the current folder, where it lies below it."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
