"""What a distilled step costs beside the student's own, for every arm of conf/base.

    python benchmarks/distilled.py
    python benchmarks/distilled.py --arms rkd soft_contrast --rounds 30

The default image student on random pictures and random embeddings of a teacher: its network, batch, optimiser and
augmentation. What is timed is ``train_epoch`` itself, two steps of it, of an arm and of ``none`` in turn, so that
drawing the pairs counts too. Where a network lies in memory may cost it some per cent, whatever it does: each arm has a
plain student of its own, and both are made anew several times, now one first and now the other. The ratio is the median
over the rounds of all of them, with its quartiles; ``!`` marks an arm that costs more than 5 %. The row ``none`` has
two plain students: what it is off 1 is the machine's. Where an arm trains its projection too, a last row has that
alone: the projection's own loss, gradient and step, of PyTorch and by nothing of ours.
"""

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_world import TEACHER_DIM, arm_data, arm_of, random_projection
from timing import CLOCKS, Beside, Work, beside, machine, table
from tqdm import tqdm

from cross_modal_kd.compute import kept_memory, make_fabric
from cross_modal_kd.config import InputConfig, StudentConfig, TrainingConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier
from cross_modal_kd.modalities import augmentation
from cross_modal_kd.models import Student, build_projection
from cross_modal_kd.training import ArmData
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up, train_epoch
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.student import build_objective, sample_weights

CONF = Path(__file__).parents[1] / "conf" / "base"
CLASSES, DIM, STEPS = 900, 128, 2  # training concepts of the default task; dimensions of its projection
GOAL = 1.05


def arms() -> list[str]:
    """All arms that conf/base names, but ``none``."""
    files = (CONF / "parameters_arms.yml", CONF / "studies" / "parameters_arms.yml")
    named = [name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8"))["arms"]]
    return [name for name in named if name != "none"]


def world(batch: int) -> tuple[ArmData, dict[str, Any]]:
    """A training split of ``STEPS`` batches, and the parameters of conf/base."""
    given = yaml.safe_load((CONF / "parameters.yml").read_text(encoding="utf-8"))
    return arm_data("image", STEPS * batch, CLASSES, InputConfig(**given["inputs"]), dev=2), given


def epoch_of(name: str, data: ArmData, given: dict[str, Any], batch: int) -> Callable[[], object]:
    """() -> one epoch of the arm, as a training takes it."""
    arm, student = arm_of(name), StudentConfig(**given["student"])
    training = TrainingConfig(
        **{**given["training"], "compute": {"accelerator": "cpu"}, "epochs": 10**6, "batch_size": batch}
    )
    torch.manual_seed(0)
    dim = DIM + student.free_dim
    network = Student(student.encoder, data.inputs, dim, student.dropout)
    classifier = AAMSoftmaxClassifier(CLASSES, dim, student.margin, student.scale)
    objective = build_objective(arm)
    projection = build_projection(random_projection(DIM, CLASSES, arm.projection)) if objective.terms else None
    module = DistillationModule(network, classifier, objective, projection, arm.joint)
    labels, weights = torch.from_numpy(data.labels), sample_weights(data, arm)
    split = TrainingData(data.train_inputs, labels, *weights, data.teacher if objective.terms else None)
    plan, fabric = Plan(training, DevMetric("none", lambda _: 0.0, True), augmentation("image")), make_fabric(training)
    running, bar = set_up(module, split, plan, fabric), tqdm(disable=True)
    return lambda: train_epoch(running, plan, fabric, bar)


def projection_alone(batch: int) -> Callable[[], None]:
    """() -> ``STEPS`` steps of a projection and nothing else, which no loop that trains it too can save."""
    projection = build_projection(random_projection(DIM, CLASSES)).train()
    optimizer = torch.optim.AdamW(projection.parameters(), foreach=True)
    embeddings, labels = torch.randn(batch, TEACHER_DIM), torch.randint(CLASSES, (batch,))

    def steps() -> None:
        for _ in range(STEPS):
            logits = projection.config.scale * projection(embeddings) @ projection.prototypes().T
            torch.nn.functional.cross_entropy(logits, labels).backward()
            optimizer.step()
            optimizer.zero_grad()

    return steps


def pairs(names: list[str], batch: int, peer_first: bool) -> dict[str, tuple[Work, Work]]:
    """By arm, its epoch and that of a plain student of its own."""
    data, given = world(batch)
    works: dict[str, tuple[Work, Work]] = {}
    for name in names:
        first, second = ("none", name) if peer_first else (name, "none")
        made = epoch_of(first, data, given, batch), epoch_of(second, data, given, batch)
        works[name] = (made[1], made[0]) if peer_first else made
    if any(arm_of(name).joint for name in names):
        works["a projection alone"] = projection_alone(batch), epoch_of("none", data, given, batch)
    return works


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="*", default=["none", *arms()], choices=["none", *arms()])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=2, help="of each world")
    parser.add_argument("--worlds", type=int, default=4, help="how often all students are made")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where the machine has other work")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--memory", choices=["kept", "free"], default="kept", help="free: as glibc does by itself")
    parser.add_argument("--quick", action="store_true", help="does it run? two arms, a small batch, one round")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.quick:
        given.arms, given.batch, given.rounds, given.worlds = ["soft_both_quality", "rkd"], 8, 1, 1
    taken: dict[str, Beside] = {}
    with kept_memory() if given.memory == "kept" else nullcontext():  # kept in a training
        for number in range(given.worlds):
            works = pairs(given.arms, given.batch, peer_first=number % 2 == 1)
            for name, more in beside(works, given.rounds, CLOCKS[given.clock]).items():
                taken[name] = taken.get(name, Beside([], [])) + more
    head = [f"arm, {STEPS} steps of {given.batch}", "distilled", "plain", "distilled / plain"]
    print("\n".join(table(head, ([name, *each.cells(GOAL)] for name, each in taken.items()))))
    print(f"\n{machine('torch', 'lightning-fabric')}; {given.threads} threads, {given.clock} clock")


if __name__ == "__main__":
    main()
