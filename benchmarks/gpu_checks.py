"""Is a GPU's training the CPU's? Checks of the training code on random numbers, a line each, PASS, FAIL or SKIP.

    python benchmarks/gpu_checks.py
    python benchmarks/gpu_checks.py --device cpu --only resume   # a rehearsal without a GPU

No check stops the next one; the exit code is 1 where one fails. Nothing is read but conf/base, nothing is left on disk.
All trainings are ``train_arm``'s own: the loop, losses, sampler, checkpoints and dev metric of a run. CPU and GPU are
compared in float32 without TF32, which torch allows convolutions by default; what TF32 changes is said beside it.
``tests/training/test_gpu.py`` runs the same checks under pytest.
"""

import argparse
import math
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as make_fabric, before the first product of matrices
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", "/tmp/inductor")  # noqa: S108 (a cache)

import pandas as pd
import torch
from gpu_world import arm_data, arm_of, encoder_of, machine, random_projection
from torch import Tensor, nn

from cross_modal_kd.compute import make_fabric, pick_precision, progress_bar
from cross_modal_kd.config import InputConfig, StudentConfig, TrainingConfig
from cross_modal_kd.losses import (
    CONSTRAINTS,
    AAMSoftmaxClassifier,
    Classifier,
    ConstraintInputs,
    LinearClassifier,
    Objective,
    Term,
    build_constraint,
    full_products,
)
from cross_modal_kd.modalities import augmentation
from cross_modal_kd.models import ModelBundle, Student, build_projection, build_student
from cross_modal_kd.training import ArmData, embed_inputs, train_arm
from cross_modal_kd.training.checkpoint import load_state
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up, train_epoch
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan

Check = Callable[[torch.device], str]

LOSS_TOLERANCE = 1e-4  # of losses and gradients of one batch, relative, against float64
TRAINING_TOLERANCE = (
    0.02  # of the loss of an epoch after up to 30 steps, relative: Adam divides rounding by small numbers
)
EMBEDDING_TOLERANCE = 1e-4  # of embeddings, relative
TF32_TOLERANCE = 1e-2  # likewise where convolutions round their inputs to 10 bits
HALF_TOLERANCE = {
    "bf16-mixed": 0.05,  # of the loss of an epoch, relative
    # the scale of the loss starts at 2^16 and is halved until nothing overflows: those steps are passed over while the
    # learning rate goes on, and a training of 30 steps is some steps shorter
    "16-mixed": 0.1,
}
CLASSES, DIM, BATCH, STEPS_AN_EPOCH, EPOCHS = 20, 32, 32, 10, 3
TINY_ECAPA = {
    "channels": [32, 32, 32, 32, 96],
    "kernel_sizes": [5, 3, 3, 3, 1],
    "dilations": [1, 2, 3, 4, 1],
    "attention_channels": 16,
    "res2net_scale": 4,
    "se_channels": 16,
    "lin_neurons": 64,
}


class SkippedError(Exception):
    """What the check is about is not here."""


class StoppedError(Exception):
    """Raised by a check in the middle of a training."""


def require(holds: bool, message: str) -> None:
    """AssertionError with the message, unless it holds."""
    if not holds:
        raise AssertionError(message)


def student_of(modality: str) -> StudentConfig:
    """A small student of the modality.

    Raises:
        SkippedError: its library is missing.
    """
    try:
        if modality == "image":
            encoder = encoder_of("torchvision", "vgg", channels=[16, 32, 48])
        else:
            import speechbrain.lobes.models.ECAPA_TDNN  # noqa: F401
            import torchaudio  # noqa: F401

            encoder = encoder_of("speechbrain", "ECAPA_TDNN", **TINY_ECAPA)
    except ImportError as error:
        raise SkippedError(str(error)) from error
    return StudentConfig(encoder=encoder, free_dim=8)


def inputs_of() -> InputConfig:
    """Small inputs."""
    return InputConfig(image={"size": 32}, speech={"crop_s": 0.5, "eval_s": 0.5, "n_mels": 24})


@cache
def data_of(modality: str) -> ArmData:
    """Ten batches."""
    return arm_data(modality, STEPS_AN_EPOCH * BATCH, CLASSES, inputs_of())


