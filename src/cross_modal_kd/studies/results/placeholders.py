"""Figures in hand-written text: {{comparison.soft_both.relative_reduction_to_baseline}} becomes 8.4 [8.0, 8.9]."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import pandas as pd

from cross_modal_kd.studies.results.numbers import number, with_interval
from cross_modal_kd.studies.results.sections import Section
from cross_modal_kd.studies.results.tables import cell, records

PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
TYPED = re.compile(r"(?<![\w.])\d+(?:[.,]\d+|\s*%)")
ENDS = ("value", "low", "high")


class PlaceholderError(ValueError):
    """A placeholder that names nothing, or a figure that was typed by hand."""


def filled(text: str, sections: list[Section], where: str) -> str:
    """The text with every placeholder replaced.

    ``{{kind.row.column}}`` of a table: the row by its keys joined by ``/`` (those that are needed to tell it apart, in
    their order); an interval comes with its value, ``column_low`` is one end of it. ``{{metrics.difference.eer}}`` of
    metrics.json is a path.

    Raises:
        PlaceholderError: naming the line, what was not found and what there is; or a typed decimal or percentage.
    """
    known = {section.kind.name: section for section in sections}
    lines = []
    for place, line in enumerate(text.splitlines(), 1):
        at = f"{where}, line {place}"
        typed = TYPED.search(re.sub(r"`[^`]*`", "", PLACEHOLDER.sub("", line)))
        if typed:
            raise PlaceholderError(
                f"{at}: {typed.group()!r} is typed by hand; write a placeholder, {{{{table.row.column}}}}"
            )
        lines.append(PLACEHOLDER.sub(lambda found, at=at: _value(found.group(1), known, at), line))
    return "\n".join(lines)


def _value(name: str, sections: Mapping[str, Section], where: str) -> str:
    kind, _, rest = name.partition(".")
    where = f"{where}: {{{{{name}}}}}"
    if kind not in sections:
        raise PlaceholderError(f"{where}: there is no {kind!r}; expected one of: {', '.join(sections)}")
    section = sections[kind]
    if not section.files:
        command = f"kedro run --pipeline={section.kind.pipeline}"
        raise PlaceholderError(f"{where}: {section.kind.files} is not there; {command} makes it")
    if isinstance(section.data, pd.DataFrame):
        row, _, column = rest.rpartition(".")
        return _of_table(section.data, section.kind.keys, row, column, where)
    return _of_path(section.data, rest.split("."), where)


def _of_table(frame: pd.DataFrame, keys: tuple[str, ...], row: str, column: str, where: str) -> str:
    if column not in frame:
        raise PlaceholderError(f"{where}: no column {column!r}{_nearest(column, list(map(str, frame.columns)))}")
    wanted = row.split("/")
    rows = records(frame)
    names = [[_key(each[key]) for key in keys if key in each] for each in rows]
    found = [each for each, name in zip(rows, names, strict=True) if _names(wanted, name)]
    if len(found) == 1:
        return cell(found[0], column)
    said = [" / ".join(name) for name in names if not found or _names(wanted, name)]
    problem = f"{len(found)} rows are called {row!r}" if found else f"no row is called {row!r}"
    raise PlaceholderError(f"{where}: {problem}; a row is {'/'.join(keys)}, and there are: {'; '.join(said[:12])}")


def _names(wanted: list[str], name: list[str]) -> bool:
    """Whether the parts are among a row's keys, in their order."""
    rest = iter(name)
    return all(part in rest for part in wanted)


def _key(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_path(data: Any, path: list[str], where: str) -> str:
    name, found = "", data
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            there = list(map(str, found)) if isinstance(found, Mapping) else []
            raise PlaceholderError(f"{where}: nothing is called {part!r}{_nearest(part, there)}")
        found, name = found[part], name if part in ENDS else part
    if "relative_reduction" in path:
        name = "relative_reduction"
    if isinstance(found, Mapping):
        if not set(ENDS) <= set(found):
            raise PlaceholderError(f"{where}: leads to no figure; go on with one of: {', '.join(map(str, found))}")
        return with_interval(name, *(found[end] for end in ENDS))
    return number(name, found)


def _nearest(name: str, there: list[str]) -> str:
    nearest = get_close_matches(name, there, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ";"
    return f"{hint} there are: {', '.join(there) or 'none'}"
