"""The commands of the pages of docs/sets: of pipelines, environments and parameters that there are."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cross_modal_kd.sources import OPTIONS

PROJECT = Path(__file__).parents[2]
COMMANDS = {
    page.name: re.findall(r"^(?: {4})?(kedro run .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    for page in sorted((PROJECT / "docs" / "sets").glob("*.md"))
}


@cache
def blocks(env: str) -> dict[str, Any]:
    """The parameters of an environment over those of conf/base."""
    found: dict[str, Any] = {}
    for file in [*sorted((PROJECT / "conf/base").glob("parameters*.yml")), PROJECT / "conf" / env / "parameters.yml"]:
        _merge(found, yaml.safe_load(file.read_text(encoding="utf-8")))
    return found


def _merge(found: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict) and key != "sources":
            _merge(found[key], value)
        else:
            found[key] = value


def is_there(parameter: str, found: dict[str, Any]) -> bool:
    """Whether a dotted name is one of a block, or an option of a source's layout."""
    parts = parameter.split(".")
    if parts[0] == "sources" and parts[2] == "options":
        return parts[3] in OPTIONS[found["sources"][parts[1]]["layout"]].model_fields
    for part in parts:
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


@pytest.mark.parametrize("page", [page for page, commands in COMMANDS.items() if commands])
def test_the_commands_of_a_page_are_of_what_there_is(project_path, page):  # noqa: ARG001 (finds the pipelines)
    from kedro.framework.project import pipelines

    for command in COMMANDS[page]:
        words = shlex.split(command, comments=True)[2:]
        given = dict(word.removeprefix("--").split("=", 1) for word in words)
        assert given["pipeline"] in dict(pipelines), command
        assert set(given) <= {"pipeline", "env", "params", "tags"}, command
        found = blocks(given["env"])
        for parameter in re.findall(r"(?:^|,)([a-z_0-9.]+)=", given.get("params", "")):
            assert is_there(parameter, found), f"{command}: {parameter}"


def test_every_environment_of_a_set_has_its_commands_and_a_wrong_name_is_found():
    assert {f"{name}.md" for name in ("voxceleb", "cnceleb", "cub", "flowers")} <= {
        page for page, commands in COMMANDS.items() if len(commands) > 1
    }
    found = blocks("cub")
    assert is_there("sources.cub.options.boxes", found) and not is_there("sources.cub.options.box", found)
    assert is_there("training.epochs", found) and not is_there("training.epoch", found)
