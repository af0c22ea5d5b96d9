"""Draw docs/architecture.svg: the rooms of the package as boxes, what they import as arrows.

The rows are the layers of the contract in pyproject.toml, the arrows come from the imports (with grimp), the lengths
from the files: nothing is placed by hand, and the same code gives the same picture. An arrow that follows from two
others is left out of the drawing; every arrow is written into the file, so that ``--check`` can compare.

    python scripts/draw_architecture.py            draw
    python scripts/draw_architecture.py --check    1 where the imports are no longer those of the picture
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import combinations
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PACKAGE = "cross_modal_kd"
PICTURE = PROJECT / "docs" / "architecture.svg"

Arrow = tuple[str, str]

ROW, HEIGHT, GAP, PADDING, MARGIN, CHARACTER = 92, 46, 26, 14, 24, 7.4  # px
PARTS = ("pipelines", "studies", "modalities", "tasks")  # the rooms whose folders are named in their box
STYLE = """
  svg { --ground: #ffffff; --ink: #1f2933; --quiet: #66727f; --box: #f3f5f8; --edge: #b8c1cc; --kedro: #0072b2;
        --mlflow: #b4530a; --arrow: #8793a1 }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #14181d; --ink: #e8ecf1; --quiet: #a0abb8; --box: #212830; --edge: #4a5663; --kedro: #58b4f0;
          --mlflow: #f0a45d; --arrow: #75818f }
  }
  .ground { fill: var(--ground) }
  .box { fill: var(--box); stroke: var(--edge); stroke-width: 1.2 }
  .box.kedro { stroke: var(--kedro); stroke-width: 2 }
  .box.mlflow { stroke: var(--mlflow); stroke-width: 2 }
  .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.3 }
  .head { fill: var(--arrow) }
  text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; text-anchor: middle; fill: var(--quiet);
         font-size: 11.5px }
  text.name { fill: var(--ink); font-size: 14px; font-weight: 600 }
  text.left { text-anchor: start }
"""


# -- what there is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class House:
    """The rooms in rows from top to bottom, the arrows between them, and what a box says about a room."""

    rows: list[list[str]]
    arrows: set[Arrow]
    texts: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


def read_house(project: Path = PROJECT) -> House:
    """The house as contracts, imports and files have it; rooms that nothing joins to another are left out.

    Raises:
        ValueError: for an arrow that goes up or sideways, which the contract forbids.
    """
    contracts = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(each["layers"] for each in contracts["contracts"] if each.get("containers") == [PACKAGE])
    arrows = find_arrows()
    joined = {room for arrow in arrows for room in arrow}
    rows = [[room for room in re.split(r"\W+", layer) if room in joined] for layer in layers]
    source = project / "src" / PACKAGE
    texts = {room: room_text(source, room) for row in rows for room in row}
    kinds = {room: kind for kind in ("mlflow", "kedro") for room in importers(contracts["contracts"], kind)}
    return check_direction(House([row for row in rows if row], arrows, texts, kinds))


def find_arrows() -> set[Arrow]:
    """(importer, imported) for every two rooms of the package with an import between them."""
    import grimp

    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    pairs = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if importer != PACKAGE and imported != PACKAGE
    }
    return {(importer, imported) for importer, imported in pairs if importer != imported}


def importers(contracts: Iterable[Mapping], library: str) -> list[str]:
    """The rooms that a contract lets import a library."""
    allowed = next(each["allowed_importers"] for each in contracts if each.get("protected_modules") == [library])
    return [module.removeprefix(f"{PACKAGE}.") for module in allowed]


def room_text(source: Path, room: str) -> str:
    """A room's length to two digits, so that it stays true for a while, and for some rooms their parts."""
    files = list((source / room).rglob("*.py")) or [source / f"{room}.py"]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    parts = sorted(file.parent.name for file in (source / room).glob("*/__init__.py")) if room in PARTS else []
    about = f"{float(f'{lines:.1e}'):,.0f} lines"
    return ": ".join([about, *([" · ".join(parts)] if parts else [])])


def check_direction(house: House) -> House:
    """The house, if every arrow goes down."""
    row_of = {room: index for index, row in enumerate(house.rows) for room in row}
    wrong = sorted(arrow for arrow in house.arrows if row_of[arrow[0]] >= row_of[arrow[1]])
    if wrong:
        raise ValueError(f"these arrows do not go down, see `make contracts`: {wrong}")
    return house


