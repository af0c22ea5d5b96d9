"""The results as pages; a thin node over the files beside this one."""

import logging
from pathlib import Path

from cross_modal_kd.config import EvaluationConfig, TaskConfig
from cross_modal_kd.studies.results.config import ResultsConfig

logger = logging.getLogger(__name__)


def write_results(folder: Path, task: TaskConfig, evaluation: EvaluationConfig, results: ResultsConfig) -> None:
    """``results/<task>.md``, its tables and plots beside it in ``results/<task>/``, and ``RESULTS.md``.

    Args:
        folder: of what was reported of the task.
        task: its name is that of the page.
        evaluation: ``folds``, which a study of the test split alone has not.
        results: where the pages go, what stands over them, and how large a plot may be.
    """
    from cross_modal_kd.studies.results.index import index_page
    from cross_modal_kd.studies.results.kept import keep, refuse_loss
    from cross_modal_kd.studies.results.page import task_page
    from cross_modal_kd.studies.results.sections import read_sections

    note = " ".join(filter(None, (task.note, results.note)))
    task = task.model_copy(update={"title": results.title or task.title, "note": note})
    docs = Path(results.docs_root)
    pages = docs / "results"
    page, kept = pages / f"{task.name}.md", pages / task.name
    reported = read_sections(folder)
    keep(reported, folder, kept, results.image_kb * 1000)
    sections = read_sections(kept)
    text = task_page(task, results, kept, sections, docs / "findings" / f"{task.name}.md", evaluation.folds)
    refuse_loss(page, text, folder, kept)
    pages.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    (docs / "RESULTS.md").write_text(index_page(pages, results.default_task, docs / "findings"), encoding="utf-8")
    anew = [section.kind.name for section in reported if section.files]
    rest = [section.kind.name for section in sections if section.files and section.kind.name not in anew]
    logger.info("from %s: %s; as kept in %s: %s", folder, _listed(anew), kept, _listed(rest))
    logger.info("written: %s and %s", page, docs / "RESULTS.md")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
