"""Where the results are written up."""

from pydantic import Field

from cross_modal_kd.config import Strict


class ResultsConfig(Strict):
    """Where the pages go.

    Attributes:
        docs_root: folder of RESULTS.md, results/<task>.md and its tables and plots in results/<task>/;
            findings/<task>.md is read from it.
        default_task: the task of conf/base, run without --env; every other is run with --env=<its name>, and the
            commands of what was not run yet say so.
        title: over the page, of an environment that asks the default task's question once more; empty: the task's own.
        note: for the same pages, what limits their numbers, after the task's own note.
        image_kb: a plot is made smaller until it takes no more.
    """

    docs_root: str = "docs"
    default_task: str = ""
    title: str = ""
    note: str = ""
    image_kb: int = Field(150, ge=5)
