"""How the cost of a constraint grows with the batch, the classes and the embedding, beside the student's own loss.

    python benchmarks/growth.py
    python benchmarks/growth.py --kinds rkd contrastive_bank --rounds 20

Forward and backward of each constraint, with its own defaults, and of the student's own classifier (AAM-Softmax) on as
many samples, classes and dimensions, in turn, on one thread. One of the three sizes is changed at a time, the others
stay at the default task's. Cells: milliseconds, and over the classifier's; growth: the exponent b of ms ~ size^b
between the two largest sizes.
"""

import argparse
import math
import statistics
from collections.abc import Callable, Iterator

import torch
from constraints import CLASSES, constraint_step
from timing import CLOCKS, Beside, beside, machine, repeated, table

from cross_modal_kd.losses import CONSTRAINTS, AAMSoftmaxClassifier

DEFAULTS = {"batch": 128, "classes": CLASSES, "dim": 128}
SIZES = {"batch": [64, 128, 256, 512], "classes": [900, 1800, 3600, 7200], "dim": [128, 256, 512, 1024]}
KINDS = ["cosine", "classifier_kl", "hinton_kd", "relational", "rkd", "contrastive_bank"]


def own_step(batch: int, classes: int, dim: int) -> Callable[[], None]:
    """Forward and backward of the student's own loss."""
    classifier, labels = AAMSoftmaxClassifier(classes, dim), torch.randint(classes, (batch,))
    embeddings = torch.randn(batch, dim, requires_grad=True)

    def step() -> None:
        classifier.loss(embeddings, labels).mean().backward()

    return step


def measured(given: argparse.Namespace, name: str) -> dict[str, list[Beside]]:
    """For each constraint what it takes at each size of one of the three."""
    found: dict[str, list[Beside]] = {kind: [] for kind in given.kinds}
    for size in given.sizes[name]:
        sizes = {**DEFAULTS, name: size}
        own = repeated(own_step(**sizes), given.repeats)
        works = {
            kind: (
                repeated(constraint_step(kind, sizes["dim"], sizes["batch"], sizes["classes"]), given.repeats),
                own,
            )
            for kind in given.kinds
        }
        for kind, each in beside(works, given.rounds, CLOCKS[given.clock]).items():
            found[kind].append(each)
    return found


def rows(given: argparse.Namespace, name: str) -> Iterator[list[str]]:
    """A row for each constraint, and for the classifier."""
    found, sizes = measured(given, name), given.sizes[name]

    def row(what: str, seconds: list[list[float]], ratios: list[str]) -> list[str]:
        ms = [1000 * statistics.median(each) / given.repeats for each in seconds]
        growth = math.log(ms[-1] / ms[-2]) / math.log(sizes[-1] / sizes[-2])
        return [what, *(f"{each:.2f}{ratio}" for each, ratio in zip(ms, ratios, strict=True)), f"{growth:.1f}"]

    own = [[second for kind in given.kinds for second in found[kind][place].peer] for place in range(len(sizes))]
    yield row("the student's own loss", own, [""] * len(sizes))
    for kind in given.kinds:
        yield row(kind, [each.work for each in found[kind]], [f", {each.ratio:.2f} x" for each in found[kind]])


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=sorted(CONSTRAINTS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where the machine has other work")
    parser.add_argument("--quick", action="store_true", help="does it run? small sizes, one round")
    given = parser.parse_args()
    given.sizes, given.repeats = SIZES, 3
    if given.quick:
        given.sizes, given.rounds, given.repeats = {name: [8, 16] for name in SIZES}, 1, 1
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, sizes in given.sizes.items():
        fixed = ", ".join(f"{other} {size}" for other, size in DEFAULTS.items() if other != name)
        head = [f"{name} ({fixed})", *(f"{size}: ms" for size in sizes), "growth"]
        print("\n".join(table(head, rows(given, name))), flush=True)
        print()
    print(f"{machine('torch')}; 1 thread")


if __name__ == "__main__":
    main()