def reduce_arrows(arrows: set[Arrow]) -> list[Arrow]:
    """The arrows that do not follow from others: a -> c goes where there are a -> b and b -> ... -> c.

    >>> reduce_arrows({("a", "b"), ("b", "c"), ("a", "c")})
    [('a', 'b'), ('b', 'c')]
    """
    below: dict[str, set[str]] = {}
    for importer, imported in arrows:
        below.setdefault(importer, set()).add(imported)

    def reached(room: str) -> set[str]:
        return below.get(room, set()).union(*(reached(each) for each in below.get(room, set())))

    return sorted(
        (importer, imported)
        for importer, imported in arrows
        if not any(imported in reached(other) for other in below[importer] - {imported})
    )


# -- where it goes ---------------------------------------------------------------------------------------------------


@dataclass
class Layout:
    """A box or a bend for every point, by row; an arrow is a chain of points, one a row."""

    rows: list[list[str]]
    chains: list[list[str]]
    widths: dict[str, float]
    x: dict[str, float] = field(default_factory=dict)

    def neighbours(self) -> dict[str, list[str]]:
        """The points that a point is joined to, above and below."""
        found: dict[str, list[str]] = {}
        for chain in self.chains:
            for upper, lower in zip(chain, chain[1:], strict=False):
                found.setdefault(upper, []).append(lower)
                found.setdefault(lower, []).append(upper)
        return found

    def gaps(self, row: Sequence[str]) -> list[float]:
        """The distances that the middles of a row's points keep from the left neighbour's."""
        return [0.0, *((self.widths[a] + self.widths[b]) / 2 + GAP for a, b in zip(row, row[1:], strict=False))]


def lay_out(house: House) -> Layout:
    """Sugiyama's layers: bends in the rows that an arrow passes, rows sorted, then x."""
    row_of = {room: index for index, row in enumerate(house.rows) for room in row}
    rows = [list(row) for row in house.rows]
    chains = []
    for importer, imported in reduce_arrows(house.arrows):
        bends = [f"{importer}>{imported}@{index}" for index in range(row_of[importer] + 1, row_of[imported])]
        for index, bend in enumerate(bends, row_of[importer] + 1):
            rows[index].append(bend)
        chains.append([importer, *bends, imported])
    widths = {room: box_width(room, house.texts.get(room, "")) for row in house.rows for room in row}
    layout = Layout(rows, chains, {point: widths.get(point, 8.0) for row in rows for point in row})
    sort_rows(layout)
    place_points(layout)
    return layout


def box_width(room: str, text: str) -> float:
    """Room for both lines of a box, in px."""
    return round(max(len(room) * 8.8, len(text) * CHARACTER * 0.86) + 2 * PADDING)


def sort_rows(layout: Layout, sweeps: int = 12) -> None:
    """Few crossings: rows sorted by the means of their neighbours' places, then neighbours exchanged where it helps."""
    joined, best = layout.neighbours(), [list(row) for row in layout.rows]
    for sweep in range(sweeps):
        for row in layout.rows[:: 1 if sweep % 2 == 0 else -1]:
            place = {point: index for each in layout.rows for index, point in enumerate(each)}
            row.sort(key=lambda point, place=place: pulled(point, joined[point], place))
        if crossings(layout.rows, layout.chains) < crossings(best, layout.chains):
            best = [list(row) for row in layout.rows]
    layout.rows[:] = best
    while any(exchange(layout, row, index) for row in layout.rows for index in range(len(row) - 1)):
        pass


def exchange(layout: Layout, row: list[str], index: int) -> bool:
    """Exchange two neighbours if fewer arrows cross then; whether it was so."""
    before = crossings(layout.rows, layout.chains)
    row[index], row[index + 1] = row[index + 1], row[index]
    if crossings(layout.rows, layout.chains) < before:
        return True
    row[index], row[index + 1] = row[index + 1], row[index]
    return False


def crossings(rows: Sequence[Sequence[str]], chains: Sequence[Sequence[str]]) -> int:
    """How many pairs of arrows cross.

    >>> crossings([["a", "b"], ["c", "d"]], [["a", "d"], ["b", "c"]])
    1
    """
    place = {point: (level, index) for level, row in enumerate(rows) for index, point in enumerate(row)}
    levels: dict[int, list[tuple[int, int]]] = {}
    for chain in chains:
        for upper, lower in zip(chain, chain[1:], strict=False):
            levels.setdefault(place[upper][0], []).append((place[upper][1], place[lower][1]))
    pairs = [pair for steps in levels.values() for pair in combinations(steps, 2)]
    return sum((one[0] - two[0]) * (one[1] - two[1]) < 0 for one, two in pairs)


