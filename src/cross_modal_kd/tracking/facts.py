"""What a run can be repeated from: code, versions, device and command."""

import json
import math
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# Texts that YAML reads as they are; of others that look so, the words that it takes for something else.
PLAIN = re.compile(r"[A-Za-z_/~][\w./~@-]*(?: [\w./~@-]+)*")
NOT_PLAIN = {"null", "~", "true", "false", "yes", "no", "on", "off", "y", "n"}

CHANGES = 30  # files that differ from the commit, as far as they are named
READ = ("src", "conf", "data")  # where a run reads a file that git does not know; pictures/ beside them changes none
LONGEST_TAG = 5000
THREADS = "OMP_NUM_THREADS"

PACKAGES = (
    "av",
    "cross-modal-kd",
    "kedro",
    "lightning-fabric",
    "mlflow",
    "numpy",
    "pandas",
    "pytorch-metric-learning",
    "sentence-transformers",
    "soxr",
    "speechbrain",
    "timm",
    "torch",
    "torchaudio",
    "torchvision",
)


def git_facts(project: Path) -> dict[str, str]:
    """Commit, branch, whether files differ from the commit, and which.

    Files that git does not know count where a run reads some (``READ``): what a command of the project wrote
    elsewhere in its folder, a table of predictions say, makes no other run.

    Args:
        project: A folder.

    Returns:
        Tags for MLflow; none outside a git checkout, or where there is no git. ``git.changes`` is there only where
        files differ: a line each, as ``git status`` has it, the first ones.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=project, capture_output=True, encoding="utf-8", timeout=20, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.rstrip()

    commit, known = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    unknown = git("ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "--", *READ)
    if commit is None or known is None or unknown is None:
        return {}
    changes = "\n".join([*known.splitlines(), *(f"?? {name}" for name in unknown.splitlines())])
    branch = git("rev-parse", "--abbrev-ref", "HEAD") or ""
    return {
        "git.sha": commit,
        "git.dirty": str(bool(changes)).lower(),
        "git.branch": branch,
        "mlflow.source.git.commit": commit,
        **({"git.changes": _first_lines(changes)} if changes else {}),
    }


def _first_lines(text: str) -> str:
    lines = text.splitlines()
    more = [f"and {len(lines) - CHANGES} more"] if len(lines) > CHANGES else []
    return "\n".join([*lines[:CHANGES], *more])[:LONGEST_TAG]


def version_facts() -> dict[str, str]:
    """Python's version, and those of the packages that results depend on.

    Returns:
        Tags for MLflow, ``version.<package>``, of the packages that are installed.
    """
    facts = {"version.python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            facts[f"version.{package}"] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def device_facts() -> dict[str, str]:
    """CPU, memory and GPUs (asked of the driver, so that torch need not be imported).

    Returns:
        Tags for MLflow: model of the CPU, cores that this process may use, threads that OMP_NUM_THREADS allows it (else
        as many as cores), memory in GiB, names of the GPUs.
    """
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = {
        "device.cpu": _cpu_model(),
        "device.cores": str(usable),
        "device.threads": os.environ.get(THREADS) or str(usable),
        "device.memory_gb": f"{psutil.virtual_memory().total / 2**30:.0f}",
    }
    gpus = _gpu_names()
    facts["device.gpus"] = ", ".join(gpus) if gpus else "none"
    return facts


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpu_names() -> list[str]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        names = [pynvml.nvmlDeviceGetName(handle) for handle in handles]
        return [name.decode() if isinstance(name, bytes) else name for name in names]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


@dataclass(frozen=True)
class ThisRun:
    """A ``kedro run``, as the pages that are written in it show it.

    Attributes:
        command: a line for a shell that does it again.
        project: the folder that it was started for.
        remarks: sentences that belong beside its results.
    """

    command: str = "kedro run --pipelines=distill"
    project: Path = field(default_factory=Path.cwd)
    remarks: tuple[str, ...] = ()


_this_run: ThisRun | None = None


def set_this_run(run: ThisRun | None) -> None:
    """Said by what starts a ``kedro run``, for the pages that are written in it.

    Args:
        run: From now on the current one; None if there is none.
    """
    global _this_run
    _this_run = run


def this_run() -> ThisRun:
    """The ``kedro run`` that is under way; outside of one, that which makes everything from the current folder."""
    return _this_run or ThisRun()


def add_remark(words: str) -> bool:
    """Note a sentence that belongs beside the results of the ``kedro run`` that is under way.

    Args:
        words: the sentence.

    Returns:
        Whether it is new: False where it was noted before.
    """
    if _this_run is None:
        return True
    if words in _this_run.remarks:
        return False
    set_this_run(replace(_this_run, remarks=(*_this_run.remarks, words)))
    return True


_beside: Mapping[str, Any] = {}


def set_beside(options: Mapping[str, Any]) -> None:
    """Said by the command line: what it was asked for and Kedro says to no hook.

    Args:
        options: From now on those of ``conf_source`` (a folder), ``is_async`` (bool) and ``runner_params`` (mapping)
            that were given; empty where no command runs.
    """
    global _beside
    _beside = dict(options)


def command(run_params: Mapping[str, Any]) -> str:
    """The ``kedro run`` that does this again: what it was asked for, the runner and ``--params`` included.

    Args:
        run_params: What Kedro says about the run.

    Returns:
        A line for a shell. Values of ``--params`` are YAML (null, not None), lists among them: this project's
        ``kedro run`` parts them at commas outside of brackets and quotes.
    """
    parts = ["kedro", "run"]
    versions = (run_params.get("load_versions") or {}).items()
    options = {
        "pipelines": sorted(run_params.get("pipeline_names") or ()),
        "env": run_params.get("env"),
        "conf-source": str(_beside.get("conf_source") or ""),
        "tags": run_params.get("tags"),
        "namespaces": run_params.get("namespaces"),
        "nodes": run_params.get("node_names"),
        "from-nodes": run_params.get("from_nodes"),
        "to-nodes": run_params.get("to_nodes"),
        "from-inputs": run_params.get("from_inputs"),
        "to-outputs": run_params.get("to_outputs"),
        "load-versions": [f"{name}:{version}" for name, version in versions],
        "runner": _runner(str(run_params.get("runner") or "")),
    }
    for option, value in options.items():
        if value:
            parts.append(f"--{option}={value if isinstance(value, str) else ','.join(value)}")
    if _beside.get("is_async"):
        parts.append("--async")
    if _beside.get("runner_params"):
        parts.append("--runner-params=" + ",".join(_assignments(_beside["runner_params"])))
    if run_params.get("only_missing_outputs"):
        parts.append("--only-missing-outputs")
    runtime = run_params.get("runtime_params") or {}
    if runtime:
        parts.append("--params=" + ",".join(_assignments(runtime)))
    return shlex.join(parts)


def _runner(described: str) -> str:
    """The runner's name, of its name or of ``<kedro.runner.thread_runner.ThreadRunner object at 0x7f...>``."""
    found = re.search(r"(\w+)(?: object at|$)", described)
    return "" if found is None or found[1] in ("SequentialRunner", "None") else found[1]


def _assignments(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """``a.b=1`` for each value of nested mappings, in the YAML that ``--params`` reads."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _assignments(value, f"{before}{name}.")
        else:
            yield f"{before}{name}={_typed(value)}"


def _typed(value: Any) -> str:
    """A value as YAML on one line, from which the same value is read."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_typed(str(name))}: {_typed(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_typed, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    plain = PLAIN.fullmatch(text) and text.lower() not in NOT_PLAIN
    return text if plain else json.dumps(text)


def parted(text: str) -> Iterator[str]:
    """What was typed as ``--params``, item by item: commas inside brackets and quotes part nothing.

    Args:
        text: ``a.b=1,c=[2,3]``.

    Yields:
        An item as it was typed.

    >>> list(parted('a.b=1,c=[2,3],d="x,y"'))
    ['a.b=1', 'c=[2,3]', 'd="x,y"']
    """
    depth, quote, start, escaped = 0, "", 0, False
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and not escaped else quote
            escaped = letter == "\\" and quote == '"' and not escaped
        elif letter in "\"'" and at and text[at - 1] in "=[{, :":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth <= 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