def config_of(device: torch.device, **options: Any) -> TrainingConfig:
    """A training of 30 steps."""
    given = {"epochs": EPOCHS, "batch_size": BATCH, "lr": 2e-3, "eval_every": 1, "augment": False, "keep": "last"}
    compute = {"precision": options.pop("precision", "32-true"), "accelerator": device.type}
    return TrainingConfig(**{**given, "compute": compute, **options})


def train(
    modality: str,
    arm: str,
    device: torch.device,
    checkpoint: Path | None = None,
    watch: Callable[[dict[str, float], int], None] = lambda *_: None,
    **options: Any,
) -> tuple[ModelBundle, pd.DataFrame]:
    """``train_arm`` on the device: the student and its history without what the clock says."""
    how = arm_of(arm)
    bundle, history = train_arm(
        data_of(modality),
        student_of(modality),
        config_of(device, **options),
        how,
        random_projection(DIM, CLASSES, how.projection if how.projection in ("pca", "mlp") else "mlp"),
        name=arm,
        checkpoint=checkpoint,
        watch=watch,
    )
    return bundle, history.drop(columns=["seconds", "data_wait_share"])


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Whether convolutions and products may round their inputs."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@contextmanager
def noted() -> Iterator[list[str]]:
    """The operations that torch warns of, since they have no deterministic algorithm."""
    without: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield without
    told = {str(each.message).split()[0] for each in caught if "deterministic" in str(each.message)}
    without.extend(sorted(told))


def off(found: Tensor, expected: Tensor) -> float:
    """||found - expected|| / ||expected||; infinite where one is no number."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    away = float((found - expected).norm() / expected.norm().clamp(min=1e-12))
    return away if math.isfinite(away) else math.inf


def differing(one: ModelBundle, other: ModelBundle) -> dict[str, float]:
    """How far apart the tensors are that are not equal bit by bit."""
    tensors = {name: (torch.as_tensor(one.tensors[name]), torch.as_tensor(other.tensors[name])) for name in one.tensors}
    return {name: off(a.float(), b.float()) for name, (a, b) in tensors.items() if not torch.equal(a, b)}


# --- losses


def batch_of(device: torch.device, dtype: torch.dtype, zeros: bool = False) -> ConstraintInputs:
    """The same batch on every device; with ``zeros`` both sides of the first sample and the second one's teacher."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    size, classes, bank = 64, 50, 200
    student, teacher, logits = 2 * normal(size, DIM), normal(size, DIM), 5 * normal(size, classes)
    prototypes, instances = (nn.functional.normalize(normal(rows, DIM)) for rows in (classes, bank))
    labels = torch.arange(size) % (classes + 1) - 1
    rows = torch.randint(bank, (size,), generator=generator)
    if zeros:
        student[0] = teacher[0] = logits[0] = teacher[1] = 0
    teacher = teacher if zeros else nn.functional.normalize(teacher)
    sent = {"device": device, "dtype": dtype}
    bound = student.to(**sent).requires_grad_()
    return ConstraintInputs(
        student=bound,
        teacher=teacher.to(**sent),
        labels=labels.to(device),
        prototypes=prototypes.to(**sent),
        student_raw=bound,
        teacher_raw=(DIM**0.5 * teacher).to(**sent),
        student_logits=logits.to(**sent).requires_grad_(),
        bank=instances.to(**sent),
        bank_rows=rows.to(device),
        scale=16.0,
    )


def gradients(loss: Tensor, batch: ConstraintInputs) -> list[Tensor]:
    """The loss, and its gradients with respect to the student's embeddings and logits, zeros where there are none."""
    asked = [batch.student, batch.student_logits]
    found = torch.autograd.grad(loss, asked, allow_unused=True)  # type: ignore[arg-type]
    return [loss, *(torch.zeros_like(a) if g is None else g for a, g in zip(asked, found, strict=True))]  # type: ignore[arg-type]


def constraint_of(kind: str, margin: float) -> nn.Module:
    """The constraint, of a temperature where it takes one."""
    return build_constraint(kind, margin, 2.0 if CONSTRAINTS[kind].temperature else 1.0)


