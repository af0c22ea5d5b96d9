"""The projection against scikit-learn's PCA, and its fit."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.models.projection import Projection, ProjectionMap, build_projection, projection_bundle
from cross_modal_kd.training.projection import train_projection

LABELS = np.arange(60) % 5


def embeddings(count: int = 60, dim: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.linspace(3, 0.5, dim)
    return (rng.normal(size=(count, dim)) * spread + 1).astype(np.float32)


def config(**changes) -> ProjectionConfig:
    return ProjectionConfig(**({"dim": 6, "hidden": 16, "epochs": 4, "batch_size": 16, "lr": 0.01} | changes))


def test_the_fixed_projections_directions_are_those_of_pca_up_to_sign():
    values = embeddings()
    fitted = PCA(6, svd_solver="full").fit(values)
    g = ProjectionMap(12, config(kind="pca"))
    g.initialise(torch.from_numpy(values))
    found = g.linear.weight.numpy()
    np.testing.assert_allclose(np.abs(found @ fitted.components_.T), np.eye(6), atol=1e-4)
    expected = np.abs(fitted.transform(values))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(g(torch.from_numpy(values)).numpy()), expected, atol=1e-4)


def test_its_signs_do_not_depend_on_the_machine():
    g = ProjectionMap(12, config(kind="pca"))
    g.initialise(torch.from_numpy(embeddings()))
    weight = g.linear.weight
    assert (weight.gather(1, weight.abs().argmax(dim=1, keepdim=True)) > 0).all()


@pytest.mark.parametrize("values", [embeddings(4), np.repeat(embeddings(4), 5, axis=0)])
def test_directions_beyond_the_datas_rank_are_zero(values):
    g = ProjectionMap(12, config(kind="pca"))
    g.initialise(torch.from_numpy(values))
    norms = g.linear.weight.norm(dim=1)
    torch.testing.assert_close(norms, torch.tensor([1.0, 1, 1, 0, 0, 0]))


def test_more_dimensions_than_the_teacher_has_stay_zero():
    g = ProjectionMap(4, config(kind="pca", dim=6))
    g.initialise(torch.from_numpy(embeddings(dim=4)))
    assert g.linear.weight[4:].abs().sum() == 0


@pytest.mark.parametrize("kind", ["mlp", "pca"])
@pytest.mark.parametrize("residual", [True, False])
def test_embeddings_and_prototypes_have_length_one(kind, residual):
    projection = Projection(12, 5, config(kind=kind, residual=residual)).eval()
    projection.head.initialise(torch.from_numpy(embeddings()))
    for values in (projection(torch.from_numpy(embeddings())), projection.prototypes()):
        torch.testing.assert_close(values.norm(dim=1), torch.ones(len(values)))


def test_a_projection_comes_back_from_its_bundle_as_it_was():
    projection = Projection(12, 5, config()).eval()
    projection.head.initialise(torch.from_numpy(embeddings()))
    built = build_projection(projection_bundle(projection, 12, list("abcde")))
    values = torch.from_numpy(embeddings(seed=1))
    assert not built.training
    assert torch.equal(built(values), projection(values))
    assert torch.equal(built.prototypes(), projection.prototypes())


def test_the_fixed_projection_stands_still_while_its_prototypes_learn():
    values = embeddings()
    start = ProjectionMap(12, config(kind="pca"))
    start.initialise(torch.from_numpy(values))
    looks = iter(range(100))
    fitted, history = train_projection(values, LABELS, 5, config(kind="pca"), lambda _: next(looks))
    assert torch.equal(fitted.head.linear.weight, start.linear.weight)
    assert history[-1]["loss"] < history[1]["loss"]


@pytest.mark.parametrize("best", [0, 2, 4])
def test_the_projection_that_is_best_on_dev_is_kept_the_untrained_one_among_them(best):
    seen = []

    def dev(projection):
        seen.append({name: value.clone() for name, value in projection.state_dict().items()})
        return 1.0 if len(seen) - 1 == best else 0.5 - 0.01 * len(seen)

    fitted, history = train_projection(embeddings(), LABELS, 5, config(), dev)
    assert [row["epoch"] for row in history] == [0, 1, 2, 3, 4]
    assert all(torch.equal(value, seen[best][name]) for name, value in fitted.state_dict().items())
    assert not torch.equal(seen[0]["head.mlp.1.weight"], seen[4]["head.mlp.1.weight"])


def test_where_nothing_can_be_measured_the_last_is_kept():
    seen = []

    def dev(projection):
        seen.append(projection.weight.detach().clone())
        return -float("inf")

    fitted, _ = train_projection(embeddings(), LABELS, 5, config(), dev)
    assert torch.equal(fitted.weight, seen[-1]) and not torch.equal(seen[0], seen[-1])


def test_the_same_seed_fits_the_same_projection_and_another_seed_another():
    states = [train_projection(embeddings(), LABELS, 5, config(seed=seed), lambda _: 0.0)[1] for seed in (0, 0, 1)]
    assert states[0] == states[1] != states[2]


def test_fitting_learns_the_classes():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 12))
    values = (centres[LABELS] + 0.5 * rng.normal(size=(60, 12))).astype(np.float32)
    unseen = torch.from_numpy((centres[LABELS] + 0.5 * rng.normal(size=(60, 12))).astype(np.float32))

    def dev(projection):
        return float(((projection(unseen) @ projection.prototypes().T).argmax(1).numpy() == LABELS).mean())

    fitted, _ = train_projection(values, LABELS, 5, config(epochs=10), dev)
    assert dev(fitted.eval()) > 0.9


@pytest.mark.parametrize(("least", "epochs"), [(None, 4), (8, 4), (9, 5), (19, 10)])
def test_a_small_split_gets_its_least_number_of_steps(least, epochs):
    options = config(batch_size=32, min_steps=least)  # 60 samples: two steps an epoch
    _, history = train_projection(embeddings(), LABELS, 5, options, lambda _: 0.0)
    assert history[-1]["epoch"] == epochs
