"""A teacher that stands still is asked once for each of its embeddings, and a training comes out the same."""

import pickle

import pytest
import torch

from cross_modal_kd.config import ProjectionConfig
from cross_modal_kd.models.projection import Projection
from cross_modal_kd.training import module as step
from cross_modal_kd.training.known import PART, in_parts
from training_toys import CONFIG, data, module, norm_metric, train

KINDS = {"classifier_kl": {"temperature": 2.0}, "hinton_kd": {"temperature": 2.0}}


def trained(monkeypatch, kind, joint=False):
    """(module after its last epoch, how often the teacher was asked, the losses of all epochs)."""
    made, asked = module({"term": (kind, KINDS.get(kind, {}))}, joint=joint), []
    ask = step.teacher_logits
    monkeypatch.setattr(step, "teacher_logits", lambda *given: asked.append(len(given[0])) or ask(*given))
    history = train(made, data(), CONFIG.model_copy(update={"keep": "last"}), norm_metric())
    return made, asked, [row["loss"] for row in history]


@pytest.mark.parametrize("kind", KINDS)
def test_the_teacher_is_asked_once_in_a_training(monkeypatch, kind):
    _, asked, kept = trained(monkeypatch, kind)
    assert asked == [PART]  # its 12 embeddings, in a part that is filled up
    monkeypatch.setattr(step, "LARGEST", 0)
    _, asked, asking = trained(monkeypatch, kind)
    assert not asked  # the constraint itself does it, at every step
    assert kept == pytest.approx(asking, rel=1e-4)  # a batch of 8 is rounded otherwise: see below


@pytest.mark.parametrize("count", [0, 1, 100, 128, 300])
@pytest.mark.parametrize("batch", [32, 100, 128])
def test_an_answer_is_to_the_bit_the_one_that_a_batch_gets(count, batch):
    made, generator = Projection(384, 900, ProjectionConfig(dim=128)).eval(), torch.Generator().manual_seed(0)
    embeddings = torch.randn(count, 384, generator=generator)
    rows = torch.randint(max(count, 1), (batch,), generator=generator)

    def ask(part):
        return step.teacher_logits(made(part), made.prototypes(), 16.0)

    with torch.no_grad():
        every = in_parts(embeddings, ask)
        assert every.shape == (count, 900)
        if count:
            assert torch.equal(ask(embeddings[rows]), every[rows])


@pytest.mark.parametrize(("kind", "joint"), [("cosine", False), ("classifier_ce", False), ("classifier_kl", True)])
def test_nothing_is_kept_that_no_constraint_takes_or_of_a_projection_that_moves(monkeypatch, kind, joint):
    made, asked, _ = trained(monkeypatch, kind, joint)
    assert not asked and "logits" not in made._answers


def test_what_is_known_stays_in_its_process(monkeypatch):
    """It lies on a device, which another rank would open too."""
    made, *_ = trained(monkeypatch, "classifier_kl")
    sent = pickle.loads(pickle.dumps(made))  # noqa: S301 (what this test has made)
    assert made._answers and made._seen and made._prototypes
    assert not (sent._answers or sent._seen or sent._prototypes or sent._banked)
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in sent.state_dict().items())


def test_weights_that_are_loaded_into_the_projection_are_another_teacher(monkeypatch):
    made, asked, _ = trained(monkeypatch, "classifier_kl")
    before, prototypes = made._answers["logits"][2].clone(), made._prototypes[1].clone()
    made.projection.load_state_dict({name: value + 1 for name, value in made.projection.state_dict().items()})
    train(made, data(), CONFIG, norm_metric())
    assert not torch.equal(made._answers["logits"][2], before) and not torch.equal(made._prototypes[1], prototypes)


@pytest.mark.parametrize("joint", [False, True], ids=["stands still", "moves"])
def test_embeddings_are_read_at_each_step_for_a_projection_that_moves_alone(monkeypatch, joint):
    read = []
    monkeypatch.setattr(step.Rows, "embeddings", lambda rows: read.append(rows) or rows.table[rows.rows])
    trained(monkeypatch, "classifier_kl", joint)
    assert bool(read) == joint