def constraint(kind: str, device: torch.device) -> str:
    """Loss and gradient of a constraint: device against CPU."""
    worst: dict[str, float] = {"cpu": 0.0, device.type: 0.0}
    for margin in (0.0, 0.02):
        exact_batch = batch_of(torch.device("cpu"), torch.float64)
        exact = gradients(constraint_of(kind, margin)(exact_batch).reduce(), exact_batch)
        for where in ("cpu", device.type):
            batch = batch_of(torch.device(where), torch.float32)
            with tf32(True):  # as NVIDIA's images have it
                loss = constraint_of(kind, margin)(batch).reduce()
                with full_products(batch.student.device):
                    found = gradients(loss, batch)
            away = [off(a, b) for a, b in zip(found, exact, strict=True) if b.norm() > 0]
            worst[where] = max(worst[where], *away)
    told = ", ".join(f"{where} {away:.1e}" for where, away in worst.items())
    require(worst[device.type] < LOSS_TOLERANCE, f"from float64: {told}; allowed {LOSS_TOLERANCE:g}")
    return f"from float64: {told}"


def half_precision(kind: str, device: torch.device) -> str:
    """A constraint on bf16 inputs under autocast: computed in float32, finite for embeddings of zeros."""
    worst = 0.0
    for zeros in (False, True):
        batch = batch_of(device, torch.bfloat16, zeros)
        with torch.autocast(device.type, torch.bfloat16):
            output = constraint_of(kind, 0.05)(batch)
            loss = output.reduce()
        require(loss.dtype == output.values.dtype == torch.float32, f"the loss is {loss.dtype}")
        given = {f.name: getattr(batch, f.name) for f in fields(batch)}
        wide = replace(
            batch,
            **{
                name: value.detach().float().requires_grad_(value.requires_grad)
                for name, value in given.items()
                if isinstance(value, Tensor) and value.is_floating_point()
            },
        )
        wide = replace(wide, student_raw=wide.student)
        expected = gradients(constraint_of(kind, 0.05)(wide).reduce(), wide)
        found = gradients(loss, batch)
        require(all(bool(each.isfinite().all()) for each in found), "a loss or a gradient is not finite")
        worst = max(worst, off(found[0], expected[0]))
    require(worst < 1e-5, f"the loss is {worst:.1e} off that of float32 on the same numbers")
    return f"float32 inside ({worst:.0e}), finite for zeros"


