"""What a training step takes on a GPU: samples a second, MFU, and what distillation adds to the student's own step.

    python benchmarks/gpu.py --json gpu.json
    python benchmarks/gpu.py --tiny --device cpu        # a rehearsal: tiny networks and batches

The step is that of the training loop (``set_up``: network, losses, AdamW, clipping, schedule, Fabric's precision) on
random inputs that lie on the device already; ``loop`` is ``train_epoch`` itself, with sampler, copies from memory and
augmentation, and ``waits`` the share of its time for which it waited for data (``data_wait_share``). Arms are those of
conf/base. A student's own step is timed in turn with that of each arm, and the ratio is the median over the rounds.
FLOPs: of the forward pass of encoder, embedding and classifier as torch.utils.flop_counter counts them (2 a
multiplication with addition), times 3 for forward and backward, the same for every arm; MFU is what they make a second
of 989 TFLOP/s, an H100 SXM's dense bf16, whatever the precision of the row.
"""

import argparse
import gc
import json
import os
import statistics
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", "/tmp/inductor")  # noqa: S108 (a cache)

import numpy as np
import torch
from gpu_world import TEACHER_DIM, Values, arm_of, encoder_of, machine, random_projection, synchronise
from torch.utils.flop_counter import FlopCounterMode

from cross_modal_kd.compute import make_fabric, progress_bar, repeatable
from cross_modal_kd.config import ComputeConfig, EncoderConfig, InputConfig, TrainingConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier, full_products
from cross_modal_kd.modalities import augmentation
from cross_modal_kd.modalities.speech.ecapa import Ecapa
from cross_modal_kd.models import Student, build_projection
from cross_modal_kd.training.data import TeacherSide, TrainingData
from cross_modal_kd.training.loop import set_up, train_epoch
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.student import build_objective

