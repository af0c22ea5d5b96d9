"""The losses in a project that has torch and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"

# What torch 2.11 and later imports of its own accord may be there; every other installed package is out of reach.
OF_TORCH = (
    "torch torchgen functorch triton numpy filelock fsspec jinja2 markupsafe mpmath networkx sympy typing_extensions"
)

BLOCKED = f"""
import sys
from importlib.abc import MetaPathFinder

class OnlyTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top in {{"cross_modal_kd", *{OF_TORCH!r}.split()}}:
            return None
        raise ModuleNotFoundError(f"no module named {{name!r}} in this test", name=name)

sys.meta_path.insert(0, OnlyTorch())
"""

A_STEP_OF_EACH = """
import torch
from cross_modal_kd import losses
from cross_modal_kd.losses import CONSTRAINTS, ConstraintInputs, LinearClassifier, Objective, Term, build_constraint

torch.manual_seed(0)
student = torch.randn(6, 4, requires_grad=True)
classifier = LinearClassifier(3, 4)
labels = torch.tensor([0, 1, 2, 0, 1, -1])
task = classifier(student, labels)
batch = ConstraintInputs(
    student, torch.randn(6, 4), labels, prototypes=torch.randn(3, 4), student_logits=task.logits,
    bank=torch.randn(6, 4), bank_rows=torch.arange(6),
)
objective = Objective({kind: Term(build_constraint(kind)) for kind in CONSTRAINTS})
objective(batch, task.values).total.backward()
with torch.no_grad():
    student -= 0.1 * student.grad
assert student.grad.isfinite().all() and student.grad.any()
for name in losses.__all__:
    if name not in ("AAMSoftmaxClassifier", "TwoViews"):
        getattr(losses, name)
for name in ("AAMSoftmaxClassifier", "TwoViews"):
    try:
        getattr(losses, name)
    except ModuleNotFoundError as error:
        assert "pytorch_metric_learning" in str(error), error
    else:
        raise AssertionError("the test blocks nothing")
print(len(objective.terms))
"""

WITHOUT_TORCH = """
import sys
import cross_modal_kd.config.arms
from cross_modal_kd.losses import kinds
print(sorted({"torch", "numpy"} & set(sys.modules)))
"""


def said_by(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SRC)}, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_constraint_takes_a_step_with_torch_alone():
    assert int(said_by(BLOCKED + A_STEP_OF_EACH)) >= 11


def test_a_configuration_is_read_without_torch():
    assert said_by(WITHOUT_TORCH) == "[]"


def test_the_face_has_all_that_it_promises_and_says_so_of_what_it_has_not():
    from cross_modal_kd import losses

    assert dir(losses) == losses.__all__ and {"AAMSoftmaxClassifier", "SoftFeatureConstraint"} <= set(losses.__all__)
    for name in losses.__all__:
        assert getattr(losses, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'SoftFeature'; it has AAMSoftmaxClassifier, "):
        losses.__getattr__("SoftFeature")
