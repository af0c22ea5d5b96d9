"""How fast inputs are read, whole, by crops and by workers, and their quality measured; how trainings wait for them.

    python benchmarks/data_path.py
    python benchmarks/data_path.py --clips 400 --rounds 5 --workers 0 1 2 4

Clips of 10 s (noise in bursts, which compresses about as speech does), of which a training crop of 2 s is taken at a
random place, as ``inputs.cache_mb: 0`` reads them: all of it is ``load_inputs`` and the training's own loader. What is
compared in the first three tables is timed in turn, round by round, so that what else the machine does falls on all of
it; the fastest of the rounds counts. Everything lies in the cache of the file system: it is decoding that is measured,
not a disk.

``x real time``: seconds of sound that come out in a second on one core, for a crop its own 2 s. ``of whole``: time of a
crop over that of decoding the whole clip and cropping it. ``of files``: time over that of plain files without workers.
``of decoding``: time of a measure over that of decoding what it measures, a clip of FLAC or a JPEG of 250 x 250.
``waiting for data``: ``data_wait_share`` of a training's second epoch, on all cores.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
import yaml
from lightning_fabric import Fabric
from PIL import Image
from timing import machine
from tqdm import tqdm

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config import EncoderConfig, InputConfig, SourceConfig, SourcesConfig, TrainingConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier, Objective
from cross_modal_kd.modalities import Inputs, Item, augmentation, load_inputs, modality_of
from cross_modal_kd.models import Student
from cross_modal_kd.quality import measure
from cross_modal_kd.samples import Roots, update_shards
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up, train_epoch
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.running import Running
from cross_modal_kd.training.sampler import EpochSampler
from cross_modal_kd.training.workers import InputLoader

PARAMETERS = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
SECONDS, CROP_S, RATE, BATCH = 10.0, 2.0, 16_000, 64
FORMATS = {
    "wav": ("wav", "PCM_16", RATE),
    "flac": ("flac", "PCM_16", RATE),
    "aiff": ("aiff", "PCM_16", RATE),
    "ogg": ("ogg", "VORBIS", RATE),
    "mp3": ("mp3", "MPEG_LAYER_III", RATE),
    "flac at 48 kHz": ("flac", "PCM_16", 48_000),
}
GROUP = 50  # rows of a row group, 10 MB of FLAC
CONFIG = InputConfig(speech={"sample_rate": RATE, "crop_s": CROP_S, "eval_s": CROP_S}, image={"size": 112}, cache_mb=0)


def bursts(rate: int, seed: int) -> np.ndarray:
    """Noise that comes and goes, (T,)."""
    rng = np.random.default_rng(seed)
    noise = np.convolve(rng.normal(size=int(SECONDS * rate)), np.ones(8) / 8, mode="same")
    return 0.3 * noise * np.repeat(rng.uniform(0, 1, 50) ** 3, int(SECONDS * rate) // 50)


def written(folder: Path, name: str, count: int) -> pd.DataFrame:
    """Clips of one format in a folder, and their rows."""
    ending, subtype, rate = FORMATS[name]
    folder.mkdir()
    for number in range(count):
        soundfile.write(folder / f"{number}.{ending}", bursts(rate, number), rate, subtype=subtype)
    paths = [f"{number}.{ending}" for number in range(count)]
    frames = [soundfile.info(folder / path).frames / rate for path in paths]
    return rows(paths, folder).assign(modality="speech", duration_s=frames)


def rows(paths: list[str], folder: Path) -> pd.DataFrame:
    """The columns of the samples table that reading looks at."""
    digests = [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths]
    return pd.DataFrame({"sample_id": paths, "path": paths, "source": "made", "sha256": digests}).convert_dtypes()


def inputs_of(table: pd.DataFrame, folder: Path, shards: Path | None = None) -> Inputs:
    """The inputs of rows, read from a folder or from shards, whole where damage is to be done to them."""
    source = SourceConfig(layout="folder", root=str(folder), shards=None if shards is None else str(shards))
    return load_inputs(table["modality"].iloc[0], table, Roots({"made": source}), CONFIG)


def whole_of(table: pd.DataFrame, folder: Path) -> Inputs:
    """The same, of which the whole is decoded, as for a study that damages it."""

    def unchanged(sample_id: str, sample: np.ndarray, **_: object) -> np.ndarray:  # noqa: ARG001
        return sample

    roots = Roots({"made": SourceConfig(layout="folder", root=str(folder))})
    return load_inputs("speech", table, roots, CONFIG, unchanged)


def one_by_one(inputs: Inputs) -> Callable[[int], float]:
    """(epoch) -> seconds of this process for each of the inputs, read alone."""

    def measure(epoch: int) -> float:
        begun = time.process_time()
        for row in range(len(inputs)):
            inputs.__getitems__([Item(row, (0, epoch))])
        return (time.process_time() - begun) / len(inputs)

    return measure


def by_workers(inputs: Inputs, workers: int) -> Callable[[int], float]:
    """(epoch) -> seconds on the clock for each of the inputs, in the batches of an epoch; workers stay."""
    sampler = EpochSampler(torch.zeros(len(inputs), dtype=torch.long), BATCH, seed=0)
    loader = InputLoader(inputs, sampler, workers)

    def measure(epoch: int) -> float:
        sampler.epoch = epoch
        begun = time.perf_counter()
        read = sum(len(indices) for indices, _ in loader)
        return (time.perf_counter() - begun) / read

    return measure


def fastest(measured: dict[tuple, Callable[[int], float]], rounds: int) -> dict[tuple, float]:
    """Seconds of each, the fastest of all rounds; the first round, in which workers start, is not counted."""
    best = dict.fromkeys(measured, float("inf"))
    for number in range(rounds + 1):
        for name, work in measured.items():
            seconds = work(number)
            best[name] = min(best[name], seconds) if number else best[name]
    return best


def formats(base: Path, given: argparse.Namespace) -> Iterator[str]:
    """Rows of the first table."""
    yield f"| format, {SECONDS:g} s | whole, x real time | crop of {CROP_S:g} s, x real time | of whole |"
    yield "|---" * 4 + "|"
    measured: dict[tuple, Callable[[int], float]] = {}
    for name in FORMATS:
        folder = base / name
        table = written(folder, name, given.clips // 4)
        measured[name, "whole"] = one_by_one(whole_of(table, folder))
        measured[name, "crop"] = one_by_one(inputs_of(table, folder))
    taken = fastest(measured, given.rounds)
    for name in FORMATS:
        whole, crop = taken[name, "whole"], taken[name, "crop"]
        yield f"| {name} | {SECONDS / whole:,.0f} | {CROP_S / crop:,.0f} | {crop / whole:.2f} |"


def places(base: Path, given: argparse.Namespace) -> Iterator[str]:
    """Rows of the second table."""
    yield "| read from | workers | crops of FLAC / s | of files | JPEG 250 x 250 / s | of files |"
    yield "|---" * 6 + "|"
    sounds, pictures = base / "sounds", base / "pictures"
    tables = [(written(sounds, "flac", given.clips), sounds), (painted(pictures, given.clips), pictures)]
    measured: dict[tuple, Callable[[int], float]] = {}
    for kind, (table, folder) in enumerate(tables):
        contents = [(folder / path).read_bytes() for path in table["path"]]
        pd.DataFrame({"name": table["path"], "bytes": contents}).to_parquet(
            folder / "all.parquet", row_group_size=GROUP, compression="none"
        )
        members = table.assign(path="all.parquet#" + table["path"])
        shards = base / f"shards-{kind}"
        sources = SourcesConfig({"made": SourceConfig(layout="folder", root=str(folder), shards=str(shards))})
        update_shards(table, sources, mb=64)
        there = {
            "files": inputs_of(table, folder),
            "parquet": inputs_of(members, folder),
            "shards": inputs_of(table, folder, shards),
        }
        measured |= {
            (kind, name, count): by_workers(inputs, count) for name, inputs in there.items() for count in given.workers
        }
    taken = fastest(measured, given.rounds)
    for name in ("files", "parquet", "shards"):
        for count in given.workers:
            cells = [
                f"{1 / taken[kind, name, count]:,.0f} | {taken[kind, name, count] / taken[kind, 'files', 0]:.2f}"
                for kind in range(2)
            ]
            yield f"| {name} | {count} | {' | '.join(cells)} |"


def measures(base: Path, given: argparse.Namespace) -> Iterator[str]:
    """Rows of the third table."""
    yield f"| measure | clips of {SECONDS:g} s / s | x real time | images of 250 x 250 / s | of decoding |"
    yield "|---" * 5 + "|"
    named = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))["quality"]["measures"]
    measured: dict[tuple, Callable[[int], float]] = {}
    for modality, folder, table in (
        ("speech", base / "measured", written(base / "measured", "flac", given.clips // 4)),
        ("image", base / "looked_at", painted(base / "looked_at", given.clips)),
    ):
        roots = Roots({"made": SourceConfig(layout="folder", root=str(folder))})
        inputs = read_all(modality, table, roots)
        measured[modality, "decoding"] = each_of(len(table), read_all, modality, table, roots)
        for name in named[modality]:
            measured[modality, name] = each_of(len(table), measure, modality_of(modality), [name], inputs)
    taken = fastest(measured, given.rounds)
    for (modality, name), seconds in taken.items():
        share = f"{seconds / taken[modality, 'decoding']:.2f}"
        if modality == "speech":
            yield f"| {name} | {1 / seconds:,.0f} | {SECONDS / seconds:,.0f} | | {share} |"
        else:
            yield f"| {name} | | | {1 / seconds:,.0f} | {share} |"


def read_all(modality: str, table: pd.DataFrame, roots: Roots) -> list[tuple]:
    """What the measures of a modality take, decoded as quality decodes it."""
    found = [modality_of(modality).read(row, roots) for row in table.to_dict("records")]
    return [(each.value, *each.about.values()) for each in found]


def each_of(count: int, work: Callable[..., object], *values: object) -> Callable[[int], float]:
    """(epoch) -> seconds of this process for each of so many that the work is done on."""

    def seconds(epoch: int) -> float:  # noqa: ARG001
        begun = time.process_time()
        work(*values)
        return (time.process_time() - begun) / count

    return seconds


def waits(base: Path, given: argparse.Namespace) -> Iterator[str]:
    """Rows of the fourth table."""
    yield f"| default student, batch of {given.batch} | inputs | workers | steps / s | waiting for data |"
    yield "|---" * 5 + "|"
    parameters = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    sounds, pictures = base / "heard", base / "seen"
    for table, folder, encoder, inputs in (
        (painted(pictures, 4 * given.batch), pictures, parameters["student"]["encoder"], parameters["inputs"]),
        (
            written(sounds, "flac", 2 * given.batch),
            sounds,
            modality_of("speech").student["encoder"],
            parameters["inputs"],
        ),
    ):
        for kept, count in ((True, 0), *((False, count) for count in given.workers)):
            config = InputConfig(**{**inputs, "cache_mb": 2048 if kept else 0})
            own = {"compute": {"accelerator": "cpu"}, "workers": count, "batch_size": given.batch}
            training = TrainingConfig(**{**parameters["training"], **own})
            running, plan, fabric = default_training(table, folder, encoder, config, training)
            with running.reading(), tqdm(disable=True) as bar:
                train_epoch(running, plan, fabric, bar)
                begun = time.perf_counter()
                row = train_epoch(running, plan, fabric, bar)
                speed = running.reader.steps / (time.perf_counter() - begun)
            where = "in memory" if kept else "read"
            yield f"| {table['modality'].iloc[0]} | {where} | {count} | {speed:.2f} | {row['data_wait_share']:.1%} |"


def default_training(
    table: pd.DataFrame, folder: Path, encoder: dict, config: InputConfig, training: TrainingConfig
) -> tuple[Running, Plan, Fabric]:
    """A training of a default student on its own task, ready for its first epoch."""
    roots = Roots({"made": SourceConfig(layout="folder", root=str(folder))})
    inputs, ones = load_inputs(table["modality"].iloc[0], table, roots, config), torch.ones(len(table))
    student, classifier = Student(EncoderConfig(**encoder), config, 128), AAMSoftmaxClassifier(64, 128, 0.2, 16.0)
    module = DistillationModule(student, classifier, Objective({}), None)
    plan = Plan(training, DevMetric("none", lambda _: 0.0, True), augmentation(table["modality"].iloc[0]))
    fabric = make_fabric(training)
    data = TrainingData(inputs, torch.arange(len(table)) % 64, ones, ones)
    return set_up(module, data, plan, fabric), plan, fabric


def painted(folder: Path, count: int) -> pd.DataFrame:
    """Pictures of 250 x 250, as a face set has them, and their rows."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        small.resize((250, 250), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
    return rows([f"{number}.jpg" for number in range(count)], folder).assign(modality="image")


def main() -> None:
    """Print four tables, and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--workers", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--batch", type=int, default=128, help="of the trainings")
    parser.add_argument("--quick", action="store_true", help="does it run? a few clips, one round, no workers")
    given = parser.parse_args()
    if given.quick:
        given.clips, given.batch, given.rounds, given.workers = 8, 4, 1, []
    given.workers = sorted({0, *given.workers})
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        for table in (formats, places, measures, waits):
            torch.set_num_threads(threads if table is waits else 1)
            for row in table(Path(folder), given):
                print(row, flush=True)
            print()
    print(machine("torch", "soundfile", "pillow"))


if __name__ == "__main__":
    main()
