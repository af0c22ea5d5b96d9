"""A margin from the teacher's own spread."""

import numpy as np
import pytest
import torch

from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.losses import SoftClassifierConstraint, SoftFeatureConstraint
from cross_modal_kd.models.projection import Projection
from cross_modal_kd.training.data import TeacherSide
from cross_modal_kd.training.margins import margin_of_data


@pytest.fixture
def projection():
    made = Projection(3, 4, ProjectionConfig(kind="pca", dim=3, scale=8.0))
    with torch.no_grad():
        made.head.linear.weight.copy_(torch.eye(3))
    return made


def pools(angles):
    """Two teacher samples a pool, that many radians apart; and a last pool of one."""
    rows = [[1.0, 0.0, 0.0]] + [[np.cos(angle), np.sin(angle), 0.0] for angle in angles]
    candidates = [np.array([0, place]) for place in range(1, len(rows))] + [np.array([1])]
    return TeacherSide.from_candidates(np.array(rows), candidates)


@pytest.mark.parametrize(("quantile", "expected"), [(0.0, 0.1), (0.5, 0.5), (1.0, 1.2)])
def test_it_is_the_quantile_of_the_distance_between_two_views(projection, quantile, expected):
    found = margin_of_data(SoftFeatureConstraint(), pools([0.1, 0.5, 1.2]), projection, quantile)
    assert found == pytest.approx(1 - np.cos(expected), abs=1e-5)


def test_it_is_in_the_units_of_the_constraint_and_leaves_the_projection_as_it_was(projection):
    projection.train()
    found = margin_of_data(SoftClassifierConstraint(temperature=2.0), pools([0.3]), projection, 0.5)
    one, two = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([np.cos(0.3), np.sin(0.3), 0.0]).float()
    p, q = ((8 * projection.prototypes() @ x / 2).softmax(-1) for x in (one, two))
    values = [float(4 * (a * (a / b).log()).sum()) for a, b in ((p, q), (q, p))]  # either may stand for the student
    assert min(abs(found - value) for value in values) < 1e-5
    assert projection.training


def test_without_two_views_of_anything_it_says_so(projection):
    alone = TeacherSide.from_candidates(np.eye(3), [np.array([0]), np.array([2])])
    with pytest.raises(ValueError, match="no instance has two teacher samples.*set a margin"):
        margin_of_data(SoftFeatureConstraint(), alone, projection, 0.5)