PEAK = 989e12
DIM, CLASSES = 192, 5994  # VoxCeleb2's speakers
ARMS = ("soft_both_quality", "rkd", "soft_contrast")
PRECISIONS = {"32": ("32-true", False), "tf32": ("32-true", True), "bf16": ("bf16-mixed", True)}
EPOCH = 4  # batches
ROUND_S = 0.35  # a round of steps takes about that long
HEADER = (
    "student",
    "arm",
    "precision",
    "batch",
    "variant",
    "samples/s",
    "step ms",
    "TFLOP/s",
    "MFU",
    "x plain",
    "GiB",
    "waits",
)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    variant: empty for the loop's defaults, else names joined by +. loop: ``train_epoch`` itself. compiled:
    training.compile. free: not training.deterministic. speechbrain: ECAPA by speechbrain's own code. autotuned: cuDNN
    tries its algorithms.
    """

    student: str
    batch: int
    arm: str = "none"
    precision: str = "bf16"
    variant: str = ""

    def has(self, name: str) -> bool:
        """Whether the variant names it."""
        return name in self.variant.split("+")

    @property
    def steps(self) -> int:
        """Steps in what is timed: of ``loop`` an epoch."""
        return EPOCH if self.has("loop") else 1


@dataclass(frozen=True)
class Sizes:
    """encoders: modality and encoder by name. batches: the sweep. inputs: what a sample is."""

    encoders: dict[str, tuple[str, EncoderConfig]]
    batches: list[int]
    inputs: InputConfig


def sizes(given: argparse.Namespace) -> Sizes:
    """The students, full or tiny."""
    width, tail = (16, 48) if given.tiny else (1024, 3072)
    ecapa: dict[str, Any] = {"channels": [width] * 4 + [tail], "lin_neurons": 192}
    ecapa |= {"kernel_sizes": [5, 3, 3, 3, 1], "dilations": [1, 2, 3, 4, 1]}
    resnet: dict[str, Any] = {"channels": [8, 8, 16, 16]} if given.tiny else {"channels": [128, 128, 256, 256]}
    encoders = {
        "ECAPA-1024": ("speech", encoder_of("speechbrain", "ECAPA_TDNN", **ecapa)),
        "ResNet34": ("speech", encoder_of("speechbrain", "ResNet", lin_neurons=256, **resnet)),
        "image ResNet18": ("image", encoder_of("timm", "test_resnet" if given.tiny else "resnet18")),
    }
    speech = {"crop_s": 0.3 if given.tiny else given.crop_s, "n_mels": 80}
    inputs = InputConfig(image={"size": 32 if given.tiny else 112}, speech=speech)
    chosen = {name: each for name, each in encoders.items() if not given.students or name in given.students}
    return Sizes(chosen, [4, 8] if given.tiny else given.batches, inputs)


class Bench:
    """Runs cases on one device.

    Args:
        size: students and inputs.
        device: where.
    """

    def __init__(self, size: Sizes, device: torch.device) -> None:
        self.size, self.device = size, device
        self.flops: dict[str, float] = {}
        self.peaks: dict[Case, int] = {}
        self.waits: dict[Case, list[float]] = {}

    def data(self, case: Case, batches: int) -> TrainingData:
        """Random inputs for so many batches, each with a teacher embedding of its own."""
        modality, number = self.size.encoders[case.student][0], batches * case.batch
        generator = torch.Generator().manual_seed(0)
        if modality == "speech":
            speech = self.size.inputs.speech  # type: ignore[attr-defined]
            values = torch.rand(number, int(speech.crop_s * speech.sample_rate), generator=generator) - 0.5
        else:
            image = self.size.inputs.image  # type: ignore[attr-defined]
            shape = (number, image.channels, image.size, image.size)
            values = torch.randint(256, shape, generator=generator, dtype=torch.uint8)
        rng = np.random.default_rng(0)
        pairs = [np.array([row]) for row in range(number)]
        side = TeacherSide.from_candidates(rng.normal(size=(number, TEACHER_DIM)), pairs)
        weights = torch.rand(number, generator=generator) + 0.5
        labels = torch.randint(CLASSES, (number,), generator=generator)
        return TrainingData(Values(values), labels, weights, weights, None if case.arm == "none" else side)

    def module(self, case: Case) -> DistillationModule:
        """Network and losses of the case."""
        torch.manual_seed(0)
        how, encoder = arm_of(case.arm), self.size.encoders[case.student][1]
        student = Student(encoder, self.size.inputs, DIM)
        projection = build_projection(random_projection(DIM, CLASSES)) if how.constraints else None
        classifier = AAMSoftmaxClassifier(CLASSES, DIM)
        module = DistillationModule(student, classifier, build_objective(how), projection, how.joint)
        return module.to(self.device)

    def step(self, case: Case) -> Callable[[], None]:
        """() -> one step of the training, or a whole epoch of it where the variant is ``loop``."""
        precision = PRECISIONS[case.precision][0]
        config = TrainingConfig(
            epochs=10**4,
            batch_size=case.batch,
            lr=1e-4,
            compute=ComputeConfig(precision=precision, accelerator=self.device.type),
            deterministic=not case.has("free"),
            compile=case.has("compiled"),
        )
        module, loop = self.module(case), case.has("loop")
        if case.student not in self.flops:
            self.flops[case.student] = self.count(module, self.data(case, 1))
        augment = augmentation(self.size.encoders[case.student][0]) if loop else None
        plan = Plan(config, DevMetric("none", lambda _: 0.0, True), augment)
        fabric = make_fabric(config)
        running = set_up(module, self.data(case, EPOCH if loop else 2), plan, fabric)
        module.train()
        if loop:
            bar = progress_bar(total=1, desc="loop", disable=True)
            waits = self.waits.setdefault(case, [])
            return lambda: waits.append(train_epoch(running, plan, fabric, bar)["data_wait_share"])
        batches = cycle(list(islice(running.reader.epoch(0), 2)))

        def step() -> None:
            total, _ = running.wrapped(next(batches))
            running.optimizer.zero_grad()
            fabric.backward(total)
            fabric.clip_gradients(running.wrapped, running.optimizer, max_norm=5.0, error_if_nonfinite=False)
            running.optimizer.step()
            running.schedule.step()

        return step

    def count(self, module: DistillationModule, data: TrainingData) -> float:
        """FLOPs of one sample's step: 3 times those of its forward pass."""
        few = data.inputs.__getitems__([_Row(row) for row in range(2)])[1].to(self.device)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            module.classifier.logits(module.student(few))
        return 3 * counter.get_total_flops() / len(few)

    @contextmanager
    def settings(self, case: Case) -> Iterator[None]:
        """What the case has of TF32, algorithms and ECAPA's code, in the contexts of the loop."""
        backends = torch.backends
        before = backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32, backends.cudnn.benchmark
        backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = PRECISIONS[case.precision][1]
        backends.cudnn.benchmark = case.has("autotuned")
        ours = Ecapa.forward
        if case.has("speechbrain"):
            Ecapa.forward = Ecapa.__base__.forward  # type: ignore[method-assign, union-attr]
        try:
            with full_products(self.device), repeatable(self.device, not case.has("free")):
                yield
        finally:
            Ecapa.forward = ours  # type: ignore[method-assign]
            backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32, backends.cudnn.benchmark = before

    def timed(self, case: Case, step: Callable[[], None], steps: int) -> float:
        """Seconds of one step, the mean of so many."""
        with self.settings(case):
            synchronise(self.device)
            if self.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            started = time.perf_counter()
            for _ in range(steps):
                step()
            synchronise(self.device)
            seconds = (time.perf_counter() - started) / steps
        if self.device.type == "cuda":
            self.peaks[case] = max(self.peaks.get(case, 0), torch.cuda.max_memory_allocated())
        return seconds

    def measure(self, cases: list[Case], rounds: int = 3) -> list[dict[str, Any]]:
        """Rows of the cases, timed in turn; the first is what the others are compared with."""
        self.peaks.clear()
        made: list[tuple[Case, Callable[[], None]]] = []
        for case in cases:
            with self.settings(case):
                made.append((case, self.step(case)))
        counts = []
        for case, step in made:
            first = self.timed(case, step, 2)  # kernels are loaded and chosen, or compiled
            second = first if first > 30 and case.has("loop") else self.timed(case, step, 1)
            counts.append(max(1, min(50, int(ROUND_S / second))))
        taken = [[self.timed(*each, count) for each, count in zip(made, counts, strict=True)] for _ in range(rounds)]
        times = [[each / case.steps for each, case in zip(row, cases, strict=True)] for row in taken]
        return [self.row(case, times, place) for place, case in enumerate(cases)]

    def row(self, case: Case, times: list[list[float]], place: int) -> dict[str, Any]:
        """What was found of a case."""
        seconds = statistics.median(each[place] for each in times)
        rate = case.batch / seconds
        flops = self.flops[case.student] * rate
        ratio = statistics.median(each[place] / each[0] for each in times) if place else None
        spread = max(each[place] for each in times) / min(each[place] for each in times) - 1
        return asdict(case) | {
            "samples_s": rate,
            "step_ms": 1000 * seconds,
            "spread": spread,
            "tflop_s": flops / 1e12,
            "mfu": flops / PEAK,
            "ratio": ratio,
            "gib": self.peaks.get(case, 0) / 2**30,
            "data_wait_share": statistics.median(self.waits[case]) if case in self.waits else None,
        }


