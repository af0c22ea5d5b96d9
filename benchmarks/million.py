"""What the work on tables costs at a million samples: seconds, memory, and how both grow.

    python benchmarks/million.py --rows 1000000
    python benchmarks/million.py --rows 100000

A set that is made up, without files: N sounds of N / 50 people, ten clips of each with five sounds and one picture of
the face, so N / 5 pictures for the teacher. It goes through the project's own functions, stage by stage, as `kedro run`
calls them: what the layout ``folder`` makes of paths, the candidates, the table of facts (each sample costs one call
that gives made-up facts), splits, the schema, Parquet, folds, pairs, ranks and weights of quality, the drawing of ten
trials a sample, the teacher's table on disk, what a training is given and the batches of two epochs.

N is ``--rows``, a tenth and a hundredth of it, each in a process of its own. Peak: the most memory that the process
holds (RSS) during a stage, its libraries included; what allocators keep free of the stages before is given back first.
Growth: the exponent b of seconds ~ N^b between the two largest sizes (1 is linear); stages of less than 0.05 s have
none.
"""

import argparse
import ctypes
import gc
import hashlib
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from timing import machine

PER_LABEL, PER_GROUP, FOLDS, DIM, BATCH = 50, 5, 5, 256, 256
TRIALS_A_SAMPLE = 10
SHORTEST = 0.05  # seconds of a stage that a growth is given of


def status(field: str) -> float:
    """A number of /proc/self/status, in MB; NaN where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return math.nan
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":")), math.nan)


class Stages:
    """Seconds and peak memory of one stage after the other."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        gc.collect()
        pyarrow.default_memory_pool().release_unused()
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        peak = status("VmHWM")
        if math.isnan(peak):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.rows.append({"stage": name, "seconds": seconds, "peak_mb": peak})
        print(f"{name}: {seconds:.1f} s, {peak:,.0f} MB", file=sys.stderr, flush=True)


