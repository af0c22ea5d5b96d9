"""How plots look: one palette (Okabe and Ito's, told apart by colour-blind readers), little ink, 700 px wide."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

ALONE, DISTILLED, TEACHER = "#8b929c", "#0072b2", "#009e73"
IMPOSTOR, INK, FAINT = "#d55e00", "#2b3138", "#d9dde2"
ARMS = {"student_alone": ("student alone", ALONE), "distilled": ("distilled", DISTILLED)}

WIDTH = 6.4
ROOM = {3: 30, 2: 50}  # columns of a legend as wide as a figure, and how many characters each holds


def new_figure(rows: int = 1, columns: int = 1, height: float = 3.9, **options: Any) -> tuple[Figure, Any]:
    """A white figure of the report's width and its axes.

    Args:
        rows: Of axes.
        columns: Of axes.
        height: In inches.
        options: Of matplotlib's ``subplots``, such as ``sharey``.

    Returns:
        The figure, and its axes: one, or an array (rows, columns) as matplotlib squeezes it.
    """
    figure = Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08), facecolor="white")
    axes = figure.subplots(rows, columns, **options)
    for axis in figure.axes:
        quiet(axis)
    return figure, axes


def quiet(axis: Axes) -> Axes:
    """Take away what carries no information.

    Args:
        axis: Is changed.

    Returns:
        The same axis.
    """
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(FAINT)
    axis.tick_params(colors=INK, labelsize=8.5, length=3, color=FAINT)
    axis.grid(color=FAINT, linewidth=0.6, alpha=0.7)
    axis.set_axisbelow(True)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set(color=INK, fontsize=9.5)
    return axis


def title(axis: Axes, text: str) -> None:
    """A title on the left, in the text's weight.

    Args:
        axis: Is changed.
        text: One line.
    """
    axis.set_title(text, loc="left", fontsize=10, color=INK, fontweight="bold", pad=8)


def legend(axis: Axes, **options: Any) -> None:
    """A legend without a frame, if there is anything to name.

    Args:
        axis: Is changed.
        options: Of matplotlib's ``legend``, over those of the house.
    """
    if axis.get_legend_handles_labels()[0]:
        axis.legend(**({"frameon": False, "fontsize": 8.5, "labelcolor": INK} | options))


def legend_below(figure: Figure, axis: Axes, most: int = 3) -> None:
    """The names of an axis below the whole figure, as many beside one another as its width has room for.

    Args:
        figure: Is changed.
        axis: Whose names they are.
        most: Columns, at most.
    """
    handles, labels = axis.get_legend_handles_labels()
    longest = max(map(len, labels), default=0)
    columns = min(most, next((fit for fit, length in ROOM.items() if longest <= length), 1))
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=8)


def say(axis: Axes, text: str) -> None:
    """Words where there is nothing to draw.

    Args:
        axis: Is changed.
        text: Stands in its middle.
    """
    axis.axis("off")
    axis.text(0.5, 0.5, text, ha="center", va="center", color=INK, fontsize=9.5, wrap=True, transform=axis.transAxes)


def rename(figure: Figure, old: str, new: str) -> None:
    """Another name for what a figure shows, in its legends, ticks and titles.

    Args:
        figure: Is changed.
        old: As it is drawn.
        new: In its place.
    """
    for text in figure.findobj(Text):
        if isinstance(text, Text) and old in text.get_text():
            text.set_text(text.get_text().replace(old, new))


def remark(figure: Figure, text: str, colour: str = IMPOSTOR) -> None:
    """A line above everything, for what must be known wherever the figure is shown.

    Args:
        figure: Is changed.
        text: One line.
        colour: Of the line.
    """
    figure.suptitle(text, x=0.01, ha="left", fontsize=8.5, color=colour)