@dataclass(frozen=True)
class _Row:
    row: int


def ceilings(device: torch.device) -> dict[str, str]:
    """What the card does at best: a bf16 product of matrices, and a copy."""
    if device.type != "cuda":
        return {}
    one, other = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    large = torch.empty(2**31, device=device, dtype=torch.uint8)
    works: dict[str, tuple[Callable[[], Any], float, str]] = {
        "bf16 product of 8192 x 8192": (lambda: one @ other, 2 * 8192**3 / 1e12, "TFLOP/s"),
        "copy of 2 GiB, read and written": (large.clone, 2 * 2**31 / 1e12, "TB/s"),
    }
    found = {}
    for name, (work, amount, unit) in works.items():
        for _ in range(3):
            work()
        synchronise(device)
        started = time.perf_counter()
        for _ in range(10):
            work()
        synchronise(device)
        found[name] = f"{10 * amount / (time.perf_counter() - started):.3g} {unit}"
    return found


def groups(size: Sizes, precision: str, compile_too: bool, everything: bool) -> Iterator[list[Case]]:
    """What is measured, in the order of what matters; the cases of a group are timed in turn."""
    middle = size.batches[min(1, len(size.batches) - 1)]
    plain = {name: Case(name, middle, precision=precision) for name in size.encoders}
    for name, case in plain.items():
        variants = ["free", "loop", *(["speechbrain"] if name.startswith("ECAPA") else [])]
        yield [case, *(replace(case, variant=each) for each in variants), replace(case, arm=ARMS[0], variant="loop")]
    if compile_too:
        for case in plain.values():
            fast = replace(case, variant="compiled")
            yield [case, fast, replace(case, arm=ARMS[0], variant="compiled+loop")]
    for case in plain.values() if everything else list(plain.values())[-1:]:
        yield [case, *(replace(case, arm=arm) for arm in ARMS)]
    for case in plain.values() if everything else ():
        yield [case, replace(case, variant="autotuned")]
        yield from ([replace(case, batch=batch)] for batch in size.batches if batch != middle)
        yield from ([replace(case, precision=each)] for each in PRECISIONS if each != precision)


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    names = [str(row[name]) for name in ("student", "arm", "precision", "batch")] + [row["variant"] or "-"]
    if "error" in row:
        return [*names, row["error"], *[""] * (len(HEADER) - 6)]
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
    rates = [f"{row['samples_s']:.0f}", f"{row['step_ms']:.2f}", f"{row['tflop_s']:.1f}", f"{100 * row['mfu']:.1f} %"]
    waits = "" if row["data_wait_share"] is None else f"{row['data_wait_share']:.1%}"
    return [*names, *rates, ratio, f"{row['gib']:.1f}", waits]


