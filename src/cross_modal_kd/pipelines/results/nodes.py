"""The results as pages; a thin node over the files beside this one."""

import logging
from pathlib import Path

from cross_modal_kd.config.results import ResultsConfig
from cross_modal_kd.config.task import TaskConfig

logger = logging.getLogger(__name__)


def write_results(reporting_folder: Path, task: TaskConfig, results: ResultsConfig) -> None:
    """``results/<task>.md`` with its pictures, and ``RESULTS.md``, below ``results.docs_root``."""
    from cross_modal_kd.pipelines.results.images import copy_images
    from cross_modal_kd.pipelines.results.index import index_page
    from cross_modal_kd.pipelines.results.page import task_page
    from cross_modal_kd.pipelines.results.sections import read_sections

    docs = Path(results.docs_root)
    pages = docs / "results"
    sections = read_sections(reporting_folder)
    pictures = [picture for section in sections if section.files for picture in section.pictures]
    images = copy_images(pictures, reporting_folder, pages / "img" / task.name, results.image_kb * 1000)
    page = task_page(task, results, reporting_folder, sections, images, docs / "findings" / f"{task.name}.md")
    pages.mkdir(parents=True, exist_ok=True)
    (pages / f"{task.name}.md").write_text(page, encoding="utf-8")
    (docs / "RESULTS.md").write_text(index_page(pages, results.default_task), encoding="utf-8")
    logger.info("written: %s and %s", pages / f"{task.name}.md", docs / "RESULTS.md")
