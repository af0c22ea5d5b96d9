"""Findings: Markdown written by hand, in which every number is looked up by Jinja.

``{{ comparison["soft_both/mlp"].relative_reduction_to_baseline }}`` becomes ``8.4 [8.0, 8.9]``.
"""

import re
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError, nodes

from cross_modal_kd.studies.results.numbers import number, with_interval
from cross_modal_kd.studies.results.sections import Section
from cross_modal_kd.studies.results.tables import cell, records

TYPED = re.compile(r"(?<![\w.])\d+(?:[.,]\d+|\s*%)")
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
ENDS = ("value", "low", "high")
HOW = '{{ table["row"].column }}'


class FindingsError(ValueError):
    """A look-up that finds nothing, or a number that was typed by hand."""


def filled(text: str, sections: list[Section], where: str) -> str:
    """The text with every look-up replaced by the number that it names.

    ``{{ kind["row"].column }}`` of a table: the row by its keys joined by ``/`` (those that are needed to tell it
    apart, in their order); an interval comes with its value, ``column_low`` is one end of it. Of metrics.json,
    ``{{ metrics.difference.eer }}`` is a path.

    Args:
        text: Markdown with Jinja's tags.
        sections: what there is to be looked up, by the names of their kinds.
        where: the file, for errors.

    Returns:
        Markdown without tags, its numbers printed as in the tables of the page.

    Raises:
        FindingsError: naming the line, what was not found and what there is; or a typed decimal or percentage.
    """
    return _rendered(text, {section.kind.name: _lookup(section) for section in sections}, where)


def filled_from_all(text: str, tasks: Mapping[str, list[Section]], where: str) -> str:
    """As ``filled``, from the results of several tasks: ``{{ birds.comparison["row"].column }}``.

    Args:
        text: Markdown with Jinja's tags.
        tasks: by name, what there is of each.
        where: the file, for errors.

    Returns:
        Markdown without tags.

    Raises:
        FindingsError: as of ``filled``.
    """
    return _rendered(text, {name: Task(name, sections) for name, sections in tasks.items()}, where)


def _rendered(text: str, known: Mapping[str, Any], where: str) -> str:
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - Markdown, not HTML
    try:
        _refuse_typed(text, environment.parse(text), where)
        return environment.from_string(text).render(known)
    except TemplateSyntaxError as error:
        raise FindingsError(f"{where}, line {error.lineno}: {error.message}; write {HOW}") from error
    except UndefinedError as error:
        raise FindingsError(f"{where}, line {_line(error)}: {error}; there are: {', '.join(known)}") from error
    except LookUpError as error:
        raise FindingsError(f"{where}, line {_line(error)}: {error}") from error


