"""No step looks at a value that lies on the device: it would wait there for all the work that was sent before."""

import pytest
import torch
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode

from cross_modal_kd.losses import CONSTRAINTS, LinearClassifier
from cross_modal_kd.losses.aam import AAMSoftmaxClassifier
from cross_modal_kd.training.module import Batch, DistillationModule
from training_toys import CLASSES, DIM, FEATURES, TEACHER_DIM, TinyStudent, objective, projection

CLASSIFIERS = {"linear": lambda: LinearClassifier(CLASSES, DIM, 0.1), "aam": lambda: AAMSoftmaxClassifier(CLASSES, DIM)}
SIZE = 8


def on_gpu(*shape: int, **options) -> torch.Tensor:
    """A tensor that has a device and a shape and no values: whatever asks for one of them raises."""
    return torch.empty(shape, device="cuda", **options)


def batch(**options) -> Batch:
    """Some labelled samples, others without."""
    numbers = on_gpu(SIZE, dtype=torch.long)
    bank = (on_gpu(5, TEACHER_DIM), numbers)
    return Batch(
        on_gpu(SIZE, FEATURES), numbers, on_gpu(SIZE), on_gpu(SIZE), on_gpu(SIZE, TEACHER_DIM), 0.5, bank, **options
    )


@pytest.mark.parametrize("joint", [False, True], ids=["frozen", "joint"])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_no_constraint_and_no_classifier_looks_at_values(kind, classifier, joint):
    made = DistillationModule(
        TinyStudent(DIM), CLASSIFIERS[classifier](), objective({"term": (kind, {})}), projection(), joint
    )  # type: ignore[arg-type]
    shapes = {name: (each.shape, each.dtype) for name, each in made.train().state_dict().items()}
    with FakeTensorMode():
        weights = {name: on_gpu(*shape, dtype=dtype) for name, (shape, dtype) in shapes.items()}
        output = torch.func.functional_call(made, weights, (batch(labelled=on_gpu(6, dtype=torch.long)),))
    assert output.total.device.type == "cuda"


def test_a_look_would_be_noticed():
    with FakeTensorMode(), pytest.raises(DynamicOutputShapeException):
        batch(labelled=None)