def place_points(layout: Layout, sweeps: int = 200) -> None:
    """x by least squares, with the boxes kept apart; long arrows pull harder, so that they go straight."""
    joined = layout.neighbours()
    for row in layout.rows:
        layout.x |= dict(zip(row, separated([0.0] * len(row), layout.gaps(row), [1.0] * len(row)), strict=True))
    for sweep in range(sweeps):
        for row in layout.rows[:: 1 if sweep % 2 == 0 else -1]:
            wanted = [pulled(point, joined[point], layout.x) for point in row]
            weights = [8.0 if is_bend(point) else 1.0 for point in row]
            layout.x |= dict(zip(row, separated(wanted, layout.gaps(row), weights), strict=True))
    left = min(layout.x[point] - layout.widths[point] / 2 for point in layout.x)
    layout.x = {point: x - left + MARGIN for point, x in layout.x.items()}


def is_bend(point: str) -> bool:
    """Whether an arrow passes there, and no box stands."""
    return ">" in point


def pulled(point: str, others: Sequence[str], x: Mapping[str, float]) -> float:
    """Where its neighbours draw a point: their mean, in which a bend of the same arrow counts eight times."""
    weights = [8.0 if is_bend(point) and is_bend(other) else 2.0 if is_bend(other) else 1.0 for other in others]
    return sum(weight * x[other] for weight, other in zip(weights, others, strict=True)) / sum(weights)