def _refuse_typed(text: str, parsed: nodes.Template, where: str) -> None:
    """FindingsError for a number in the text itself, or in a tag as anything but the name of a row."""
    plain = CODE.sub("", TAG.sub(lambda tag: "\n" * tag.group().count("\n"), text))
    found = [(place, typed) for place, line in enumerate(plain.splitlines(), 1) for typed in TYPED.findall(line)]
    names = {id(look_up.arg) for look_up in parsed.find_all(nodes.Getitem)}
    constants = [each for each in parsed.find_all(nodes.Const) if id(each) not in names]
    found += [(each.lineno, str(each.value)) for each in constants if _is_number(each.value)]
    for place, typed in found:
        raise FindingsError(f"{where}, line {place}: {typed!r} is typed by hand; look it up, {HOW}")


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return TYPED.search(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _line(error: Exception) -> int | str:
    """The line of the template at which an error arose."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return lines[-1] if lines and lines[-1] else "?"


class LookUpError(ValueError):
    """What a tag named is not there; not a LookupError, which Jinja would take for an undefined name."""


def _lookup(section: Section) -> Any:
    if not section.files:
        return NotRun(section)
    if isinstance(section.data, pd.DataFrame):
        return Rows(section.kind.name, section.data, section.kind.keys)
    return Path(section.kind.name, section.data)


class Task:
    """What there is of one task; ``task[kind]`` is a kind of result.

    Args:
        name: of the task, for errors.
        sections: every kind of result.
    """

    def __init__(self, name: str, sections: list[Section]) -> None:
        self._name, self._kinds = name, {section.kind.name: _lookup(section) for section in sections}

    def __getitem__(self, kind: str) -> Any:
        if kind not in self._kinds:
            raise LookUpError(f"{self._name}: no kind of result is called {kind!r}{_nearest(kind, list(self._kinds))}")
        return self._kinds[kind]

    def __str__(self) -> str:
        raise LookUpError(f"{self._name} names no number; go on with a kind of result, {HOW}")


class NotRun:
    """A kind of result that is not there; whatever is looked up in it is a ``LookUpError``.

    Args:
        section: without files.
    """

    def __init__(self, section: Section) -> None:
        self._kind = section.kind

    def __getitem__(self, name: str) -> Any:
        raise LookUpError(f"{self._kind.files} is not there; kedro run --pipeline={self._kind.pipeline} makes it")

    def __str__(self) -> str:
        return str(self[""])


class Rows:
    """A table; ``rows[name]`` is the row of that name.

    Args:
        kind: name of the kind of result, for errors.
        table: its rows.
        keys: the columns that name a row, in their order; one that the table lacks is passed over.
    """

    def __init__(self, kind: str, table: pd.DataFrame, keys: tuple[str, ...]) -> None:
        self._kind, self._keys, self._rows = kind, keys, records(table)
        self._names = [[_key(row[key]) for key in keys if key in row] for row in self._rows]

    def __getitem__(self, name: str) -> "Row":
        wanted = name.split("/")
        found = [row for row, names in zip(self._rows, self._names, strict=True) if _names(wanted, names)]
        if len(found) == 1:
            return Row(f"{self._kind}[{name!r}]", found[0])
        said = [" / ".join(names) for names in self._names if not found or _names(wanted, names)]
        problem = f"{len(found)} rows are called {name!r}" if found else f"no row is called {name!r}"
        raise LookUpError(
            f"{self._kind}: {problem}; a row is {'/'.join(self._keys)}, and there are: {'; '.join(said[:12])}"
        )

    def __str__(self) -> str:
        raise LookUpError(f"{self._kind} names no number; go on with a row and a column, {HOW}")


class Row:
    """A row of a table; ``row.column`` is printed with its interval where it has one.

    Args:
        name: by which it was found, for errors.
        row: values by column.
    """

    def __init__(self, name: str, row: Mapping[str, Any]) -> None:
        self._name, self._row = name, row

    def __getitem__(self, column: str) -> str:
        if column not in self._row:
            raise LookUpError(f"{self._name}: no column {column!r}{_nearest(column, list(self._row))}")
        return cell(self._row, column)

    def __str__(self) -> str:
        raise LookUpError(f"{self._name} names no number; go on with one of: {', '.join(self._row)}")


class Path:
    """A place in nested dictionaries; printed, it must be a number or a value with its interval.

    Args:
        path: dotted, for errors.
        data: what is there: a dictionary, or a plain value.
        metric: name by which a number there is printed, see ``number``.
    """

    def __init__(self, path: str, data: Any, metric: str = "") -> None:
        self._path, self._data, self._metric = path, data, metric

    def __getitem__(self, name: str) -> "Path":
        there = list(map(str, self._data)) if isinstance(self._data, Mapping) else []
        if name not in there:
            raise LookUpError(f"{self._path}: nothing is called {name!r}{_nearest(name, there)}")
        reduction = "relative_reduction" in (name, self._metric)
        metric = "relative_reduction" if reduction else self._metric if name in ENDS else name
        return Path(f"{self._path}.{name}", self._data[name], metric)

    def __str__(self) -> str:
        if not isinstance(self._data, Mapping):
            return number(self._metric, self._data)
        if not set(ENDS) <= set(self._data):
            raise LookUpError(f"{self._path} names no number; go on with one of: {', '.join(map(str, self._data))}")
        return with_interval(self._metric, *(self._data[end] for end in ENDS))


def _names(wanted: list[str], name: list[str]) -> bool:
    """Whether the parts are among a row's keys, in their order."""
    rest = iter(name)
    return all(part in rest for part in wanted)


def _key(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _nearest(name: str, there: list[str]) -> str:
    nearest = get_close_matches(name, there, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ";"
    return f"{hint} there are: {', '.join(there) or 'none'}"
