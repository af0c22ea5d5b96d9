"""Kedro's configuration loader, told what the names in conf mean: tasks, and choices that options belong to."""

import glob
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from cross_modal_kd.config import ConfigError, compose, is_another_task, nearest, with_compute

Files = dict[Path, DictConfig]

ROOTS = "sources.yml"
DATA_ROOT = "data_root"
GLOBALS = ("task", DATA_ROOT)
# what a folder may be called on every file system
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class _Literal:
    """A file system in which a folder's own name is no pattern: Kedro puts its patterns behind it as it is.

    Args:
        fs: of fsspec.
        folder: of the configuration.
    """

    def __init__(self, fs: Any, folder: str) -> None:
        self._fs, self._folder = fs, folder

    def __getattr__(self, name: str) -> Any:
        if name == "_fs":  # of a copy that is not filled yet
            raise AttributeError(name)
        return getattr(self._fs, name)

    def glob(self, pattern: str) -> Any:
        """The files of a pattern, as fsspec finds them.

        Args:
            pattern: of files below the folder, or elsewhere.

        Returns:
            Their paths.
        """
        inside = pattern.removeprefix(self._folder)
        return self._fs.glob(pattern if inside == pattern else glob.escape(self._folder) + inside)


class TaskConfigLoader(OmegaConfigLoader):
    """``OmegaConfigLoader`` with four things of this project's.

    files: one that is no YAML, or holds no ``key: value``, is named.

    globals: none that conf/base does not have, and ``data_root`` is the name of a folder. ``task`` is the environment's
    own name where its globals.yml names none, and never that of conf/base, whose artifacts a run would overwrite. No
    two environments have one task's name for two different tasks.

    parameters: laid over each other by ``config.overlay.compose``, ``task.name`` is the name in the globals, and every
    training runs where the block ``compute`` says.

    conf/local/sources.yml: where data lie on this machine (``cub: /data/CUB_200_2011``), read in every environment: the
    root of each of its sources that is named there.
    """

    @staticmethod
    def _initialise_filesystem_and_protocol(conf_source: str) -> tuple[Any, str]:
        fs, protocol = OmegaConfigLoader._initialise_filesystem_and_protocol(conf_source)
        return _Literal(fs, Path(conf_source).as_posix()), protocol

    def _resolve_from_raw_config(
        self,
        key: str,
        base_configs: Files,
        env_configs: Files,
        base_path: str,
        env_path: str,
        processed_files: set[Path],
    ) -> dict[str, Any]:
        if key == "parameters" and processed_files:
            return self._parameters(_together(base_configs), _together(env_configs))
        found = super()._resolve_from_raw_config(key, base_configs, env_configs, base_path, env_path, processed_files)
        if key == "globals":
            self._check_globals(_together(base_configs), found)
            found = {**found, "task": self._checked_name(_name_in(_together(env_configs)))}
        return found

    def _read_dir_configs(
        self,
        conf_path: str,
        patterns: Iterable[str],
        key: str,
        processed_files: set[Path],
        read_environment_variables: bool | None = False,
    ) -> Files:
        given = conf_path, patterns, key, processed_files, read_environment_variables
        try:
            return super()._read_dir_configs(*given)
        except (YAMLError, UnicodeDecodeError, OSError) as error:
            files = sorted(file for pattern in patterns for file in Path(conf_path).glob(pattern) if file.is_file())
            wrong = next((found for found in map(_what_is_wrong, files) if found), None)
            if wrong is None:
                raise
            raise ConfigError(wrong) from error

    def _check_duplicates(self, key: str, config_per_file: Files) -> None:
        for file, found in config_per_file.items():
            if not isinstance(found, DictConfig):
                raise ConfigError(f"{file}: expected lines 'key: value', found a list; correct it")
        super()._check_duplicates(key, config_per_file)

    def _check_globals(self, base: dict[str, Any], found: dict[str, Any]) -> None:
        """Refuse a name that conf/base does not have, and a ``data_root`` that is no folder. Raises ConfigError.

        A catalog that asks for no ``${globals:...}`` needs none in conf/base.
        """
        if (missing := [name for name in GLOBALS if name not in base]) and self._asks_for_globals():
            raise ConfigError(f"conf/{self.base_env}/globals.yml: {missing[0]} is missing; restore the file")
        known = {**base, **dict.fromkeys(GLOBALS)}
        if unknown := [name for name in found if name not in known and not name.startswith("_")]:
            raise ConfigError(
                f"{self._env_folder}/globals.yml: unknown {unknown[0]!r}. {nearest(unknown[0], [*known])}"
            )
        for where, said in (("globals.yml", found), ("--params", self.runtime_params or {})):
            root = said.get(DATA_ROOT, "data")
            if not isinstance(root, str) or not root.strip():
                raise ConfigError(f"{where}: {DATA_ROOT} must be the name of a folder, found {root!r}")

    def _asks_for_globals(self) -> bool:
        files = (Path(self.conf_source) / self.base_env).rglob("catalog*.y*ml")
        return any("globals:" in file.read_text(encoding="utf-8", errors="replace") for file in files)

    def _parameters(self, base: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
        environment = _with_roots(environment, self._local_roots())
        merged = compose(base, environment, self.runtime_params or {}, f"{self._env_folder}/parameters*.yml")
        resolved: Any = OmegaConf.to_container(OmegaConf.create(merged), resolve=True)
        name = self._globals["task"]
        if isinstance(task := resolved.get("task"), dict):
            if task.get("name", name) != name:
                raise ConfigError(
                    f"task.name is {task['name']!r}, but the task is called {name!r}. A task's name is said once: as "
                    f"`task` in {self._env_folder}/globals.yml, else it is the environment's own. Take task.name away"
                )
            resolved["task"] = {**task, "name": name}
        return with_compute(resolved)

    def _local_roots(self) -> dict[str, str]:
        """Roots by name of source, of this machine. Raises ConfigError."""
        file = Path(self.conf_source) / "local" / ROOTS
        if not file.is_file():
            return {}
        try:
            found: Any = OmegaConf.to_container(OmegaConf.load(file))
        except (OSError, ValueError, YAMLError, OmegaConfBaseException) as error:
            raise ConfigError(f"conf/local/{ROOTS}: not a readable file of YAML ({error}); correct it") from error
        if not isinstance(found, dict) or not all(isinstance(root, str) for root in found.values()):
            raise ConfigError(f"conf/local/{ROOTS}: expected lines 'SOURCE: FOLDER', found {found!r:.120}; correct it")
        return found

    @property
    def _run_env(self) -> str:
        return self.env or self.default_run_env or self.base_env

    @property
    def _env_folder(self) -> str:
        return f"conf/{self._run_env}"

    def _checked_name(self, said: Any) -> str:
        """The task's name in this environment, given what its own globals.yml says. Raises ConfigError."""
        if self._says_nothing(self._run_env):
            raise ConfigError(
                f"{self._env_folder} says nothing: the default task would run under the name {self._run_env!r}. Write "
                f"{self._env_folder}/parameters.yml: the blocks `task` and `sources` of a task of your own, or the "
                "keys that differ from conf/base's (conf/README.md); or leave --env out"
            )
        name = said if said is not None else self._name_of(self._run_env)
        if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
            raise ConfigError(
                f"{self._env_folder}/globals.yml: task is a part of every path, expected a name of letters from a to z "
                f"or A to Z, digits, '_', '-' and '.', neither of the last two at its beginning, found {name!r}"
            )
        if other := self._other_task_called(name):
            raise ConfigError(
                f"{self._env_folder}: the task is called {name!r}, which is the name of another task, that of "
                f"conf/{other}, whose artifacts would be overwritten. Name it otherwise: `task: NAME` in "
                f"{self._env_folder}/globals.yml (without that line it has the environment's own name)"
            )
        return name

    def _says_nothing(self, env: str) -> bool:
        """Whether it is an environment of which no file of configuration holds anything."""
        own = env not in (self.base_env, self.default_run_env)
        return own and not any(self._layer(env, key) for key in self.config_patterns)

    @property
    def under_another_name(self) -> bool:
        """Whether this environment runs conf/base's task under a name of its own."""
        return self._owner(self._run_env) == self.base_env and self._name_of(self._run_env) != self._name_of(
            self.base_env
        )

    def _name_of(self, env: str) -> str:
        """As its globals.yml says; else the environment's own name, and of a plain conf/local that of conf/base."""
        said = _name_in(self._layer(env, "globals"))
        plain_local = env == self.default_run_env and self._owner(env) == self.base_env
        if said is None and plain_local and env != self.base_env:
            return self._name_of(self.base_env)
        return env if said is None else said

    def _owner(self, env: str) -> str:
        """The environment whose task this one runs: its own or that of conf/base."""
        return env if env != self.base_env and is_another_task(self._layer(env, "parameters")) else self.base_env

    def _other_task_called(self, name: str) -> str | None:
        """An environment that runs another task under the same name; packed or remote ones are not looked for."""
        conf = Path(self.conf_source)
        folders = sorted(folder.name for folder in conf.iterdir() if folder.is_dir()) if conf.is_dir() else []
        return next((env for env in folders if env != self._run_env and self._is_another(env, name)), None)

    def _is_another(self, env: str, name: str) -> bool:
        try:
            return self._name_of(env) == name and self._owner(env) != self._owner(self._run_env)
        except Exception:  # files of an environment that is not run, and cannot be read
            return False

    def _layer(self, env: str, key: str) -> dict[str, Any]:
        """What the files of one environment alone say, not resolved."""
        read = self._read_dir_configs(self._get_conf_env_path(env), self.config_patterns[key], key, set())
        return _together(read)


def _together(files: Files) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(OmegaConf.unsafe_merge(*files.values()), resolve=False) if files else {}
    return found


def _with_roots(environment: dict[str, Any], roots: dict[str, str]) -> dict[str, Any]:
    """An environment whose sources lie where this machine has them."""
    sources = environment.get("sources")
    if not roots or not isinstance(sources, dict):
        return environment
    moved = {
        name: {**sources[name], "root": root} for name, root in roots.items() if isinstance(sources.get(name), dict)
    }
    return {**environment, "sources": {**sources, **moved}}


def _what_is_wrong(file: Path) -> str | None:
    """Of a file of configuration that cannot be read, with its line."""
    try:
        OmegaConf.load(file)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        return f"{file}{f', line {mark.line + 1}, column {mark.column + 1}' if mark else ''}: {error.problem}"
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        return f"{file}: expected lines 'key: value' of YAML in UTF-8 ({error}); correct it"
    return None


def _name_in(found: dict[str, Any]) -> Any:
    return found.get("task")
