"""Mixed batches: whose loss it is, what is drawn, and that two trainings of a seed are one."""

import numpy as np
import pytest
import torch

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier
from cross_modal_kd.training.augmented import batch_augmentation, mixup_of
from cross_modal_kd.training.module import Batch, DistillationModule, Mixed
from cross_modal_kd.training.reader import BatchReader
from training_toys import (
    BOTH,
    CLASSES,
    CONFIG,
    COUNT,
    DIM,
    FEATURES,
    TEACHER_DIM,
    TinyStudent,
    data,
    module,
    objective,
    same,
    train,
    weights_of,
)

ORDER = torch.tensor([3, 0, 5, 1, 7, 2, 4, 6])
EVERY = {
    **BOTH,
    "square": ("l2", {}),
    "bank": ("contrastive_bank", {}),
    "pairs": ("rkd", {}),
    "soft": ("hinton_kd", {}),
}


def batch(labels=None):
    torch.manual_seed(1)
    inputs, teacher = torch.randn(8, FEATURES), torch.randn(8, TEACHER_DIM)
    labels = torch.arange(8) % CLASSES if labels is None else labels
    bank = torch.randn(5, TEACHER_DIM), torch.arange(8) % 5
    return Batch(inputs, labels, torch.rand(8) + 0.5, torch.rand(8) + 0.5, teacher, 1.0, bank)


def mixed(given, share):
    labelled = torch.nonzero(given.labels[ORDER] >= 0)[:, 0]
    given.mixed = Mixed(share, given.in_order(ORDER, labelled))
    return given


@pytest.mark.parametrize("labels", [None, torch.tensor([0, -1, 2, 3, -1, 1, 2, 3])], ids=["labelled", "some without"])
@pytest.mark.parametrize("terms", [{}, EVERY], ids=["alone", "bound"])
def test_the_loss_of_a_mixed_batch_is_that_of_either_target_by_its_share(terms, labels):
    made = module(terms).eval()
    given = batch(labels)
    inputs = 0.7 * given.inputs + 0.3 * given.inputs[ORDER]
    parts = []
    for rows in (torch.arange(8), ORDER):
        bank = given.bank[0], given.bank[1][rows]
        weights = given.task_weights[rows], given.kd_weights[rows]
        parts.append(made(Batch(inputs, given.labels[rows], *weights, given.teacher[rows], 1.0, bank)))
    found = made(mixed(given, 0.7))
    torch.testing.assert_close(found.total, 0.7 * parts[0].total + 0.3 * parts[1].total)
    for name, value in found.parts.items():
        torch.testing.assert_close(value, 0.7 * parts[0].parts[name] + 0.3 * parts[1].parts[name])
    assert not torch.allclose(parts[0].total, parts[1].total)


def test_the_margin_is_that_of_each_label_in_turn():
    torch.manual_seed(0)
    classifier = AAMSoftmaxClassifier(CLASSES, DIM, margin=0.3, scale=8.0)
    made = DistillationModule(TinyStudent(), classifier, objective(), None).eval()
    given = mixed(batch(), 0.4)
    given.task_weights = given.mixed.other.task_weights = torch.ones(8)
    embeddings = made.student(0.4 * given.inputs + 0.6 * given.inputs[ORDER])
    cosines = torch.nn.functional.normalize(embeddings, dim=1) @ torch.nn.functional.normalize(
        classifier.weight.T, dim=0
    )
    expected = []
    for row in range(8):
        for share, label in ((0.4, given.labels[row]), (0.6, given.labels[ORDER[row]])):
            logits = 8 * cosines[row]
            angle = cosines[row, label].arccos()
            with_margin = logits.clone()
            with_margin[label] = 8 * (angle + 0.3).cos()
            expected.append(share * -(with_margin[label] - torch.logsumexp(with_margin, 0)))
    torch.testing.assert_close(made(given).total, torch.stack(expected).sum() / 8)


def test_a_squared_distance_to_both_targets_has_the_gradient_of_that_to_the_mixed_one():
    made = module({"square": ("l2", {})}).eval()
    given = batch()
    given.kd_weights = torch.ones(8)
    one = torch.autograd.grad(made(mixed(given, 0.25)).total, made.student[1].weight)[0]
    teacher = made.projection(given.teacher).detach()
    target = (0.25 * teacher + 0.75 * teacher[ORDER]) * DIM**0.5
    embeddings = made.student(0.25 * given.inputs + 0.75 * given.inputs[ORDER])
    plain = ((embeddings - target) ** 2).mean(dim=1).mean()
    alone = DistillationModule(made.student, made.classifier, objective(), None).eval()
    of_task = torch.autograd.grad(alone(given).total, made.student[1].weight)[0]
    of_square = torch.autograd.grad(plain, made.student[1].weight)[0]
    ratio = (one - of_task) / of_square
    torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-3, atol=1e-4)


