"""Does this tree leave the same tables, models and metrics as another commit?

    python scripts/same_results.py 6f4f3cc                     # both trees run everything, then the files are compared
    python scripts/same_results.py 6f4f3cc --only distill:test  # some of the runs
    python scripts/same_results.py --roots OLD NEW              # two data roots that are there already

Both trees run on this machine with one thread, the other commit in a worktree of its own. A file is compared by the
SHA-256 of its content: of every byte for models and embeddings; of every value of Parquet tables, whether a text is one
of a column's categories or not; of CSV and JSON after the columns and keys of ``NOT_RESULTS`` (seconds, dates) are
taken out and those of ``RENAMED`` have their new names.
``RENAMED_VALUES`` does the same for words in cells and values, ``RENAMED_PLACES`` for parts of paths. The names of
folders and files that end in a hash of their inputs are compared without it, as sets. Pages and plots (HTML, PNG) are
no results: they are counted as equal or not, and decide nothing.

The exit code is 1 where a result differs, or is there on one side only.
"""

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

PROJECT = Path(__file__).parents[1]
RUNS = (
    "distill:test",
    "comparison:test",
    "regimes:test",
    "robustness:test",
    "tuning:test",
    "quality_study:test",
    "distill:base",
)
NOT_RESULTS = {"seconds", "train_seconds", "train_seconds_mean", "data_wait_share", "date"}
RENAMED = {
    "setting": "condition",
    "head": "projection",
    "labelled_units": "labelled_clusters",
    "unit": "cluster",
    "units": "clusters",
}
RENAMED_VALUES = {
    "soft both, head trained on": "soft both, projection trained on",
    "as it stands": "unchanged",
    "teacher as it stands": "unchanged teacher",
}
RENAMED_PLACES = {"figures.json": "metrics.json", "/regimes/heads/": "/regimes/projections/"}
PAGES = {".html", ".png", ".md"}
CACHES = {"inspection_cache", "quality_cache"}
DRAWN = {"plots.json"}  # figures of the report, as SVG
PASSED_OVER = {"lock", ".gitkeep", "provenance.json", "studies.db", "checksums.json"}  # of files that hold seconds
KEY = re.compile(r"(?<=[-/])[0-9a-f]{12,64}(?=/|$)")


def plain(value: Any) -> Any:
    """JSON without what is no result, under the new names."""
    if isinstance(value, dict):
        kept = {RENAMED.get(key, key): plain(item) for key, item in value.items() if key not in NOT_RESULTS}
        return dict(sorted(kept.items()))
    if isinstance(value, list):
        return [plain(item) for item in value]
    return RENAMED_VALUES.get(value, value) if isinstance(value, str) else value


def digest(file: Path) -> str:
    """SHA-256 of what a file says."""
    content = file.read_bytes()
    if file.suffix == ".json":
        content = json.dumps(plain(json.loads(content)), sort_keys=True).encode()
    elif file.suffix == ".parquet":
        table = pd.read_parquet(file)
        names = table.select_dtypes("category").columns
        content = table.astype(dict.fromkeys(names, "str")).to_parquet(index=False)
    elif file.suffix == ".csv" and content.strip():
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        kept = table.drop(columns=[column for column in table if column in NOT_RESULTS]).rename(columns=RENAMED)
        content = kept.replace(RENAMED_VALUES).to_csv(index=False).encode()
    return hashlib.sha256(content).hexdigest()


def results(root: Path) -> dict[str, Counter[str]]:
    """Digests by the file's place."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file in sorted(root.glob("0[2-8]_*/**/*")):
        if CACHES.intersection(file.parts):
            continue
        if file.is_file() and file.name not in PASSED_OVER and ".tmp" not in file.name:
            found[place(file.relative_to(root))][digest(file)] += 1
    return found


def place(file: Path) -> str:
    """The path under its new name, the keys in it replaced by ``*``."""
    path = file.as_posix()
    for old, new in RENAMED_PLACES.items():
        path = path.replace(old, new)
    return KEY.sub("*", path)


def _is_page(at: str) -> bool:
    return Path(at).suffix in PAGES or Path(at).name in DRAWN


def compare(old: Path, new: Path) -> int:
    """Print what differs and a count; the number of results that differ."""
    before, after = results(old), results(new)
    different: list[str] = []
    counts: Counter[str] = Counter()
    for at in sorted(before.keys() | after.keys()):
        is_page = _is_page(at)
        first, second = before.get(at, Counter()), after.get(at, Counter())
        same = sum((first & second).values())
        apart = max(sum(first.values()), sum(second.values())) - same
        counts["pages and plots equal" if is_page else "results equal"] += same
        counts["pages and plots different" if is_page else "results different"] += apart
        if apart and not is_page:
            different.append(f"{at}: {sum(first.values())} before, {sum(second.values())} after, {same} of them equal")
    everything = "".join(f"{at}{sorted(after[at].items())}" for at in sorted(after) if not _is_page(at))
    print("\n".join(different))
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    print(f"SHA-256 over all results of the new tree: {hashlib.sha256(everything.encode()).hexdigest()}")
    return counts["results different"]


def run(tree: Path, root: Path, runs: list[str]) -> None:
    """Every run of one tree, with one thread, into its own data root."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"}
    environment = {**os.environ, **threads, **tracking, "PYTHONPATH": str(tree / "src")}
    root.mkdir(parents=True, exist_ok=True)
    for each in runs:
        pipeline, _, env = each.partition(":")
        command = [sys.executable, "-m", "kedro", "run", f"--pipelines={pipeline}", f"--params=data_root={root}"]
        print(f"{tree}: {pipeline}, {env}", flush=True)
        with (root / f"{pipeline}-{env}.log").open("w") as log:
            subprocess.run([*command, f"--env={env}"], cwd=tree, env=environment, stdout=log, stderr=log, check=True)


def main() -> int:
    """0 if all results are the same, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", help="the commit to compare with")
    parser.add_argument("--only", nargs="+", default=list(RUNS), metavar="PIPELINE:ENV", help="some of the runs")
    parser.add_argument("--roots", nargs=2, type=Path, metavar=("OLD", "NEW"), help="data roots that are there already")
    arguments = parser.parse_args()
    if arguments.roots:
        return int(compare(*arguments.roots) > 0)
    if not arguments.commit:
        parser.error("name a commit, or two data roots with --roots")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", tree, arguments.commit], cwd=PROJECT, check=True)
        try:
            run(tree, Path(folder) / "old", arguments.only)
            run(PROJECT, Path(folder) / "new", arguments.only)
            return int(compare(Path(folder) / "old", Path(folder) / "new") > 0)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=PROJECT, check=True)


if __name__ == "__main__":
    sys.exit(main())
