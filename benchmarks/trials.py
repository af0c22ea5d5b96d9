"""What a list of trials costs at the field's size, and matching in growing galleries, each beside its peer.

    python benchmarks/trials.py
    python benchmarks/trials.py --trials 400000 --galleries 1000 5000 --rounds 1     # a short look

Random embeddings of speakers, a list as VoxCeleb writes it, everything on the CPU; VoxCeleb1's own three lists have
their published numbers of trials, targets, speakers and files, and 1,000 resamples of the speakers for each interval.
Time is the fastest of the rounds, of which the published lists have one, and in which a row and its peer take turns;
memory is the highest of the process beyond what it held before (Linux with glibc: VmHWM), so that of the embeddings
themselves is not in it. The peers: scores gathered in blocks of 100,000 pairs, scikit-learn's ``roc_curve`` with EER
and minDCF read off it (with weights, of a resample), and a matrix of all cosines with a turn of a Python loop for each
query. Both sides of a row are checked to agree.
"""

import argparse
import ctypes
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve
from timing import machine

from cross_modal_kd.config import ScoreTrialsConfig
from cross_modal_kd.evaluation import measure_trials, read_trials, score_trials
from cross_modal_kd.metrics import (
    Cosines,
    bootstrap_verification,
    cluster_weights,
    cohort_scores,
    cosine_scores,
    det_curve,
    eer_at,
    match_places,
    min_dcf_at,
    normalised_scores,
    unit_rows,
)

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
COSTS = (0.01, 0.05)
PUBLISHED = {
    "O": (37_611, 18_802, 40, 118),
    "E": (579_818, 289_921, 1251, 116),
    "H": (550_894, 275_488, 1190, 116),
}
"""Of VoxCeleb1's cleaned lists: trials, targets (PaddleSpeech's README), speakers (RawNeXt #3), files of each."""
NATIONALITIES = 36
RESAMPLES = 20
"""Of which each is measured beside scikit-learn's curve of it."""


@dataclass
class Row:
    """A row of the table: what is done and its peer (None: there is none), and what they take."""

    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any] | None = None


