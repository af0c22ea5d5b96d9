"""A tag names the version of pyproject.toml, CITATION.cff and a section of CHANGELOG.md, or this ends with 1.

    python scripts/check_version.py v0.1.0            check
    python scripts/check_version.py v0.1.0 --notes    and print the section of the changelog

It needs Python alone, since a release calls it before anything is installed.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def problems(tag: str, project: Path = PROJECT) -> list[str]:
    """What does not go with a tag.

    Args:
        tag: ``v`` and a version.
        project: the folder of the three files.

    Returns:
        A sentence for each file; none where all say the same.
    """
    version = tag.removeprefix("v")
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    cited = re.search(r"^version: *[\"']?([^\"'\n]+)", (project / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    found = [] if declared == version else [f"pyproject.toml: the version is {declared}, the tag says {version}"]
    if cited is None or cited[1] != version:
        found.append(f"CITATION.cff: the version is {cited[1] if cited else 'not there'}, the tag says {version}")
    if not notes(version, project):
        found.append(f"CHANGELOG.md: there is no section [{version}]; make it of [Unreleased], with the date")
    return found


def notes(version: str, project: Path = PROJECT) -> str:
    """The section of the changelog.

    Args:
        version: without ``v``.
        project: the folder of CHANGELOG.md.

    Returns:
        Its text; empty where there is none.
    """
    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def main(arguments: list[str]) -> int:
    """Check, and print.

    Args:
        arguments: the tag, and ``--notes``.

    Returns:
        The exit code.
    """
    tag = arguments[0]
    if found := problems(tag):
        print("\n".join(found), file=sys.stderr)
        return 1
    if "--notes" in arguments:
        print(notes(tag.removeprefix("v")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
