"""What MkDocs does beside its own: pages that lie elsewhere in the project, pages that are made, links into the code.

The README of the project and those of its folders are pages where they lie; the reference of the configuration and the
list of errors are made from the code at every build. A link to a file that is no page becomes its name.
"""

import ast
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[1]
# page in the site: the file in the project
ELSEWHERE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "reference/environments.md": "conf/README.md",
    "reference/data.md": "data/README.md",
    "reference/data-licences.md": "data/NOTICE.md",
}
FIRST = ("ingestion", "quality", "teacher", "projection", "distillation", "evaluation")  # in the order of a run
READMES = {
    f"reference/{part}/{file.parent.name}.md": file.relative_to(PROJECT).as_posix()
    for part in ("pipelines", "studies")
    for file in sorted(
        (PROJECT / "src" / "cross_modal_kd" / part).glob("*/README.md"),
        key=lambda file: FIRST.index(file.parent.name) if file.parent.name in FIRST else len(FIRST),
    )
}
ELSEWHERE |= READMES
MADE, MAKER = "reference/configuration.md", "scripts/configuration_reference.py"
ERRORS = "<!-- errors: made from the code -->"
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Add to the navigation what is found: pipelines, studies, and pages of docs/ and docs/results/ that it lacks.

    Args:
        config: of MkDocs.

    Returns:
        The same, with a longer navigation.
    """
    sections = {name: items for each in config.nav for name, items in each.items()}
    for part in ("pipelines", "studies"):
        pages = [page for page in READMES if page.startswith(f"reference/{part}/")]
        sections["Reference"].append(
            {part.capitalize(): [{PurePosixPath(page).stem.capitalize(): page} for page in pages]}
        )
    named = str(config.nav)
    for section, folder in (("Evidence", "results/"), ("Inside", "")):
        there = sorted(f"{folder}{file.name}" for file in Path(config.docs_dir, folder).glob("*.md"))
        sections[section] += [page for page in there if f"'{page}'" not in named]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere, and the one that is made.

    Args:
        files: of docs/.
        config: of MkDocs.

    Returns:
        All of them.
    """
    for page, file in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(PROJECT / file)))
    sys.path[:0] = [str(PROJECT / "src"), str(PROJECT / "scripts")]  # MkDocs puts the path back after it loaded this
    from configuration_reference import page as made

    import cross_modal_kd.modalities  # noqa: F401 (registers the names)

    files.append(File.generated(config, MADE, content=made()))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Point links at the pages of the site, and fill in the list of errors.

    Args:
        markdown: of the page.
        page: whose it is.
        files: of the site.
        **_: what else MkDocs gives.

    Returns:
        The page with other links; one to a file of the project that is no page is its name in code.
    """
    uri = page.file.src_uri
    lies_at = ELSEWHERE.get(uri, f"docs/{uri}")
    pages = {file: each for each, file in ELSEWHERE.items()} | {f"docs/{each}": each for each in files.src_uris}
    pages[MAKER] = MADE  # what is made has no file to link to where docs/ is read in the repository

    def linked(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(lies_at), target))
        if meant in pages:
            return f"[{text}]({posixpath.relpath(pages[meant], posixpath.dirname(uri) or '.')}{anchor})"
        if (PROJECT / meant).exists():
            return text if text.strip("`") == meant else f"{text} (`{meant}`)"
        return found[0]  # which --strict reports

    text = LINK.sub(linked, markdown)
    return text.replace(ERRORS, "\n".join(error_table())) if ERRORS in text else text  # all of src is parsed for it


def error_table() -> Iterator[str]:
    """Every class of error of the package with its first sentence, as a table."""
    yield "| error | means | in |"
    yield "|---|---|---|"
    for name, (doc, room) in sorted(errors().items()):
        yield f"| `{name}` | {doc} | `{room}` |"


def errors() -> dict[str, tuple[str, str]]:
    """Classes of errors by name: the first sentence of the docstring, and the room."""
    package = PROJECT / "src" / "cross_modal_kd"
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(package.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(_is_error(base) for base in node.bases):
                doc = (ast.get_docstring(node) or "").split("\n\n")[0]
                room = PurePosixPath(file.relative_to(package).as_posix()).parts[0]
                found[node.name] = (" ".join(doc.split()).replace("``", "`"), room)
    return found


def _is_error(base: ast.expr) -> bool:
    return ast.unparse(base).split(".")[-1].endswith(("Error", "Exception"))
