"""The folder of an environment, written from a choice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import yaml

from cross_modal_kd.new_task.choice import Choice
from cross_modal_kd.new_task.survey import Survey
from cross_modal_kd.samples import SamplesError, one_form, shown
from cross_modal_kd.tasks import kind_of, lacks_words

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # as the configuration loader wants the name of a task
TAKEN = ("base", "local")


def require_new(project: Path, name: str) -> Path:
    """The folder of an environment that is not there yet.

    Args:
        project: the folder that holds ``conf/``.
        name: of the environment.

    Returns:
        ``conf/<name>`` in it.

    Raises:
        SamplesError: the name is none, it is taken, or there is no conf/base.
    """
    if not (project / "conf" / "base").is_dir():
        raise SamplesError(f"{project}: there is no conf/base here; go to the project's folder and try again")
    if not NAME.fullmatch(name) or name in TAKEN:
        raise SamplesError(
            "a task's name is a part of every path: expected letters from a to z or A to Z, digits, '_', '-' and '.', "
            f"neither of the last two at its beginning (and neither {' nor '.join(TAKEN)}), found {name!r}"
        )
    folder = project / "conf" / name
    if folder.exists():
        raise SamplesError(f"conf/{name} is there already and stays as it is; take another name, or take it away first")
    return folder


@contextmanager
def write_environment(project: Path, survey: Survey, choice: Choice) -> Iterator[Path]:
    """Write ``conf/<name>/parameters.yml``; it is taken away again where what is done with it fails.

    Args:
        project: the folder that holds ``conf/``.
        survey: of the folder.
        choice: what it is used for; the environment is called as its task.

    Yields:
        The file.

    Raises:
        SamplesError: as ``require_new`` does.
    """
    folder = require_new(project, choice.task.name)
    text = _rendered(project, survey, choice)
    folder.mkdir()
    try:
        file = folder / "parameters.yml"
        file.write_text(text, encoding="utf-8")
        yield file
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise


def _rendered(project: Path, survey: Survey, choice: Choice) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(  # noqa: S701 (YAML, whose values are quoted by _value)
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"value": _value, "in_comment": _in_comment}
    design = kind_of(choice.task).design
    words = choice.task.name.replace("_", " ")
    return templates.get_template("parameters.yml.jinja").render(
        task=choice.task,
        title=f"{words[:1].upper()}{words[1:]}",
        why_kind=choice.why_kind,
        why_pairing=choice.why_pairing,
        group=choice.group,
        layout=survey.layout,
        options=dict(survey.options) | ({} if choice.group == "file" else {"group": choice.group}),
        lonely=choice.lonely,
        regime=choice.regime,
        recommended=choice.regime.recommended(project, not lacks_words(choice.task)),
        inputs=choice.inputs,
        dealt="instances, label by label" if design.closed_set else "labels",
        cluster="instance" if design.closed_set else "label",
        sources={name: _root(root, project) for name, root in survey.sources.items()},
        folder=str(survey.folder),
    )


def _root(root: Path, project: Path) -> str:
    """A folder in the project from its folder on, another one absolute."""
    root, project = root.resolve(), project.resolve()
    return root.relative_to(project).as_posix() if root.is_relative_to(project) else str(root)


def _value(value: Any) -> str:
    """A value in YAML, on one line; what OmegaConf would take for an interpolation is escaped."""
    escaped = value.replace("${", "\\${") if isinstance(value, str) else value
    text = yaml.safe_dump(escaped, default_flow_style=True, allow_unicode=True, width=1_000_000)
    return text.removesuffix("...\n").strip()


def _in_comment(text: str) -> str:
    """On one line, whatever stands in it."""
    return "".join(letter if letter.isprintable() else "?" for letter in shown(one_form(" ".join(text.split()))))
