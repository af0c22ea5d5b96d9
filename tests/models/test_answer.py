"""Which classifier answers."""

import math

import pytest
import torch

from cross_modal_kd.models.answer import Shared, answer_logits

OWN = torch.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
EMBEDDINGS = torch.tensor([[3.0, 4.0, 9.0], [0.0, 0.0, 1.0]])  # two bound dimensions, one free
PROTOTYPES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])


def test_without_the_teachers_classifier_the_own_answers():
    assert answer_logits(OWN, EMBEDDINGS, None) is OWN


def test_the_teachers_classifier_reads_the_bound_dimensions_only():
    found = answer_logits(OWN, EMBEDDINGS, Shared("teacher", PROTOTYPES, scale=10.0))
    torch.testing.assert_close(found, torch.tensor([[6.0, 8.0, -6.0], [0.0, 0.0, 0.0]]))


def test_both_is_the_normalised_geometric_mean_of_two_answers():
    found = answer_logits(OWN, EMBEDDINGS, Shared("both", PROTOTYPES, scale=2.0)).softmax(-1)

    def softmax(values):
        total = sum(math.exp(value) for value in values)
        return [math.exp(value) / total for value in values]

    one, two = softmax([0.0, 1.0, 0.0]), softmax([1.2, 1.6, -1.2])
    product = [math.sqrt(a * b) for a, b in zip(one, two, strict=True)]
    assert found[0].tolist() == pytest.approx([value / sum(product) for value in product], abs=1e-6)
    torch.testing.assert_close(found[1], (OWN[1] / 2).softmax(-1))  # a student of no direction says nothing
