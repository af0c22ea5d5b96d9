"""docs/RESULTS.md: what to do in which regime, how to read the pages, and every task's headline."""

from pathlib import Path

from cross_modal_kd.studies.results.findings import filled_from_all
from cross_modal_kd.studies.results.page import HEADLINE
from cross_modal_kd.studies.results.sections import read_sections

LEAD = "RESULTS.md"
TITLE = """\
<!-- Written by `kedro run --pipeline=results`. Change the data, or docs/findings, not this page. -->

# Results
"""
GUIDE = """\
## How to read these pages

One page a task, written from what the pipelines report: no number is typed by hand. `kedro run --pipeline=results`
(with `--env` for another task) writes the page of one task, and this index again.

- Errors, accuracies and reductions are in percent, differences in points: `8.4 [8.0, 8.9]` is a value with its
  interval, of 95 % where the parameters say nothing else.
- Intervals resample concepts, speakers or groups, never trials, and differences are paired: both arms are measured on
  the same resamples. An interval that includes zero shows no difference. What other training seeds would do they do not
  tell, but where they are called over concepts and seeds; the deviation over seeds stands beside them.
- A relative reduction of 10 says that a tenth of the student's errors is gone. An arm that loses is listed too.
- Under every table stands its command, with seeds, machine, date and commit. What was not run is listed at the end.
  The tables themselves, every column and digit, lie in `results/<task>/`.
- The quotation above a table says what limits it. The method is our own reading and the data is small: these numbers
  are not to be set beside any that are published for other data.
"""


def index_page(pages: Path, default_task: str, findings: Path) -> str:
    """The lead, the guide, then every page's title and headline, the default task first.

    Args:
        pages: folder of the tasks' pages, ``<task>.md``.
        default_task: name of the task of conf/base.
        findings: folder of the texts; ``RESULTS.md`` there leads, filled from the tables kept beside the pages. Where
            it is missing, the guide leads.

    Returns:
        Markdown for the folder above ``pages``; its links begin with ``results/``.

    Raises:
        FindingsError: the lead looks up what is not there.
        ValueError: a page has no headline between its marks.
    """
    files = sorted(pages.glob("*.md"), key=lambda file: (file.stem != default_task, file.stem))
    blocks = [TITLE, _lead(findings / LEAD, pages, files), GUIDE, *(f"{_entry(file)}\n" for file in files)]
    return "\n".join(block for block in blocks if block)


def _lead(file: Path, pages: Path, written: list[Path]) -> str:
    if not file.is_file():
        return ""
    tasks = {page.stem: read_sections(pages / page.stem) for page in written}
    return filled_from_all(file.read_text(encoding="utf-8").strip(), tasks, file.as_posix()) + "\n"


def _entry(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), file.stem)
    start, end = (text.find(mark) for mark in HEADLINE)
    if start < 0 or end < start:
        raise ValueError(f"{file} has no headline between {HEADLINE[0]} and {HEADLINE[1]}; write it again or remove it")
    return (
        f"## {title}\n\n{text[start + len(HEADLINE[0]) : end].strip()}\n\nAll of it: [{file.stem}](results/{file.name})"
    )
