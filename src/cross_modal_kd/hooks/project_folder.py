"""Relative paths in the parameters start at the project's folder, wherever the run was started."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from cross_modal_kd.config import ConfigError

PACKAGE_PREFIX = "package:"

# parameters that are paths; * is any name
PATHS = (
    *(("sources", "*", "root"), ("sources", "*", "shards")),
    *(("ingestion", "split", "frozen"), ("results", "docs_root"), ("score", "inputs")),
    *(("score_trials", name) for name in ("trials", "embeddings", "models", "teacher", "vox1_meta")),
    ("score_trials", "speakers", "table"),
    *(("score_trials", "as_norm", name) for name in ("embeddings", "labels")),
    *(("score_trials", "calibration", name) for name in ("trials", "durations")),
    *((role, "encoder", "options", "pretrained_cfg_overlay", "file") for role in ("student", "teacher")),
)
# names of encoders, which may be those of folders
FOLDERS_OR_NAMES = (("student", "encoder", "name"), ("teacher", "encoder", "name"))


class ProjectFolderHook:
    """Kedro does this for the catalog alone; a notebook or a folder below the project's is another current folder."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Put absolute paths in the place of relative ones, where these would lead elsewhere.

        Args:
            context: of the session, whose loader gives the changed parameters from now on.

        Raises:
            ConfigError: Kedro cannot work in a folder of this name.
        """
        require_plain(Path(context.project_path))
        loader: Any = context.config_loader
        loader["parameters"] = anchored(loader["parameters"], Path(context.project_path))


def require_plain(project: Path) -> None:
    """Refuse a project's folder in whose path Kedro sees something else: it fills in what stands in braces.

    Args:
        project: the folder.

    Raises:
        ConfigError: with the path and the sign.
    """
    if sign := next((each for each in project.as_posix() if each in "{}"), None):
        raise ConfigError(
            f"the project lies in {project}, and Kedro takes {sign!r} in a path for a name that it has to fill in: "
            "rename that folder, or move the project"
        )


def anchored(parameters: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """The parameters with every path that they name as seen from the project's folder.

    Args:
        parameters: As the loader gives them, unchecked.
        project: The project's folder.

    Returns:
        A copy. In the project's folder itself a relative path is left as it is written: it is recorded with the run.
    """
    found: Any = _copied(parameters)
    for pattern in (*PATHS, *FOLDERS_OR_NAMES):
        for block in _blocks(found, pattern[:-1]):
            if isinstance(path := block.get(pattern[-1]), str):
                block[pattern[-1]] = _seen_from(project, path, pattern in PATHS)
            elif isinstance(path, list):
                block[pattern[-1]] = [
                    _seen_from(project, each, True) if isinstance(each, str) else each for each in path
                ]
    return found


def _copied(value: Any) -> Any:
    return {key: _copied(inside) for key, inside in value.items()} if isinstance(value, Mapping) else value


def _blocks(block: Any, pattern: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The mappings that a pattern leads to."""
    if not isinstance(block, dict):
        return
    if not pattern:
        yield block
        return
    for key in block if pattern[0] == "*" else [pattern[0]]:
        yield from _blocks(block.get(key), pattern[1:])


def _seen_from(project: Path, path: str, surely: bool) -> str:
    """The path, absolute where it has to be; what is no path, unless ``surely``, is left alone."""
    if path.startswith("~"):
        return Path(path).expanduser().as_posix() if surely else path
    if path.startswith(PACKAGE_PREFIX) or Path.cwd() == project or not (surely or (project / path).exists()):
        return path
    return (project / path).as_posix()
