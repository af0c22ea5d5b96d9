"""A pipeline in a forked process that can be killed at any moment, and what must be the same after all."""

import hashlib
import json
import os
import time
import traceback
from pathlib import Path

import pandas as pd

TIMES = ("seconds", "duration", "time", "data_wait_share")
CACHES = {"inspection_cache", "quality_cache"}  # their parts are named after the time


def start(project: Path, data_root: Path, pipeline: str, log: Path, env: str = "test", **options) -> int:
    """``kedro run --env=test --pipeline=...`` in a child of this process, which need not import everything again."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        from kedro.framework.session import KedroSession

        runtime = {"data_root": str(data_root)}
        with KedroSession.create(project, env=env, runtime_params=runtime, save_on_close=False, **options) as session:
            session.run(pipeline_names=[pipeline])
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:
        Path(f"{log}.error").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def end(child: int, number: int | None = None, after: float = 0.0) -> int:
    """Wait for the child's end, or send a signal after so many seconds; its code, negative for a signal."""
    until = time.monotonic() + after
    while number is not None and time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    if number is not None:
        os.kill(child, number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def results(data_root: Path) -> dict[str, str]:
    """Path of every result -> its SHA-256, without times: tables, metrics, models, embeddings; no caches or copies."""
    found = {}
    for file in sorted(data_root.rglob("*")):
        path = file.relative_to(data_root).as_posix()
        if not file.is_file() or path.startswith(".") or file.name in ("provenance.json", "checksums.json"):
            continue
        if CACHES & set(path.split("/")):
            continue
        if file.suffix in (".safetensors", ".parquet"):
            found[path] = hashlib.sha256(file.read_bytes()).hexdigest()
        elif file.suffix == ".csv":
            table = pd.read_csv(file, dtype=str)
            kept = table[[name for name in table if not any(word in name for word in TIMES)]]
            found[path] = hashlib.sha256(kept.to_csv().encode()).hexdigest()
        elif file.suffix == ".json":
            content = without_times(json.loads(file.read_text()))
            found[path] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return found


def without_times(content):
    """The same JSON without the keys that are times."""
    if isinstance(content, dict):
        return {key: without_times(inside) for key, inside in content.items() if not any(word in key for word in TIMES)}
    return [without_times(inside) for inside in content] if isinstance(content, list) else content