def separated(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (weighted squares) whose neighbours keep their gaps: pooled neighbours.

    >>> separated([0.0, 0.0, 10.0], [0.0, 4.0, 4.0], [1.0, 1.0, 1.0])
    [-2.0, 2.0, 10.0]
    """
    offsets = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    pools: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, offsets, weights, strict=True):
        value, size = want - offset, 1
        while pools and pools[-1][0] > value:
            other, heavy, count = pools.pop()
            value = (other * heavy + value * weight) / (heavy + weight)
            weight, size = heavy + weight, count + size
        pools.append((value, weight, size))
    flat = [value for value, _, size in pools for _ in range(size)]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]


# -- the picture -----------------------------------------------------------------------------------------------------


def draw(house: House) -> str:
    """The picture as SVG, with every arrow in its metadata."""
    layout = lay_out(house)
    width = max(layout.x[point] + layout.widths[point] / 2 for point in layout.x) + MARGIN
    height = MARGIN * 2 + ROW * (len(layout.rows) - 1) + HEIGHT + 30
    y = {point: MARGIN + ROW * index for index, row in enumerate(layout.rows) for point in row}
    boxes = [box(room, layout, y[room], house) for row in house.rows for room in row]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            f"<title>The rooms of {PACKAGE}, and which imports which</title>",
            f"<metadata>\n{arrow_lines(house.arrows)}\n</metadata>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path class="head" d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
            f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>',
            *curves(layout, y),
            *boxes,
            legend(height - MARGIN),
            "</svg>\n",
        ]
    )


def arrow_lines(arrows: Iterable[Arrow]) -> str:
    """One line a room: ``training: config losses``."""
    below: dict[str, list[str]] = {}
    for importer, imported in sorted(arrows):
        below.setdefault(importer, []).append(imported)
    return "\n".join(f"{importer}: {' '.join(imported)}" for importer, imported in below.items())


def box(room: str, layout: Layout, top: float, house: House) -> str:
    """A rectangle with a room's name, its length, and on pointing at it all that it imports."""
    width, x = layout.widths[room], layout.x[room]
    below = ", ".join(sorted(imported for importer, imported in house.arrows if importer == room)) or "no other room"
    return (
        f"<g><title>{escape(room)} imports {escape(below)}</title>"
        f'<rect class="box {house.kinds.get(room, "")}" x="{x - width / 2:.1f}" y="{top}" width="{width:.0f}" '
        f'height="{HEIGHT}" rx="7"/>'
        f'<text class="name" x="{x:.1f}" y="{top + 20}">{escape(room)}</text>'
        f'<text x="{x:.1f}" y="{top + 36}">{escape(house.texts.get(room, ""))}</text></g>'
    )


def curves(layout: Layout, y: Mapping[str, float]) -> list[str]:
    """An arrow a chain, from the lower edge of a box to the upper edge of another, steep where it passes a row."""
    starts, ends = ports(layout, end=False), ports(layout, end=True)
    paths = []
    for index, chain in enumerate(layout.chains):
        bends = [(layout.x[bend], y[bend] + HEIGHT / 2) for bend in chain[1:-1]]
        points = [(starts[index], y[chain[0]] + HEIGHT), *bends, (ends[index], y[chain[-1]] - 2)]
        paths.append(f'<path class="arrow" marker-end="url(#tip)" d="{smooth(points)}"/>')
    return paths


def smooth(points: Sequence[tuple[float, float]]) -> str:
    """A path through the points, vertical at both ends and wherever it turns round."""
    slopes = [0.0, *(slope(*three) for three in zip(points, points[1:], points[2:], strict=False)), 0.0]
    path = ["M{:.1f} {:.1f}".format(*points[0])]
    for (x, y), (to_x, to_y), out, into in zip(points, points[1:], slopes, slopes[1:], strict=False):
        reach = 0.45 * (to_y - y)
        path.append(
            f"C{x + out * reach:.1f} {y + reach:.1f} {to_x - into * reach:.1f} {to_y - reach:.1f} {to_x:.1f} {to_y:.1f}"
        )
    return " ".join(path)


def slope(before: tuple[float, float], here: tuple[float, float], after: tuple[float, float]) -> float:
    """dx/dy at a bend: little enough to pass between the boxes of a row."""
    left, right = here[0] - before[0], after[0] - here[0]
    if left * right <= 0:
        return 0.0
    steepest = min(abs(left), abs(right)) / ROW
    return (1 if left > 0 else -1) * min(steepest, 0.5)


def ports(layout: Layout, end: bool) -> dict[int, float]:
    """Where each chain leaves its first box (or meets its last): side by side, in the order of where it goes."""
    ways = [(chain[-1], chain[-2]) if end else (chain[0], chain[1]) for chain in layout.chains]
    found = {}
    for room in {room for room, _ in ways}:
        here = sorted((layout.x[other], index) for index, (each, other) in enumerate(ways) if each == room)
        step = min(18.0, layout.widths[room] * 0.8 / len(here))
        for place, (_, index) in enumerate(here):
            found[index] = layout.x[room] + (place - (len(here) - 1) / 2) * step
    return found


def legend(y: float) -> str:
    """What the edges of the boxes mean."""
    words = [("kedro", "may import kedro", 0), ("mlflow", "may import mlflow", 150), ("", "imports neither", 305)]
    note = f'<text class="left" x="{MARGIN + 450}" y="{y}">an arrow that follows from others is not drawn</text>'
    return (
        "\n".join(
            f'<rect class="box {kind}" x="{MARGIN + x}" y="{y - 11}" width="18" height="13" rx="3"/>'
            f'<text class="left" x="{MARGIN + x + 25}" y="{y}">{text}</text>'
            for kind, text, x in words
        )
        + f"\n{note}"
    )


# -- the command -----------------------------------------------------------------------------------------------------


def drawn_arrows(picture: str) -> set[Arrow]:
    """The arrows that a picture was drawn from."""
    found = re.search(r"<metadata>\n(.*)\n</metadata>", picture, re.DOTALL)
    lines = found.group(1).splitlines() if found else []
    pairs = [line.split(": ") for line in lines]
    return {(importer, imported) for importer, below in pairs for imported in below.split()}


def differences(picture: Path, arrows: set[Arrow]) -> list[str]:
    """What has changed since a picture was drawn, a line an arrow."""
    drawn = drawn_arrows(picture.read_text(encoding="utf-8")) if picture.is_file() else set()
    gone = [f"gone: {importer} -> {imported}" for importer, imported in sorted(drawn - arrows)]
    return gone + [f"new: {importer} -> {imported}" for importer, imported in sorted(arrows - drawn)]


def main() -> int:
    """0, or 1 where ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    house = read_house()
    if not parser.parse_args().check:
        PICTURE.write_text(draw(house), encoding="utf-8")
        return 0
    found = differences(PICTURE, house.arrows)
    if found:
        print("\n".join([*found, f"{PICTURE.relative_to(PROJECT)} is out of date: `make architecture` draws it again"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
