"""What a run can be repeated from: code, versions, device and command."""

import os
import platform
import shlex
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cross_modal_kd.tracking.flatten import leaves

PACKAGES = (
    "cross-modal-kd",
    "kedro",
    "lightning",
    "mlflow",
    "numpy",
    "pandas",
    "pytorch-metric-learning",
    "sentence-transformers",
    "speechbrain",
    "timm",
    "torch",
    "torchaudio",
    "torchvision",
)


def git_facts(project: Path) -> dict[str, str]:
    """Commit, branch and whether files differ from the commit.

    Args:
        project: A folder.

    Returns:
        Tags for MLflow; none outside a git checkout, or where there is no git.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=project, capture_output=True, text=True, timeout=20, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=normal")
    if commit is None or changes is None:
        return {}
    branch = git("rev-parse", "--abbrev-ref", "HEAD") or ""
    return {
        "git.sha": commit,
        "git.dirty": str(bool(changes)).lower(),
        "git.branch": branch,
        "mlflow.source.git.commit": commit,
    }


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
        Tags for MLflow: model of the CPU, cores that this process may use, memory in GiB, names of the GPUs.
    """
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = {
        "device.cpu": _cpu_model(),
        "device.cores": str(usable),
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


def command(run_params: Mapping[str, Any]) -> str:
    """The ``kedro run`` that does this again, --params included.

    Args:
        run_params: What Kedro says about the run.

    Returns:
        One line for a shell.
    """
    parts = ["kedro", "run"]
    options = {
        "pipelines": run_params.get("pipeline_names"),
        "env": run_params.get("env"),
        "tags": run_params.get("tags"),
        "namespaces": run_params.get("namespaces"),
        "nodes": run_params.get("node_names"),
        "from-nodes": run_params.get("from_nodes"),
        "to-nodes": run_params.get("to_nodes"),
        "from-inputs": run_params.get("from_inputs"),
        "to-outputs": run_params.get("to_outputs"),
    }
    for option, value in options.items():
        if value:
            parts.append(f"--{option}={value if isinstance(value, str) else ','.join(value)}")
    if run_params.get("only_missing_outputs"):
        parts.append("--only-missing-outputs")
    runtime = run_params.get("runtime_params") or {}
    if runtime:
        parts.append("--params=" + ",".join(f"{name}={value}" for name, value in leaves(runtime)))
    return shlex.join(parts)
