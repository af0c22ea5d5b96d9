"""A comparison of runs as one page that needs nothing beside it."""

from datetime import date
from pathlib import Path

from cross_modal_kd.plotting import inline_svg, page_style
from cross_modal_kd.runs.differences import Comparison
from cross_modal_kd.runs.metric_rows import MetricRow, main_metric
from cross_modal_kd.runs.plot import metric_plot

TEMPLATE = "compare.html.jinja"


def compare_page(comparison: Comparison, command: str) -> str:
    """The page as HTML with everything inside it; all values are escaped.

    Args:
        comparison: of two or more runs.
        command: that makes the page again.

    Returns:
        One HTML document, for light and dark, wide and narrow screens; it opens no address.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    metric = main_metric(comparison.runs)
    plot = inline_svg(metric_plot(comparison.runs, comparison.letters, metric), "runs") if metric else ""
    return environment.get_template(TEMPLATE).render(
        found=comparison,
        style=page_style([plot]),
        plot=plot,
        parts=_parts(comparison.metrics),
        command=command,
        today=date.today().isoformat(),
    )


def _parts(rows: tuple[MetricRow, ...]) -> dict[str, list[MetricRow]]:
    found: dict[str, list[MetricRow]] = {}
    for row in rows:
        found.setdefault(row.part, []).append(row)
    return found