def speakers(count: int, of_each: int, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings of ``count`` speakers in float32, and whose they are."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(count, dim)).astype(np.float32)
    noise = generator.normal(size=(count * of_each, dim)).astype(np.float32)
    whose = np.arange(count).repeat(of_each)
    return unit_rows(centres[whose] + 2 * noise), whose


def draw_pairs(whose: np.ndarray, trials: int, targets: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides of each trial, int32, and 1 for one speaker; ``targets`` is their share."""
    generator = np.random.default_rng(seed)
    enrol, test = (generator.integers(0, len(whose), trials, dtype=np.int32) for _ in range(2))
    of_each = len(whose) // (whose[-1] + 1)
    same = generator.random(trials) < targets
    test[same] = enrol[same] // of_each * of_each + test[same] % of_each
    return enrol, test, (whose[enrol] == whose[test]).astype(np.int8)


def in_large_blocks(unit: np.ndarray, enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Scores, 100,000 pairs at a time."""
    parts = (slice(start, start + 100_000) for start in range(0, len(enrol), 100_000))
    return np.concatenate([np.einsum("nd,nd->n", unit[enrol[part]], unit[test[part]]) for part in parts])


def errors(scores: np.ndarray, labels: np.ndarray) -> list[float]:
    """EER and both minDCF."""
    points = det_curve(scores, labels)
    return [eer_at(points), *(min_dcf_at(points, p_target) for p_target in COSTS)]


def errors_of_scikit_learn(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> list[float]:
    """The same from ``roc_curve``."""
    far, hits, _ = roc_curve(labels, scores, sample_weight=weights)
    gap = 1 - hits - far
    after = int(np.argmax(gap <= 0))
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    even = far[after - 1] + share * (far[after] - far[after - 1])
    return [float(even), *(float((p * (1 - hits) + (1 - p) * far).min() / p) for p in COSTS)]


def query_by_query(queries: np.ndarray, items: np.ndarray, wanted: np.ndarray, n: int) -> list[float]:
    """1:N accuracy of N = n and mAP from the whole matrix; each query has one match."""
    similarity = (queries @ items.T).astype(np.float64)
    picked, precision = [], []
    for scores, own in zip(similarity, wanted.tolist(), strict=True):
        others = np.sort(np.delete(scores, own))
        below = np.searchsorted(others, scores[own], "left")
        precision.append(1 / (len(scores) - below))
        chosen = np.arange(n - 1)
        picked.append(np.prod(np.clip(below - chosen, 0, None) / (len(others) - chosen)))
    return [float(np.mean(picked)), float(np.mean(precision))]


def in_blocks(queries: np.ndarray, items: np.ndarray, wanted: np.ndarray, n: int) -> list[float]:
    """The same, ours."""
    places = match_places(Cosines(queries, items), wanted, np.arange(len(items)))
    return [places.one_of_n(n).value, places.average_precision().value]


def write_list(file: Path, enrol: np.ndarray, test: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """A list in VoxCeleb's form."""
    with file.open("w") as out:
        for start in range(0, len(enrol), 100_000):
            part = slice(start, start + 100_000)
            sides = zip(labels[part].tolist(), enrol[part].tolist(), test[part].tolist(), strict=True)
            out.writelines(f"{label} {names[one]}.wav {names[other]}.wav\n" for label, one, other in sides)


def memory(field: str) -> float:
    """VmRSS or VmHWM of this process in MB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1000


def taken(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, MB beyond what was held before, and what it gives."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was freed goes back, or it would hide what is taken
    CLEAR.write_text("5")  # the highest starts anew
    held, started = memory("VmRSS"), time.perf_counter()
    value = call()
    return time.perf_counter() - started, memory("VmHWM") - held, value


def measured(row: Row, rounds: int) -> str:
    """A row of the table."""
    calls = [row.ours] if row.peer is None else [row.ours, row.peer]
    seconds, megabytes, values = [np.inf] * len(calls), [0.0] * len(calls), [None] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            took, held, values[place] = taken(call)
            seconds[place], megabytes[place] = min(seconds[place], took), max(megabytes[place], held)
    cells = [f"{took:.2f} s | {held:.0f} MB" for took, held in zip(seconds, megabytes, strict=True)]
    if row.peer is None:
        return f"| {row.name} | {cells[0]} | | | |"
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6, atol=1e-6)
    return f"| {row.name} | {' | '.join(cells)} | {seconds[1] / seconds[0]:.1f} |"


def of_a_list(given: argparse.Namespace, folder: Path) -> list[Row]:
    """Reading, scoring and normalising a list."""
    unit, whose = speakers(given.embeddings // 25, 25, given.dim, seed=0)
    cohort, _ = speakers(given.cohort, 1, given.dim, seed=1)
    enrol, test, labels = draw_pairs(whose, given.trials, 0.5, seed=2)
    names = [f"id{10_000 + speaker}/{speaker:011d}/{number % 25:05d}" for number, speaker in enumerate(whose.tolist())]
    write_list(folder / "list.txt", enrol, test, labels, names)
    np.savez(folder / "embeddings.npz", names=names, values=unit)
    asked = ScoreTrialsConfig(trials=str(folder / "list.txt"), embeddings=str(folder / "embeddings.npz"))

    def normalise() -> np.ndarray:
        return normalised_scores(scores, enrol, test, cohort_scores(Cosines(unit, cohort), 300))

    scores = cosine_scores(unit, enrol, test)
    size = f"{given.trials:,} trials of {len(unit):,} embeddings"
    return [
        Row(
            f"scores: {size} (d = {given.dim})",
            lambda: cosine_scores(unit, enrol, test),
            lambda: in_large_blocks(unit, enrol, test),
        ),
        Row(f"as-norm of these by the 300 nearest of {given.cohort:,} speakers", normalise),
        Row("the list read from its text", lambda: len(read_trials(folder / "list.txt"))),
        Row("all of score_trials but Kedro: files to scores, errors and DET", lambda: whole(asked)),
    ]


def whole(asked: ScoreTrialsConfig) -> float:
    """What the pipeline's node does, but for drawing."""
    return measure_trials(score_trials(asked), asked).metrics["eer"]


def draw_published(
    trials: int, targets: int, whose: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides of each trial, int32, and 1 for one speaker: so many of them."""
    generator = np.random.default_rng(seed)
    count = int(whose[-1]) + 1
    of_each = len(whose) // count
    labels = generator.permutation(np.arange(trials) < targets).astype(np.int8)
    enrol = generator.integers(0, len(whose), trials, dtype=np.int32)
    apart = np.where(labels == 1, 0, generator.integers(1, count, trials))
    test = (whose[enrol] + apart) % count * of_each + generator.integers(0, of_each, trials)
    return enrol, test.astype(np.int32), labels


def of_published(given: argparse.Namespace, folder: Path) -> list[Row]:
    """Lists of VoxCeleb1's lengths from files to figures, with and without intervals by speaker."""
    rows = []
    for name, (trials, targets, count, of_each) in given.published.items():
        unit, whose = speakers(count, of_each, given.dim, seed=6)
        enrol, test, labels = draw_published(trials, targets, whose, seed=7)
        names = [f"id{10_000 + who}/{number % of_each // 8:011d}/{number:05d}" for number, who in enumerate(whose)]
        write_list(folder / f"{name}.txt", enrol, test, labels, names)
        np.savez(folder / f"{name}.npz", names=names, values=unit)
        table = pd.DataFrame({"sample_id": names, "label": whose.astype(str)})
        table["condition_gender"] = np.where(whose % 2, "f", "m")
        table["condition_nationality"] = (whose % NATIONALITIES).astype(str)
        table["condition_session"] = table["sample_id"].str.slice(0, 19)
        table.to_parquet(folder / f"{name}.parquet")
        paths = {"trials": str(folder / f"{name}.txt"), "embeddings": str(folder / f"{name}.npz")}
        size = f"VoxCeleb1-{name}, cleaned: {trials:,} trials of {len(unit):,} files, {count:,} speakers"
        with_speakers: dict[str, Any] = {"table": str(folder / f"{name}.parquet"), "bootstrap": given.bootstrap}
        rows += [
            Row(f"{size}; score_trials", _bound(whole, ScoreTrialsConfig(**paths))),
            Row(
                "the same with intervals, and by gender, nationality and session",
                _bound(whole, ScoreTrialsConfig(**paths, speakers=with_speakers)),
            ),
        ]
    scores, sides = cosine_scores(unit, enrol, test), (whose[enrol], whose[test])
    weights = cluster_weights(count, RESAMPLES, seed=0)
    calls = (_bound(each, scores, labels, sides, weights) for each in (resampled, resampled_by_scikit_learn))
    return [*rows, Row(f"EER and two minDCF in {RESAMPLES} resamples of the speakers of the last", *calls)]


def resampled(scores: np.ndarray, labels: np.ndarray, sides: tuple[np.ndarray, ...], weights: np.ndarray) -> np.ndarray:
    """(R, 3) of the resamples, ours."""
    found = bootstrap_verification([scores], labels, *sides, weights, COSTS)
    return np.concatenate([found.eer, *(found.min_dcf[p] for p in COSTS)], axis=1)


def resampled_by_scikit_learn(
    scores: np.ndarray, labels: np.ndarray, sides: tuple[np.ndarray, ...], weights: np.ndarray
) -> np.ndarray:
    """The same, a curve for each."""
    one, other = sides
    drawn = (np.where(one == other, counts[one], counts[one] * counts[other]) for counts in weights)
    return np.array([errors_of_scikit_learn(scores, labels, each) for each in drawn])


def of_errors(given: argparse.Namespace) -> list[Row]:
    """EER and minDCF, of a list as VoxCeleb's (half targets) and of one as CN-Celeb's (1 in 200)."""
    generator, rows = np.random.default_rng(3), []
    for targets in (0.5, 0.005):
        labels = (generator.random(given.scores) < targets).astype(np.int8)
        scores = (generator.normal(size=given.scores) + 3 * labels).astype(np.float32)
        name = f"EER and two minDCF: {given.scores:,} scores, {100 * targets:g} % targets"
        rows.append(Row(name, *(_bound(each, scores, labels) for each in (errors, errors_of_scikit_learn))))
    return rows


def of_matching(given: argparse.Namespace) -> list[Row]:
    """1:50 and mAP of as many queries as the gallery has items."""
    rows = []
    for size in given.galleries:
        items, _ = speakers(size, 1, given.dim, seed=4)
        queries = unit_rows(items + 0.15 * np.random.default_rng(5).normal(size=items.shape).astype(np.float32))
        calls = (_bound(each, queries, items, np.arange(size), 50) for each in (in_blocks, query_by_query))
        ours, peer = calls
        peer = peer if size <= given.largest_matrix else None
        rows.append(Row(f"1:50 and mAP: {size:,} queries in {size:,} items", ours, peer))
    return rows


def _bound(function: Callable[..., Any], *values: Any) -> Callable[[], Any]:
    return lambda: function(*values)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=4_000_000)
    parser.add_argument("--embeddings", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--cohort", type=int, default=6000)
    parser.add_argument("--scores", type=int, default=3_700_000)
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples for each interval")
    parser.add_argument("--galleries", type=int, nargs="*", default=[1000, 4000, 16_000])
    parser.add_argument("--largest-matrix", type=int, default=8000, help="galleries above it are ours alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="does it run? a short list, one round")
    given = parser.parse_args()
    given.published = PUBLISHED
    if given.quick:
        given.trials, given.embeddings, given.cohort, given.scores = 2000, 200, 400, 20_000
        given.galleries, given.rounds, given.bootstrap = [100], 1, 50
        given.published = {"O": (2000, 1000, 40, 20)}
    print(
        f"| what | time | memory | peer | its memory | peer / ours |\n{'|---' * 6}|",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        for rows, rounds in ((of_a_list, given.rounds), (of_published, 1)):
            for row in rows(given, Path(folder)):
                print(measured(row, rounds), flush=True)
        for rows_of in (of_errors, of_matching):
            for row in rows_of(given):
                print(measured(row, given.rounds), flush=True)
    print(f"\n{machine('numpy', 'scikit-learn')}")


if __name__ == "__main__":
    main()
