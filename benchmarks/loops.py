"""What the training loop costs beside one written by hand, and beside SpeechBrain's, on the same network and batches.

    python benchmarks/loops.py
    python benchmarks/loops.py --batch 32 --rounds 12

Random pictures and sounds in memory, without augmentation, losses of the task alone. Ours is ``train_epoch``, with
memory kept as in a training. Each has a process of its own, so that what one sets for itself does not reach the other.
With ``bf16-mixed`` it is the same comparison by a setting that a CPU with bf16 units may be given. The loop
by hand is what PyTorch's tutorials write: a permutation, the loss, ``zero_grad``, ``backward``, clipping, AdamW, a
one-cycle schedule, on the same modules. SpeechBrain's is ``Brain.fit_batch`` over a DataLoader, with its own
ECAPA-TDNN, classifier and margin loss, on our features of the same sounds. Two epochs take turns; the ratio is the
median over the rounds, with its quartiles. Speed is theirs over ours: above 1, ours is faster.
"""

import argparse
import copy
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_world import Values, random_inputs
from speechbrain.core import Brain
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.ECAPA_TDNN import Classifier as SpeechBrainClassifier
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from timing import CLOCKS, Beside, Elsewhere, Work, beside, machine, table
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from cross_modal_kd.compute import kept_memory, make_fabric
from cross_modal_kd.config import EncoderConfig, InputConfig, TrainingConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier, Objective
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import Student
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up, train_epoch
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan

PARAMETERS = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
CLASSES, DIM, MARGIN, SCALE, CLIP = 900, 192, 0.2, 16.0, 5.0
EPOCHS = 10**4
HELD = ExitStack()


class World:
    """A student, and sounds or pictures for some steps.

    Args:
        modality: of the student, of which it is the default.
        batch: samples of a step.
        steps: of an epoch.
        threads: of torch.
        precision: of our loop.
    """

    def __init__(self, modality: str, batch: int, steps: int, threads: int, precision: str = "auto") -> None:
        torch.set_num_threads(threads)
        given = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
        encoders = {"image": given["student"]["encoder"], "speech": modality_of("speech").student["encoder"]}
        self.encoder, self.inputs = EncoderConfig(**encoders[modality]), InputConfig(**given["inputs"])
        self.training = TrainingConfig(
            epochs=EPOCHS,
            batch_size=batch,
            lr=1e-3,
            grad_clip=CLIP,
            compute={"accelerator": "cpu", "precision": precision},
        )
        self.batch, self.steps = batch, steps
        self.labels, self.values = random_inputs(modality, batch * steps, self.inputs, CLASSES)

    def parts(self) -> tuple[Student, AAMSoftmaxClassifier]:
        """Network and classifier, the same each time."""
        torch.manual_seed(0)
        return Student(self.encoder, self.inputs, DIM), AAMSoftmaxClassifier(CLASSES, DIM, MARGIN, SCALE)


def ours(*given: Any) -> Callable[[], object]:
    """() -> one epoch of the training loop in a world."""
    world = World(*given)
    HELD.enter_context(kept_memory())  # for as long as this process lasts
    ones = torch.ones(len(world.labels))
    data = TrainingData(Values(world.values), world.labels, ones, ones)
    plan, fabric = Plan(world.training, DevMetric("none", lambda _: 0.0, True)), make_fabric(world.training)
    module = DistillationModule(*world.parts(), Objective({}), None)
    running, bar = set_up(module, data, plan, fabric), tqdm(disable=True)
    return lambda: train_epoch(running, plan, fabric, bar)


def by_hand(*given: Any) -> Callable[[], None]:
    """() -> one epoch of a loop that is written by hand."""
    world = World(*given)
    student, classifier = world.parts()
    parameters = [*student.parameters(), *classifier.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=world.training.lr, weight_decay=world.training.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, world.training.lr, total_steps=EPOCHS * world.steps + 1)

    def epoch() -> None:
        student.train()
        for rows in torch.randperm(len(world.labels)).split(world.batch):
            loss = classifier.loss(student(world.values[rows]), world.labels[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            schedule.step()

    return epoch


class SpeakerBrain(Brain):
    """SpeechBrain's recipe for speakers, on our features."""

    def compute_forward(self, batch: Any, stage: Any) -> torch.Tensor:  # noqa: ARG002
        """Waveforms to outputs of the classifier."""
        return self.modules.classifier(self.modules.network(self.modules.features(batch[0])))

    def compute_objectives(self, predictions: torch.Tensor, batch: Any, stage: Any) -> torch.Tensor:  # noqa: ARG002
        """The margin loss."""
        return self.hparams.loss(predictions, batch[1][:, None])


def by_speechbrain(*given: Any) -> Callable[[], None]:
    """() -> one epoch of SpeechBrain's loop over its own network."""
    world = World(*given)
    student, _ = world.parts()
    features: Any = student.encoder.features
    modules = {
        "features": copy.deepcopy(features),
        "network": ECAPA_TDNN(input_size=world.inputs.speech.n_mels, **world.encoder.options),  # type: ignore[attr-defined]
        "classifier": SpeechBrainClassifier(world.encoder.options["lin_neurons"], out_neurons=CLASSES),
    }
    brain = SpeakerBrain(
        modules,
        opt_class=lambda each: torch.optim.AdamW(each, lr=world.training.lr, weight_decay=world.training.weight_decay),
        hparams={"loss": LogSoftmaxWrapper(AdditiveAngularMargin(MARGIN, SCALE))},
        run_opts={"device": "cpu", "max_grad_norm": CLIP},
    )
    brain.on_fit_start()
    loader = DataLoader(TensorDataset(world.values, world.labels), world.batch, shuffle=True)

    def epoch() -> None:
        brain.modules.train()
        for batch in loader:
            brain.step += 1
            brain.fit_batch(batch)

    return epoch


def row(name: str, taken: Beside) -> list[str]:
    """A row of the table, with the speed too."""
    return [name, *taken.cells(), f"{1 / taken.ratio:.2f}"]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="cpu: where the machine has other work")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="does it run? a step of four, one round")
    given = parser.parse_args()
    steps = {"image": 32, "speech": 2}
    if given.quick:
        given.batch, given.rounds, steps = 4, 1, dict.fromkeys(steps, 1)
    image, speech = ((modality, given.batch, count, given.threads) for modality, count in steps.items())
    own, sounds = Elsewhere(ours, *speech), Elsewhere(by_speechbrain, *speech)
    works: dict[str, tuple[Work, Work]] = {
        "image student, by hand": (Elsewhere(ours, *image), Elsewhere(by_hand, *image)),
        "ECAPA-TDNN, by hand": (own, Elsewhere(by_hand, *speech)),
        "ECAPA-TDNN, SpeechBrain's Brain": (own, sounds),
        "ECAPA-TDNN with bf16-mixed, SpeechBrain's Brain": (Elsewhere(ours, *speech, "bf16-mixed"), sounds),
    }
    taken = beside(works, given.rounds, CLOCKS[given.clock])
    head = [f"student and peer, epochs of {steps['image']} or {steps['speech']} steps of {given.batch}"]
    head += ["ours", "peer", "ours / peer", "speed"]
    print("\n".join(table(head, (row(*each) for each in taken.items()))))
    print(f"\n{machine('torch', 'lightning-fabric', 'speechbrain')}; {given.threads} threads, {given.clock} clock")


if __name__ == "__main__":
    main()