def classifier(made: Callable[[], Classifier], device: torch.device) -> str:
    """Loss and gradients of a classifier: device against CPU, and on bf16 zeros."""

    def run(where: torch.device, dtype: torch.dtype, zeros: bool = False) -> list[Tensor]:
        torch.manual_seed(0)
        network = made().to(device=where, dtype=torch.float64 if dtype == torch.float64 else torch.float32)
        embeddings = torch.randn(64, DIM, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        if zeros:
            embeddings[:4] = 0
        embeddings = embeddings.to(where, dtype).requires_grad_()
        labels = (torch.arange(64) % (CLASSES + 1) - 1).to(where)
        loss = network(embeddings, labels, torch.nonzero(labels >= 0)[:, 0]).values.mean()
        with full_products(where):
            return [loss, *torch.autograd.grad(loss, [embeddings, next(network.parameters())])]

    exact = run(torch.device("cpu"), torch.float64)
    with tf32(True):
        away = max(off(a, b) for a, b in zip(run(device, torch.float32), exact, strict=True))
    require(away < LOSS_TOLERANCE, f"{away:.1e} from float64; allowed {LOSS_TOLERANCE:g}")
    with torch.autocast(device.type, torch.bfloat16):
        half = run(device, torch.bfloat16, zeros=True)
    require(half[0].dtype == torch.float32, f"the loss is {half[0].dtype} under autocast")
    require(all(bool(each.isfinite().all()) for each in half), "not finite for embeddings of zeros")
    return f"{away:.1e} from float64; finite for bf16 zeros"


# --- trainings


def as_on_the_cpu(modality: str, arm: str, device: torch.device) -> str:
    """30 steps on the CPU and on the device: the loss of every epoch and the embeddings at the end."""
    cpu = torch.device("cpu")
    _, expected = train(modality, arm, cpu)
    told = []
    for allowed in (False, True):
        with tf32(allowed):
            bundle, found = train(modality, arm, device)
        away = [abs(a / b - 1) for a, b in zip(found["loss"], expected["loss"], strict=True)]
        told.append(f"{'TF32' if allowed else 'float32'} " + " ".join(f"{each:.1e}" for each in away))
        if not allowed:
            require(max(away) < TRAINING_TOLERANCE, f"loss of the epochs, off by {told[-1]}")
            require(all(torch.as_tensor(each).device.type == "cpu" for each in bundle.tensors.values()), "left there")
    return f"loss {expected['loss'].iloc[-1]:.3f}; off by epoch: {'; '.join(told)}"


def same_seed(modality: str, wanted: bool, precision: str, device: torch.device) -> str:
    """Two trainings with one seed on the device: bit by bit."""
    options: dict[str, Any] = {"precision": precision, "deterministic": wanted}
    with noted() as without:
        (one, first), (other, second) = (train(modality, "soft_both", device, **options) for _ in range(2))
    told = f"; without a deterministic algorithm: {', '.join(without)}" if without else ""
    differ = differing(one, other)
    worst = max(differ.values(), default=0.0)
    equal = not differ and first.equals(second)
    if not wanted and not equal:
        return f"{len(differ)} of {len(one.tensors)} tensors differ, by {worst:.1e}, which it does not promise"
    require(equal, f"{len(differ)} of {len(one.tensors)} tensors differ, by {worst:.1e}{told}")
    return f"{len(one.tensors)} tensors and the history are equal bit by bit{told}"


def resume(modality: str, precision: str, device: torch.device) -> str:
    """A training that was interrupted twice and gone on with, against one that was not."""
    if precision == "16-mixed" and device.type != "cuda":
        raise SkippedError("half precision needs a GPU")

    def stop_at(last: int, _: dict[str, float], epoch: int) -> None:
        if epoch == last:
            raise StoppedError

    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"precision": precision, "epochs": 4, "keep": "best"}
        whole, expected = train(modality, "soft_both", device, **options)
        file = Path(folder) / "training.safetensors"
        for last in (2, 4):
            try:
                train(modality, "soft_both", device, file, partial(stop_at, last), **options)
            except StoppedError:
                require(file.exists(), "no checkpoint was left")
        bundle, history = train(modality, "soft_both", device, file, **options)
    differ = differing(whole, bundle)
    worst = max(differ.values(), default=0.0)
    require(not differ, f"{len(differ)} of {len(whole.tensors)} tensors differ, by {worst:.1e}")
    require(history.equals(expected), f"the history differs:\n{history}\n{expected}")
    return f"{len(history)} epochs, {len(whole.tensors)} tensors equal bit by bit"


def embedding(modality: str, device: torch.device) -> str:
    """``embed_inputs`` with one trained student on the CPU and on the device."""
    with tf32(False):
        bundle, _ = train(modality, "none", device)
    data = data_of(modality)
    expected = torch.from_numpy(embed_inputs(build_student(bundle), data.dev_inputs))
    away = {}
    for allowed in (False, True):
        with tf32(allowed):
            found = torch.from_numpy(embed_inputs(build_student(bundle).to(device), data.dev_inputs))
        require(found.dtype == torch.float32, f"embeddings are {found.dtype}")
        away["TF32" if allowed else "float32"] = off(found, expected)
    told = ", ".join(f"{name} {each:.1e}" for name, each in away.items())
    require(away["float32"] < EMBEDDING_TOLERANCE and away["TF32"] < TF32_TOLERANCE, f"off by {told}")
    return f"off by {told}"


def precision(modality: str, device: torch.device) -> str:
    """``auto``: the network in bf16 on a GPU; features, losses, weights, dev metric and embeddings in float32."""
    seen: dict[tuple[str, bool], set[torch.dtype]] = {}

    def note(layer: nn.Module, _: Any, output: Any) -> None:
        made = output.total if hasattr(output, "total") else output
        if isinstance(made, Tensor):
            seen.setdefault((type(layer).__name__, layer.training), set()).add(made.dtype)

    handle = nn.modules.module.register_module_forward_hook(note)
    try:
        bundle, history = train(modality, "soft_both", device, precision="auto", epochs=1)
    finally:
        handle.remove()
    chosen = pick_precision(config_of(device, precision="auto"))
    half = torch.bfloat16 if chosen == "bf16-mixed" else torch.float32
    layer = "Conv2d" if modality == "image" else "Tanh"  # the convolutions of ECAPA are no calls of their layers
    layers = {
        mode: next(kinds for (name, on), kinds in seen.items() if layer in name and on == mode)
        for mode in (True, False)
    }
    require(layers[True] == {half}, f"{layer} gave {layers[True]} in training under {chosen}")
    require(layers[False] == {torch.float32}, f"{layer} gave {layers[False]} in evaluation")
    require(seen["Objective", True] == {torch.float32}, f"the objective gave {seen['Objective', True]}")
    require(seen.get(("LogMel", True), {torch.float32}) == {torch.float32}, "features are rounded")
    kinds = {torch.as_tensor(each).dtype for each in bundle.tensors.values()} - {torch.int64}
    require(kinds == {torch.float32}, f"weights are {kinds}")
    require(math.isfinite(history["loss"].iloc[-1]), "the loss is not finite")
    return f"auto is {chosen}: {layer} {half}, the rest float32; dev metric in float32"


