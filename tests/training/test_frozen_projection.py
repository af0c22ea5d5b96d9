"""The teacher's projection stands still in a whole training, unless it is trained jointly."""

import pytest
import torch

from cross_modal_kd.losses import unit
from training_toys import BOTH, CONFIG, TEACHER_DIM, data, module, norm_metric, same, weights_of
from training_toys import train as fit

BANK = {"bank": ("contrastive_bank", {"temperature": 0.1})}


def trained(joint: bool, terms: dict = BOTH):
    """(module after the last epoch, projection's weights before, whether the projection trained in each step, targets).

    Targets: its output on the same teacher embeddings at every step.
    """
    made, modes, targets = module(terms, joint=joint), [], []
    before, probe = weights_of(made.projection), torch.randn(5, made.projection.head.mean.shape[0])

    def watch(projection, inputs):
        modes.append([each.training for each in projection.modules()])
        with torch.no_grad():
            targets.append(projection.head(probe))

    made.projection.register_forward_pre_hook(watch)
    fit(made, data(), CONFIG.model_copy(update={"keep": "last"}), norm_metric())
    return made, before, modes, targets


@pytest.mark.parametrize("terms", [BOTH, BANK], ids=["both", "bank"])
def test_a_frozen_projection_is_the_same_function_from_the_first_step_to_the_last(terms):
    made, before, modes, targets = trained(joint=False, terms=terms)
    assert same(weights_of(made.projection), before)
    assert not any(mode for step in modes for mode in step)  # neither dropout nor statistics of the batch
    assert all(torch.equal(target, targets[0]) for target in targets)


@pytest.mark.parametrize("terms", [BOTH, BANK], ids=["both", "bank"])
def test_no_parameter_of_a_frozen_projection_asks_for_a_gradient_or_gets_one(terms):
    made, *_ = trained(joint=False, terms=terms)
    assert not [name for name, each in made.projection.named_parameters() if each.requires_grad]
    assert not [name for name, each in made.projection.named_parameters() if each.grad is not None]
    assert {name.split(".")[0] for name, each in made.named_parameters() if each.requires_grad} == {
        "student",
        "classifier",
    }


def test_no_optimizer_holds_a_frozen_projection(monkeypatch):
    held = []
    monkeypatch.setattr(torch.optim.AdamW, "__init__", _noting(held, torch.optim.AdamW.__init__))
    frozen, *_ = trained(joint=False)
    assert held and not {id(each) for each in frozen.projection.parameters()} & set(held)
    joint, *_ = trained(joint=True)
    assert {id(each) for each in joint.projection.parameters() if each.requires_grad} <= set(held)


def _noting(held: list[int], init):
    def noting(self, groups, *args, **options):
        held.extend(id(each) for group in groups for each in group["params"])
        init(self, groups, *args, **options)

    return noting


def test_a_joint_projection_trains_with_its_dropout():
    made, before, modes, targets = trained(joint=True)
    assert not same(weights_of(made.projection), before)
    assert all(all(step) for step in modes)
    assert not torch.equal(targets[0], targets[-1])


@pytest.mark.parametrize("joint", [False, True], ids=["frozen", "joint"])
def test_a_bank_is_projected_once_where_the_projection_stands_still(joint):
    made, projected = module(BANK, joint=joint), []
    instances = len(data().teacher.sizes)

    def count(projection, inputs):
        if len(inputs[0]) == instances and projection.training == joint:
            projected.append(inputs[0])

    made.projection.register_forward_pre_hook(count)
    fit(made, data(), CONFIG.model_copy(update={"keep": "last"}), norm_metric())
    assert instances != CONFIG.batch_size
    assert len(projected) == (CONFIG.epochs * (len(data().labels) // CONFIG.batch_size) if joint else 1)


def test_another_bank_is_projected_anew():
    made, generator = module(BANK).train(), torch.Generator().manual_seed(5)
    one, other = (torch.randn(5, TEACHER_DIM, generator=generator) for _ in range(2))
    for bank in (one, other, one):
        assert torch.equal(made._bank(bank, made.projection), unit(made.projection(bank)))