def reading(**options):
    return BatchReader(data(), CONFIG, torch.device("cpu"), mixup=0.4, **options)


def test_what_is_mixed_is_drawn_from_seed_and_step():
    one, again, other = (list(reading().epoch(epoch)) for epoch in (0, 0, 1))
    shares = [each.mixed.share for each in one]
    assert shares == [each.mixed.share for each in again] and shares != [each.mixed.share for each in other]
    assert len(set(shares)) == len(shares) and all(0 <= share <= 1 for share in shares)
    for first, second in zip(one, again, strict=True):
        assert torch.equal(first.mixed.other.inputs, second.mixed.other.inputs)
    another = BatchReader(data(), CONFIG.model_copy(update={"seed": 1}), torch.device("cpu"), mixup=0.4)
    assert [each.mixed.share for each in another.epoch(0)] != shares


def test_the_other_half_is_the_same_batch_in_another_order():
    given = data(torch.where(torch.arange(COUNT) % 3 == 0, torch.arange(COUNT) % CLASSES, -1))
    for each in BatchReader(given, CONFIG, torch.device("cpu"), needs_bank=True, mixup=1.0).epoch(0):
        other = each.mixed.other
        order = [int((each.inputs == row).all(dim=1).nonzero()[0]) for row in other.inputs]
        assert sorted(order) == list(range(len(order))) and order != sorted(order)
        for name in ("labels", "task_weights", "kd_weights", "teacher"):
            assert torch.equal(getattr(other, name), getattr(each, name)[order])
        assert torch.equal(other.bank[1], each.bank[1][order]) and other.bank[0] is each.bank[0]
        assert torch.equal(other.partners.rows, each.partners.rows[order])
        assert other.labelled.tolist() == [row for row, label in enumerate(other.labels.tolist()) if label >= 0]
    assert next(BatchReader(given, CONFIG, torch.device("cpu")).epoch(0)).mixed is None


def test_shares_are_of_the_beta_distribution_that_was_asked_for():
    config = CONFIG.model_copy(update={"epochs": 100})
    read = BatchReader(data(), config, torch.device("cpu"), mixup=0.2)
    shares = np.array([each.mixed.share for epoch in range(100) for each in read.epoch(epoch)])
    assert shares.mean() == pytest.approx(0.5, abs=0.06)
    assert shares.var() == pytest.approx(1 / (4 * (2 * 0.2 + 1)), rel=0.1)


def test_two_trainings_of_a_seed_are_equal_and_an_interrupted_one_too(tmp_path):
    def stop(row, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    made = [module(EVERY) for _ in range(3)]
    histories = [train(each, mixup=0.3) for each in made[:2]]
    with pytest.raises(KeyboardInterrupt):
        train(made[2], mixup=0.3, checkpoint=tmp_path / "c", on_epoch=stop)
    with pytest.raises(KeyboardInterrupt):
        train(module(EVERY), mixup=0.3, checkpoint=tmp_path / "d", on_epoch=stop)
    gone_on = module(EVERY)
    train(gone_on, mixup=0.3, checkpoint=tmp_path / "d")
    assert histories[0] == histories[1] and same(weights_of(made[0]), weights_of(made[1]))
    assert same(weights_of(made[0]), weights_of(gone_on))
    plain = module(EVERY)
    assert train(plain) != histories[0]


def test_a_block_says_what_is_done_and_none_leaves_what_there_was():
    plain = TrainingConfig()
    assert mixup_of(plain, "image") is None and batch_augmentation(plain, "image") is not None
    block = TrainingConfig(augmentation={"image": {"mixup": 0.2, "moves": False}})
    assert mixup_of(block, "image") == 0.2 and batch_augmentation(block, "image") is None
    assert batch_augmentation(TrainingConfig(augmentation={"image": {}}), "image") is not None
    off = TrainingConfig(augmentation={"image": {"mixup": 0.2}}, augment=False)
    assert mixup_of(off, "image") is None and batch_augmentation(off, "image") is None
    assert mixup_of(TrainingConfig(augmentation={"speech": {}}), "speech") is None
    assert "augmentation" not in plain.model_dump()
    with pytest.raises(ValueError, match="mixup"):
        TrainingConfig(augmentation={"image": {"mixup": 0}})