def attempt(bench: Bench, cases: list[Case]) -> list[dict[str, Any]]:
    """The rows of a group; what fails is a row that says so, and a group that fails is tried one by one."""
    try:
        return bench.measure(cases)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        memory = isinstance(error, torch.OutOfMemoryError)
        told = "out of memory" if memory else f"{type(error).__name__}: {str(error)[:200]} ({where.name})"
        error.__traceback__ = None
    if len(cases) > 1:
        return [row for case in cases for row in attempt(bench, [case])]
    return [asdict(cases[0]) | {"error": " ".join(told.split())}]


def main() -> None:
    """Print the table, each row as it is there, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cpu: to rehearse, with --tiny")
    parser.add_argument("--students", nargs="*", default=[], help="all where none is named")
    parser.add_argument("--batches", nargs="*", type=int, default=[128, 256, 512, 1024])
    parser.add_argument("--crop-s", type=float, default=2.0, help="seconds of speech: 2 are 201 frames of 80 bands")
    parser.add_argument("--all", action="store_true", help="other batches, precisions and arms too")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--limit-s", type=float, default=240, help="nothing is begun after that many seconds")
    parser.add_argument("--json", type=Path, help="where the numbers go too, after every group")
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error(
            "--device cuda: this measures a GPU, and torch finds none here (torch.cuda.is_available() is False); run "
            "it on a machine with one, or rehearse it with --tiny --device cpu"
        )
    warnings.filterwarnings("ignore")
    started, device = time.perf_counter(), torch.device(given.device)
    about = machine(device) | ceilings(device)
    print("\n".join(f"- {name}: {what}" for name, what in about.items()))
    print(f"\n| {' | '.join(HEADER)} |\n{'|---' * len(HEADER)}|", flush=True)
    rows: list[dict[str, Any]] = []
    bench = Bench(sizes(given), device)
    precision = "bf16" if device.type == "cuda" else "32"
    for cases in groups(bench.size, precision, not given.no_compile, given.all):
        if time.perf_counter() - started > given.limit_s:
            rows.extend(asdict(case) | {"error": "not begun: out of time"} for case in cases)
            continue
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        found = attempt(bench, cases)
        rows.extend(found)
        print("\n".join(f"| {' | '.join(cells(row))} |" for row in found), flush=True)
        if given.json:
            content = {"machine": about, "gflop_a_sample_step": {k: v / 1e9 for k, v in bench.flops.items()}}
            given.json.write_text(json.dumps(content | {"rows": rows}, indent=1), encoding="utf-8")
    skipped = sum("not begun" in row.get("error", "") for row in rows)
    flops = ", ".join(f"{name} {each / 1e9:.3g}" for name, each in bench.flops.items())
    print(f"\nGFLOP of one sample's step: {flops}. {time.perf_counter() - started:.0f} s; {skipped} rows not begun.")


if __name__ == "__main__":
    main()
