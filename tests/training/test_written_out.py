"""Whole trainings against the same written out in a few lines, number for number: seeds, orders, rates and sums."""

import numpy as np
import pytest
import torch
from torch import Generator
from torch.nn import functional as F
from torch.utils.data import DataLoader

from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.models.projection import Projection
from cross_modal_kd.training.module import Batch
from cross_modal_kd.training.projection import train_projection
from cross_modal_kd.training.seeds import derive_seed
from training_toys import BOTH, CONFIG, COUNT, data, module, same, train, weights_of

LAST = {"keep": "last", "epochs": 3, "seed": 2, "lr": 0.02}
CASES = {
    "as it is": {},
    "no clipping": {"grad_clip": None},
    "clipped hard": {"grad_clip": 0.05},
    "without warmup": {"warmup": 0.0},
    "decay": {"weight_decay": 0.5, "warmup": 0.4},
    "one batch": {"batch_size": 100},
}


def noise(inputs, generator):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)


def stream(*parts) -> Generator:
    return Generator().manual_seed(derive_seed(*parts))


def written_out(made, given, config, joint_lr_scale) -> list[dict[str, float]]:
    """The history of a training on the CPU in single precision, without its looks at dev."""
    torch.manual_seed(derive_seed("initial", config.seed))
    trained = [(name, each) for name, each in made.named_parameters() if each.requires_grad]
    of_projection = [each for name, each in trained if name.startswith("projection.")]
    others = [each for name, each in trained if not name.startswith("projection.")]
    groups = [
        {"params": [each for each in others if each.ndim > 1], "lr": config.lr, "weight_decay": config.weight_decay},
        {"params": [each for each in others if each.ndim < 2], "lr": config.lr, "weight_decay": 0.0},
    ]
    if of_projection:
        lr = config.lr * joint_lr_scale
        groups.append({"params": of_projection, "lr": lr, "weight_decay": config.weight_decay})
    optimizer = torch.optim.AdamW(groups)
    size = min(config.batch_size, COUNT)
    steps = COUNT // size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in groups],
        total_steps=steps * config.epochs + 1,
        pct_start=max(config.warmup, 0.001),
    )
    history = []
    for epoch in range(config.epochs):
        torch.manual_seed(derive_seed("epoch", config.seed, epoch))
        changes, pairs = (stream(purpose, config.seed, epoch) for purpose in ("augment", "pairs"))
        order = torch.randperm(COUNT, generator=stream("order", config.seed, epoch))
        iter(DataLoader([0]))  # every pass over a loader takes a number from the stream of the dropout
        made.train()
        row: dict[str, float] = {}
        for step in range(steps):
            rows = order[step * size : (step + 1) * size]
            inputs = noise(given.inputs.values[rows], changes)
            partners = given.teacher.embeddings[given.teacher.draw(rows, pairs)]
            progress = (epoch * steps + step) / (config.epochs * steps)
            columns = (given.labels[rows], given.task_weights[rows], given.kd_weights[rows])
            loss, parts = made(Batch(inputs, *columns, partners, progress))
            optimizer.zero_grad()
            loss.backward()
            if config.grad_clip is not None:
                torch.nn.utils.clip_grad_norm_(made.parameters(), config.grad_clip)
            optimizer.step()
            schedule.step()
            for name, value in {"loss": loss.detach(), **parts}.items():
                row[name] = row.get(name, 0.0) + float(value) / steps
        history.append({"epoch": epoch + 1, **row, "lr": schedule.get_last_lr()[0]})
    return history


def learnt(made) -> dict[str, torch.Tensor]:
    """The weights, but for a bias that the batch norm after it takes out again: its gradient is rounding noise."""
    return {k: v for k, v in weights_of(made).items() if k not in ("student.1.bias", "student.2.running_mean")}


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_training_is_the_one_written_out(case, joint):
    config = CONFIG.model_copy(update=LAST | CASES[case])
    terms = BOTH | {"classifier": ("classifier_kl", {"weight": 0.5, "warmup": 0.5})}
    ours, theirs = module(terms, joint=joint), module(terms, joint=joint)
    history = train(ours, data(), config, augment=noise, joint_lr_scale=0.3)
    expected = written_out(theirs, data(), config, 0.3)
    torch.testing.assert_close(learnt(ours), learnt(theirs), rtol=1e-4, atol=1e-6)
    for row, other in zip(history, expected, strict=True):
        assert {name: value for name, value in row.items() if name != "dev_score"} == pytest.approx(other, rel=1e-5)


def test_the_projection_trains_at_a_tenth_of_the_rate_unless_told():
    ours, theirs = module(joint=True), module(joint=True)
    train(ours, data(), CONFIG.model_copy(update=LAST), augment=noise)
    written_out(theirs, data(), CONFIG.model_copy(update=LAST), 0.1)
    torch.testing.assert_close(learnt(ours), learnt(theirs), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"weight_decay": 0.9}, {"kind": "pca"}, {"scale": 3.0, "seed": 5}])
def test_fitting_a_projection_is_the_one_written_out(changes):
    given = {"dim": 4, "hidden": 6, "epochs": 3, "batch_size": 16, "lr": 0.05, "dropout": 0.1} | changes
    config, rng = ProjectionConfig(**given), np.random.default_rng(0)
    values, labels = rng.normal(size=(40, 7)).astype(np.float32), np.arange(40) % 3
    seen = []

    def dev(projection):
        seen.append({name: value.clone() for name, value in projection.state_dict().items()})
        assert not projection.training and not torch.is_grad_enabled()
        return float(len(seen))

    fitted, history = train_projection(values, labels, 3, config, dev)
    torch.manual_seed(derive_seed("projection", config.seed))
    order = stream("projection-order", config.seed)
    x, y = torch.from_numpy(values), torch.from_numpy(labels)
    plain = Projection(7, 3, config)
    plain.head.initialise(x)
    with torch.no_grad():
        projected = plain.head.eval()(x)
        means = torch.stack([projected[y == label].sum(dim=0) for label in range(3)])
        plain.weight.copy_(F.normalize(means))
    torch.testing.assert_close(dict(plain.state_dict()), seen[0])
    plain.load_state_dict(seen[0])
    learnt = [each for each in plain.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(learnt, config.lr, weight_decay=config.weight_decay)
    assert history[0] == {"epoch": 0.0, "loss": 0.0, "dev": 1.0}
    for epoch in range(1, 4):
        plain.train()
        losses = []
        for rows in torch.randperm(40, generator=order).split(16):
            logits = config.scale * plain(x[rows]) @ plain.prototypes().T
            losses += F.cross_entropy(logits, y[rows], reduction="none").tolist()
            optimizer.zero_grad()
            F.cross_entropy(logits, y[rows]).backward()
            optimizer.step()
        assert history[epoch] == {
            "epoch": float(epoch),
            "loss": pytest.approx(np.mean(losses), rel=1e-5),
            "dev": epoch + 1.0,
        }
        torch.testing.assert_close(dict(plain.state_dict()), seen[epoch], rtol=1e-4, atol=1e-6)
    assert same(dict(fitted.state_dict()), seen[-1])
