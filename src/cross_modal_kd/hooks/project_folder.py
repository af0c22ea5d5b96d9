"""Relative folders in the parameters start at the project's folder, wherever the run was started."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

PACKAGE_PREFIX = "package:"


class ProjectFolderHook:
    """Kedro does this for the catalog alone; a notebook or a folder below the project's is another current folder."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Put absolute folders in the place of relative ones.

        Args:
            context: of the session, whose loader gives the changed parameters from now on.
        """
        loader: Any = context.config_loader
        loader["parameters"] = anchored(loader["parameters"], Path(context.project_path))


def anchored(parameters: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """The parameters with every folder that they name as seen from the project's.

    Args:
        parameters: As the loader gives them, unchecked.
        project: The project's folder.

    Returns:
        A copy: roots of sources and ``results.docs_root`` absolute; the folder of an encoder only where it would not be
        found from here, since its name is a part of the key that its embeddings are kept under.
    """
    found = dict(parameters)
    for name, source in _blocks(found, "sources"):
        if isinstance(root := source.get("root"), str) and not root.startswith(PACKAGE_PREFIX):
            found["sources"] = {**found["sources"], name: {**source, "root": _seen_from(project, root)}}
    results = found.get("results")
    if isinstance(results, Mapping) and isinstance(results.get("docs_root"), str):
        found["results"] = {**results, "docs_root": _seen_from(project, results["docs_root"])}
    for role in ("student", "teacher"):
        for key, encoder in _blocks(found, role):
            folder = project / str(encoder.get("name"))
            if key == "encoder" and Path.cwd() != project and folder.is_dir():
                found[role] = {**found[role], "encoder": {**encoder, "name": folder.as_posix()}}
    return found


def _blocks(parameters: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The mappings inside a block."""
    block = parameters.get(name)
    inside = block.items() if isinstance(block, Mapping) else ()
    return [(key, value) for key, value in inside if isinstance(value, Mapping)]


def _seen_from(project: Path, folder: str) -> str:
    return (project / Path(folder).expanduser()).as_posix()
