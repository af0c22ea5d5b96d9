"""What each constraint costs, forward and backward, beside the default training step.

    python benchmarks/constraints.py
    python benchmarks/constraints.py --kinds rkd --dims 128 --rounds 30

The default step is that of ``conf/base``: the student, augmentation, batch and optimizer of the default task under the
arm ``none``, with random pictures in place of emoji. It and the constraints are timed in turn, round by round, so that
what else the machine does falls on all of them; the fastest of the rounds counts. A constraint's share is its time over
the step's, of a student with that dimension (``projection.dim``; the default is 128). All are on the CPU, once with one
thread and once with two.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import torch
import yaml
from timing import CLOCKS, machine
from torch import Tensor

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config import InputConfig, StudentConfig, TrainingConfig
from cross_modal_kd.losses import (
    CONSTRAINTS,
    AAMSoftmaxClassifier,
    ConstraintInputs,
    Objective,
    build_constraint,
    teacher_logits,
    unit,
)
from cross_modal_kd.modalities import Inputs, augmentation
from cross_modal_kd.models import Student
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan

PARAMETERS = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
CLASSES = 900  # training concepts of the default task, and instances of its bank
DIMS = (128, 192, 256, 512)
LIMIT = 5.0  # percent of the step


class Pictures(Inputs):
    """Random pictures (N, C, H, W) of bytes, in memory as the default task's are."""

    def __init__(self, number: int, config: InputConfig) -> None:
        image = config.image  # type: ignore[attr-defined]
        self.sample_ids = [str(index) for index in range(number)]
        self._values = torch.randint(256, (number, image.channels, image.size, image.size), dtype=torch.uint8)

    def __getitems__(self, items) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
        """(indices, pictures) of the items."""
        rows = torch.tensor([item.row for item in items])
        return rows, self._values[rows]


def default_step(matched: int) -> Callable[[], None]:
    """One step of the default training, as ``train_epoch`` takes it, with that many dimensions for the teacher."""
    given = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    inputs, student = InputConfig(**given["inputs"]), StudentConfig(**given["student"])
    training = TrainingConfig(**{**given["training"], "compute": {"accelerator": "cpu"}, "epochs": 10**6})
    dim = matched + student.free_dim
    number = 8 * training.batch_size
    data = TrainingData(
        Pictures(number, inputs), torch.randint(CLASSES, (number,)), torch.ones(number), torch.ones(number)
    )
    classifier = AAMSoftmaxClassifier(CLASSES, dim, student.margin, student.scale)
    module = DistillationModule(
        Student(student.encoder, inputs, dim, student.dropout), classifier, Objective({}), projection=None
    )
    plan = Plan(training, DevMetric("none", lambda _: 0.0, True), augmentation("image"))
    fabric = make_fabric(training)
    running = set_up(module, data, plan, fabric)
    module.train()

    def batches() -> Iterator:
        for epoch in count():
            yield from running.reader.epoch(epoch)

    coming = batches()

    def step() -> None:
        total, _ = running.wrapped(next(coming))
        running.optimizer.zero_grad()
        fabric.backward(total)
        fabric.clip_gradients(
            running.wrapped, running.optimizer, max_norm=training.grad_clip or torch.inf, error_if_nonfinite=False
        )
        running.optimizer.step()
        running.schedule.step()

    return step


def batch_of(dim: int, size: int, classes: int = CLASSES) -> ConstraintInputs:
    """A batch as a training gives it to constraints: the student's side asks for a gradient, the teacher's does not.

    The projection stands still, so that its prototypes and the bank are normalised once, and not in every step.
    """
    student = torch.randn(size, dim, requires_grad=True)
    return ConstraintInputs(
        student,
        torch.nn.functional.normalize(torch.randn(size, dim)),
        torch.randint(classes, (size,)),
        prototypes=unit(torch.randn(classes, dim)),
        student_raw=student,
        teacher_raw=torch.randn(size, dim),
        student_logits=torch.randn(size, classes, requires_grad=True),
        bank=unit(torch.randn(classes, dim)),
        bank_rows=torch.randint(classes, (size,)),
        scale=16.0,
        normalised=True,
    )


def constraint_step(kind: str, dim: int, size: int, classes: int = CLASSES) -> Callable[[], None]:
    """Forward and backward of one constraint with its own defaults; logits of the teacher that it takes are looked up.

    A training works them out once, for all of the teacher's embeddings (``training.known``).
    """
    constraint, inputs = build_constraint(kind), batch_of(dim, size, classes)
    rows, answers = torch.randint(classes, (size,)), teacher_logits(inputs.bank, inputs.prototypes, inputs.scale)

    def step() -> None:
        logits = answers[rows] if constraint.takes_teacher_logits else None
        constraint(replace(inputs, teacher_logits=logits)).reduce().backward()

    return step


def fastest(
    steps: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float], repeats: int = 3
) -> dict[str, float]:
    """Milliseconds of each step, the fastest of all rounds; the first round is not counted."""
    best = dict.fromkeys(steps, float("inf"))
    for number in range(rounds + 1):
        for name, step in steps.items():
            for _ in range(repeats):
                started = clock()
                step()
                seconds = clock() - started
                best[name] = min(best[name], 1000 * seconds) if number else best[name]
    return best


def measure(given: argparse.Namespace, threads: int) -> list[str]:
    """Rows of the table for one number of threads."""
    kinds, dims = given.kinds, given.dims
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    steps = {f"step/{dim}": default_step(dim) for dim in dims}
    steps |= {f"{kind}/{dim}": constraint_step(kind, dim, given.batch) for kind in kinds for dim in dims}
    taken = fastest(steps, given.rounds, CLOCKS[given.clock])
    of_step = [taken[f"step/{dim}"] for dim in dims]
    rows = [f"| {threads} | default step | {' | '.join(f'{each:.1f} ms' for each in of_step)} |"]
    for kind in kinds:
        shares = [(taken[f"{kind}/{dim}"], 100 * taken[f"{kind}/{dim}"] / taken[f"step/{dim}"]) for dim in dims]
        cells = [f"{ms:.2f} ms, {share:.1f} %{' !' if share > LIMIT else ''}" for ms, share in shares]
        rows.append(f"| {threads} | {kind} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Print one table; ``!`` marks what costs more than ``LIMIT`` percent of the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="*", default=sorted(CONSTRAINTS), choices=sorted(CONSTRAINTS))
    parser.add_argument("--dims", nargs="*", type=int, default=list(DIMS))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where the machine has other work")
    parser.add_argument("--quick", action="store_true", help="does it run? one constraint, a small batch, one round")
    given = parser.parse_args()
    if given.quick:
        given.kinds, given.dims, given.batch, given.rounds, given.threads = ["cosine"], [8], 4, 1, [1]
    print(f"| threads | constraint, batch of {given.batch} | {' | '.join(f'd = {dim}' for dim in given.dims)} |")
    print("|---" * (2 + len(given.dims)) + "|")
    for threads in given.threads:
        print("\n".join(measure(given, threads)), flush=True)
    print(f"\n{machine('torch', 'lightning-fabric')}")


if __name__ == "__main__":
    main()
