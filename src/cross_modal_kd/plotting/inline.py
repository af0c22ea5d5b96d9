"""Plots on a page: drawings in its own text, which take their colours from the page and so follow its dark mode."""

import colorsys
import io
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

PAPER = "#ffffff"
DARK_PAPER = "#1c2228"  # a card of the page by night
LOWEST, SPAN = 0.133, 0.82  # lightness by night: that of the paper, and from there to the brightest ink
CALM = 0.6  # of the saturation: what is light glares
VARIABLE = "--plot-"

_HEX = re.compile(r"#[0-9a-f]{6}\b")
_REFERENCE = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_GROUP_NAME = re.compile(r'<g id="[^"]*"')


def inline_svg(figure: Figure, name: str) -> str:
    """The figure as an element of an HTML page: its size is the page's, its colours are variables of the page.

    Words are drawn as outlines: the element holds no text, asks for no font and opens no address. A page reader passes
    over it; its heading and caption are the page's.

    Args:
        figure: Is not changed.
        name: Of the plot, unlike that of any other on the page; of letters and digits.

    Returns:
        One ``<svg>`` element. A colour ``#0072b2`` is ``var(--plot-0072b2)``, which ``plot_colours`` defines.
    """
    buffer = io.StringIO()
    about = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", facecolor="none", metadata=about)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    head, body = text.split(">", 1)
    size = re.search(r'viewBox="[^"]*"', head)
    box = size.group() if size else ""
    body = _REFERENCE.sub(rf"\1{name}-", _GROUP_NAME.sub("<g", body)).replace("xlink:href", "href")
    body = re.sub(r"\n\s*", "\n", body)
    return f'<svg {box} aria-hidden="true">' + _HEX.sub(lambda found: f"var({VARIABLE}{found.group()[1:]})", body)


def plot_colours(drawings: list[str]) -> tuple[str, str]:
    """What the colours of drawings are by day and by night, as CSS.

    Args:
        drawings: Of ``inline_svg``.

    Returns:
        Definitions of every colour that they name, for a light page and for a dark one.
    """
    used = sorted({name for each in drawings for name in re.findall(rf"{VARIABLE}([0-9a-f]{{6}})", each)})
    day = " ".join(f"{VARIABLE}{name}: #{name};" for name in used)
    night = " ".join(f"{VARIABLE}{name}: {dark(f'#{name}')};" for name in used)
    return day, night


def page_style(drawings: list[str]) -> str:
    """The style of this project's pages, for a ``<style>`` element: light and dark, wide and on a phone.

    Args:
        drawings: Of ``inline_svg``, that the page shows; their colours are defined in it.

    Returns:
        CSS that asks for no font and opens no address.
    """
    day, night = plot_colours(drawings)
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return text.replace("/* day */", day).replace("/* night */", night)


def dark(colour: str) -> str:
    """A colour by night: the same hue, light where it was dark.

    Args:
        colour: ``#rrggbb``.

    Returns:
        The same form; the paper is that of a dark page.

    >>> dark("#ffffff"), dark("#000000"), dark("#0072b2")
    ('#1c2228', '#f3f3f3', '#77b8dd')
    """
    if colour == PAPER:
        return DARK_PAPER
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    shown = colorsys.hls_to_rgb(hue, LOWEST + SPAN * (1 - lightness), CALM * saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in shown)