def half_training(modality: str, chosen: str, device: torch.device) -> str:
    """The same training in half and in single precision."""
    if chosen == "16-mixed" and device.type != "cuda":
        raise SkippedError("half precision needs a GPU")
    _, expected = train(modality, "soft_both_quality", device)
    scales: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "training.safetensors"

        def look(*_: Any) -> None:
            if file.exists():
                scales.append(load_state(file)["precision"].get("scale", 1.0))

        _, found = train(modality, "soft_both_quality", device, file, look, precision=chosen)
    away = [abs(a / b - 1) for a, b in zip(found["loss"], expected["loss"], strict=True)]
    told = " ".join(f"{each:.1e}" for each in away)
    if chosen == "16-mixed":
        told += f"; of {10 * len(scales)} steps {math.log2(2**16 / scales[-1]):.0f} passed over"
    allowed = HALF_TOLERANCE[chosen]
    require(max(away) < allowed, f"loss of the epochs off by {told}; allowed {100 * allowed:.0f} %")
    return f"loss {expected['loss'].iloc[-1]:.3f}; off by epoch: {told}"


def compiled(modality: str, device: torch.device) -> str:
    """A compiled training: as one that is not, with the same names of weights, and gone on with after a stop."""
    if device.type != "cuda":
        raise SkippedError("nothing is compiled for a CPU")

    def stop(_: dict[str, float], epoch: int) -> None:
        if epoch == 2:
            raise StoppedError

    whole, expected = train(modality, "soft_both", device)
    bundle, found = train(modality, "soft_both", device, compile=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "training.safetensors"
        try:
            train(modality, "soft_both", device, file, stop, compile=True)
        except StoppedError:
            require(file.exists(), "no checkpoint was left")
        resumed, _ = train(modality, "soft_both", device, file, compile=True)
    require(bundle.tensors.keys() == whole.tensors.keys(), f"other names: {sorted(bundle.tensors)[:3]}")
    away = [abs(a / b - 1) for a, b in zip(found["loss"], expected["loss"], strict=True)]
    told = " ".join(f"{each:.1e}" for each in away)
    require(max(away) < TRAINING_TOLERANCE, f"loss of the epochs off by {told}")
    differ = differing(bundle, resumed)
    require(not differ, f"gone on with: {len(differ)} of {len(bundle.tensors)} tensors differ")
    return f"loss off by epoch: {told}; gone on with, {len(bundle.tensors)} tensors equal bit by bit"


def no_waiting(modality: str, arm: str, device: torch.device) -> str:
    """An epoch of the loop waits for the device once, at its end."""
    if device.type != "cuda":
        raise SkippedError("a CPU is never waited for")
    data, student, how = data_of(modality), student_of(modality), arm_of(arm)
    config = config_of(device, precision="bf16-mixed", augment=True)
    terms = {
        name: Term(build_constraint(each.kind, each.margin, each.temperature, **each.options), each.weight)
        for name, each in how.constraints.items()
    }
    module = DistillationModule(
        Student(student.encoder, data.inputs, DIM + student.free_dim),
        AAMSoftmaxClassifier(CLASSES, DIM + student.free_dim),
        Objective(terms),
        build_projection(random_projection(DIM, CLASSES)),
    )
    weights = torch.ones(len(data.train_inputs))
    training = TrainingData(data.train_inputs, torch.from_numpy(data.labels), weights, weights, data.teacher)
    plan = Plan(config, DevMetric("none", lambda _: 0.0, True), augmentation(modality))
    fabric = make_fabric(config)
    running = set_up(module, training, plan, fabric)
    with progress_bar(total=1, desc="checks", disable=True) as bar:
        train_epoch(running, plan, fabric, bar)  # the first steps load and choose kernels
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                train_epoch(running, plan, fabric, bar)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [f"{Path(each.filename).name}:{each.lineno}" for each in caught if "synchroniz" in str(each.message)]
    require(len(waits) <= 1, f"{len(waits)} waits in {running.reader.steps} steps: {', '.join(sorted(set(waits)))}")
    return f"{len(waits)} wait in {running.reader.steps} steps ({', '.join(waits)})"


CHECKS: dict[str, Check] = {
    **{f"constraint/{kind}": partial(constraint, kind) for kind in CONSTRAINTS},
    **{f"bf16 constraint/{kind}": partial(half_precision, kind) for kind in CONSTRAINTS},
    "classifier/aam": partial(classifier, partial(AAMSoftmaxClassifier, CLASSES, DIM)),
    "classifier/linear": partial(classifier, partial(LinearClassifier, CLASSES, DIM, 0.1)),
    **{
        f"30 steps as on the CPU/{modality}/{arm}": partial(as_on_the_cpu, modality, arm)
        for modality, arms in (
            ("image", ("none", "soft_both_quality", "rkd", "soft_contrast", "hinton_kd")),
            ("speech", ("none", "soft_both_quality")),
        )
        for arm in arms
    },
    **{
        f"same seed twice/{modality}/{chosen}/{'as configured' if wanted else 'any algorithm'}": partial(
            same_seed, modality, wanted, chosen
        )
        for modality in ("image", "speech")
        for chosen in ("32-true", "bf16-mixed")
        for wanted in (True, False)
    },
    **{
        f"resume/{modality}/{chosen}": partial(resume, modality, chosen)
        for modality in ("image", "speech")
        for chosen in ("32-true", "bf16-mixed", "16-mixed")
    },
    **{f"embedding/{modality}": partial(embedding, modality) for modality in ("image", "speech")},
    **{f"precision/{modality}": partial(precision, modality) for modality in ("image", "speech")},
    **{
        f"half precision trains alike/{modality}/{chosen}": partial(half_training, modality, chosen)
        for modality in ("image", "speech")
        for chosen in ("bf16-mixed", "16-mixed")
    },
    **{
        f"no step waits/{modality}/{arm}": partial(no_waiting, modality, arm)
        for modality in ("image", "speech")
        for arm in ("none", "soft_both", "rkd", "soft_contrast")
    },
    **{f"compiled/{modality}": partial(compiled, modality) for modality in ("image", "speech")},
}


def run(name: str, device: torch.device) -> str:
    """One check: its outcome, and a line of it on the screen."""
    started = time.perf_counter()
    try:
        outcome, told = "PASS", CHECKS[name](device)
    except SkippedError as error:
        outcome, told = "SKIP", str(error)
    except AssertionError as error:
        outcome, told = "FAIL", str(error)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        outcome, told = "FAIL", f"{type(error).__name__} at {place.filename}:{place.lineno}: {str(error)[:600]}"
    print(f"{outcome} {name} [{time.perf_counter() - started:.1f} s]: {told}", flush=True)
    return outcome


def main() -> int:
    """Run the checks.

    Returns:
        1 where one fails.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", default="", help="checks whose name holds this")
    parser.add_argument("--limit-s", type=float, default=math.inf, help="no check is begun after that many seconds")
    given = parser.parse_args()
    device, started = torch.device(given.device), time.perf_counter()
    for name, what in machine(device).items():
        print(f"{name}: {what}")
    warnings.filterwarnings("ignore")
    outcomes = []
    for name in [each for each in CHECKS if given.only in each]:
        late = time.perf_counter() - started > given.limit_s
        outcomes.append("LATE" if late else run(name, device))
    counts = ", ".join(f"{outcomes.count(each)} {each}" for each in ("PASS", "FAIL", "SKIP", "LATE"))
    print(f"{counts} in {time.perf_counter() - started:.0f} s")
    return int("FAIL" in outcomes)


if __name__ == "__main__":
    sys.exit(main())