def paths(rows: int) -> tuple[list[str], list[str]]:
    """Paths of the sounds and of the pictures, as a walk of the folder gives them."""
    sounds = [
        f"id{n // PER_LABEL:06d}/{n // PER_GROUP % (PER_LABEL // PER_GROUP):02d}/{n % PER_GROUP}.wav"
        for n in range(rows)
    ]
    pictures = [
        f"id{n // (PER_LABEL // PER_GROUP):06d}/{n % (PER_LABEL // PER_GROUP):02d}/face.png"
        for n in range(rows // PER_GROUP)
    ]
    return sounds, pictures


def look(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a look at a made-up file tells: the facts of a real one without reading it."""
    facts = {"sha256": hashlib.sha256(row["sample_id"].encode()).hexdigest()}
    if row["modality"] == "speech":
        return facts | {"duration_s": 4.0, "sample_rate": 16000}
    return facts | {"width": 112, "height": 112}


def measures_of(samples: pd.DataFrame) -> pd.DataFrame:
    """Made-up measures, a column each, as ``measure_samples`` gives them."""
    rng = np.random.default_rng(0)
    table = samples[["sample_id", "modality"]].copy()
    for modality, names in MEASURES.items():
        own = (samples["modality"] == modality).to_numpy()
        for name in names:
            table[name] = np.where(own, rng.normal(size=len(table)), np.nan)
    return table


MEASURES = {"speech": ["snr_wada", "decay", "dynamics"], "image": ["sharpness", "exposure"]}


def one_size(rows: int, folder: Path) -> list[dict[str, Any]]:
    """Every stage at one size."""
    from cross_modal_kd.config import (
        EvaluationConfig,
        IngestionConfig,
        InputConfig,
        SourcesConfig,
        TaskConfig,
        WeightConfig,
    )
    from cross_modal_kd.evaluation import make_trials
    from cross_modal_kd.pipelines.ingestion.nodes import read_sources, split_and_save
    from cross_modal_kd.quality import Scoring, sample_weights, score_samples
    from cross_modal_kd.samples import (
        EmbeddingTable,
        Kept,
        deal_folds,
        inspect_rows,
        load_table,
        pair,
        reject_conflicting,
        save_table,
        split_rows,
    )
    from cross_modal_kd.samples.schema import SAMPLES
    from cross_modal_kd.sources import LAYOUTS
    from cross_modal_kd.sources.files import Files
    from cross_modal_kd.sources.folder import FolderOptions, rows_of
    from cross_modal_kd.sources.listing import Listing, listing
    from cross_modal_kd.storage import read_columns
    from cross_modal_kd.tasks import kind_of
    from cross_modal_kd.tracking import fingerprint
    from cross_modal_kd.training.data import TeacherSide, TrainingData
    from cross_modal_kd.training.keys import data_fingerprint

    sounds, pictures = paths(rows)
    found = {"sounds": Files(sounds, {}), "pictures": Files(pictures, {})}

    def listed(name: str, *_: object) -> Listing:
        table, others = rows_of("set", found.pop(name), FolderOptions(group="parent"))
        return listing(table.assign(source=name), others)

    LAYOUTS["made_up"] = listed
    task = TaskConfig(name="million", kind="verification", student="speech", teacher="image", pairing="instance")
    sources = SourcesConfig({name: {"layout": "made_up", "root": "."} for name in found})
    ingestion = IngestionConfig(split={"train": 0.6, "dev": 0.1, "test": 0.3})
    design = kind_of(task).design
    stages = Stages()
    with stages.stage("start: imports and paths"):
        import torch
    with stages.stage("list: paths to candidates, ids checked"):
        del sounds, pictures
        candidates, passed_over = read_sources(task, sources, ingestion)
    with stages.stage("table of facts, the first time"):
        inspected, _ = inspect_rows(candidates, look, ingestion, Kept(folder / "facts", "made up", stamps))
    with stages.stage("table of facts, again"):
        inspected, unusable = inspect_rows(candidates, look, ingestion, Kept(folder / "facts", "made up", stamps))
        del candidates
    with stages.stage("copies, splits, leaks, pairs checked"):
        kept, conflicting = reject_conflicting(inspected, "reject")
        del inspected
        samples = split_and_save(
            kept, pd.concat([passed_over, unusable, conflicting]), task, sources, ingestion
        ).samples
        del kept, unusable, conflicting
    with stages.stage("schema, Parquet and back"):
        SAMPLES.validate(samples).to_parquet(folder / "samples.parquet")
        samples = SAMPLES.validate(pd.read_parquet(folder / "samples.parquet"))
    with stages.stage(f"{FOLDS} folds"):
        folds = deal_folds(samples, task, design, ingestion.split, FOLDS)
        del folds
    with stages.stage("pairs"):
        pair(samples, task)
    with stages.stage("quality: ranks and weights"):
        measures = measures_of(samples)
        scores = score_samples(samples, measures, Scoring(MEASURES, "worst", by_domain=False))
        weights = sample_weights(samples, scores, task, WeightConfig())
        del measures, scores
    with stages.stage("trials: all targets, and impostors"):
        per_split = 0.3 * rows * (PER_LABEL - 1) / 2
        evaluation = EvaluationConfig(max_impostors=max(100, int(TRIALS_A_SAMPLE * rows - per_split)))
        trials = make_trials(samples, task, evaluation)
        drawn = len(trials)
    with stages.stage("trials: fingerprint, Parquet and back"):
        fingerprint(trials)
        trials.to_parquet(folder / "trials.parquet")
        del trials
        trials = read_columns(folder / "trials.parquet")
        del trials
    with stages.stage(f"teacher's table, {DIM} numbers a row, to disk"):
        teachers = samples.loc[samples["modality"] == task.teacher, "sample_id"].tolist()
        values = np.random.default_rng(0).standard_normal((len(teachers), DIM), dtype=np.float32)
        save_table(folder / "table", EmbeddingTable(teachers, values, "made up"))
        del teachers, values
    with stages.stage("teacher's table, opened; 10,000 rows of it"):
        table = load_table(folder / "table")
        table.at(table.sample_ids[:: max(1, len(table) // 10_000)])
    with stages.stage("teacher's side of every pair"):
        train, pairing = split_rows(samples, task.student, "train"), pair(samples, task)
        pool = pairing.pool[pd.Index(pairing.student_ids).get_indexer(pd.Index(train["sample_id"]))]
        side = TeacherSide.from_pools(table.at(pairing.teacher_ids), pool, pairing.rows, pairing.starts)
    with stages.stage("run key of the data"):
        data_fingerprint(samples, task, InputConfig(), table, {}, weights)
    with stages.stage("sampler: two epochs, partners drawn"):
        ones = torch.ones(len(train))
        labels = torch.from_numpy(pd.factorize(train["label"])[0])
        inputs: Any = Unread(len(train))
        sampler = TrainingData(inputs, labels, ones, ones, side).sampler(BATCH, seed=0)
        pairs = torch.Generator().manual_seed(0)
        for sampler.epoch in range(2):
            for batch in sampler:
                side.draw(torch.tensor([item.row for item in batch]), pairs)
    stages.rows.append({"stage": "trials drawn", "count": drawn})
    return stages.rows


class Unread:
    """The inputs of a training, of which none is read."""

    variants = 1

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count


def stamps(rows: pd.DataFrame) -> pd.DataFrame:
    """Root, size and times of made-up files."""
    return pd.DataFrame({"root": 0, "size": 1, "mtime_ns": 1, "ctime_ns": 1}, index=rows.index)


def measured(rows: int) -> list[dict[str, Any]]:
    """One size in a process of its own."""
    command = [sys.executable, __file__, "--one", str(rows)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def growth(sizes: list[int], seconds: list[float]) -> str:
    """The exponent between the last two sizes."""
    if len(sizes) < 2 or seconds[-2] < SHORTEST:
        return ""
    return f"{math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2]):.2f}"


def table(sizes: list[int], found: list[list[dict[str, Any]]]) -> Iterator[str]:
    """Lines of the table: a stage each, and all of them."""
    heads = [[f"{size:,}: {unit}" for size in sizes] for unit in ("s", "MB")]
    yield line("stage", *heads[0], "growth", *heads[1])
    yield "|---" * (2 + 2 * len(sizes)) + "|"
    for stages in zip(*found, strict=True):
        if "seconds" in stages[0]:
            seconds = [stage["seconds"] for stage in stages]
            peaks = [f"{stage['peak_mb']:,.0f}" for stage in stages]
            yield line(stages[0]["stage"], *(f"{each:.2f}" for each in seconds), growth(sizes, seconds), *peaks)
    whole = [sum(stage.get("seconds", 0) for stage in stages) for stages in found]
    peaks = [f"{max(stage.get('peak_mb', 0) for stage in stages):,.0f}" for stages in found]
    yield line("all", *(f"{each:.1f}" for each in whole), growth(sizes, whole), *peaks)
    yield line("trials drawn", *(f"{stages[-1]['count']:,}" for stages in found), *[""] * (1 + len(sizes)))


def line(*cells: str) -> str:
    """A line of the table."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, and the machine that it is of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="student samples of the largest set")
    parser.add_argument("--quick", action="store_true", help="does it run? a thousand rows")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(one_size(given.one, Path(folder))))
        return
    given.rows = 1000 if given.quick else given.rows
    sizes = [size for size in (given.rows // 100, given.rows // 10, given.rows) if size >= 1000]
    print("\n".join(table(sizes, [measured(size) for size in sizes])))
    print(f"\n{machine('numpy', 'pandas', 'pyarrow')}")


if __name__ == "__main__":
    main()
