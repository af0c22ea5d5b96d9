"""Errors of other processes: whose they are does not depend on who tells of them."""

import pickle

import numpy as np
import pytest
import torch

from cross_modal_kd.cli.errors import is_of_the_user
from cross_modal_kd.compute import portable
from cross_modal_kd.samples import EmbeddingTable, first_few


class Stubborn(Exception):
    def __reduce__(self):
        raise TypeError("not to be sent")


def of_a_library():
    torch.zeros(2) @ torch.zeros(3)


def of_the_project():
    EmbeddingTable(["a"], np.zeros((2, 2)), "")


def stubborn():
    raise Stubborn(f"no {first_few(['a'])}")


def met(work):
    with pytest.raises(Exception) as found:
        work()
    return found.value


def sent(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301 (what this process has made)


def raised_again(error):
    """As a rank, a worker or a task hands it on: the project's own line raises it."""
    from cross_modal_kd.training.workers import _Failure, _raise

    return met(lambda: _raise(_Failure(error, "")))


def test_an_error_of_a_library_is_none_of_the_users_wherever_it_was_met():
    error = met(of_a_library)
    assert not is_of_the_user(error)
    assert not is_of_the_user(raised_again(sent(portable(error))))


def test_an_error_of_the_project_stays_one():
    error = met(of_the_project)
    assert isinstance(error, ValueError) and is_of_the_user(error)
    again = raised_again(sent(portable(error)))
    assert type(again) is type(error) and str(again) == str(error) and is_of_the_user(again)


def test_what_cannot_be_sent_has_its_words():
    words = sent(portable(met(stubborn)))
    assert type(words) is RuntimeError and str(words) == "Stubborn: no 'a'"
    assert not is_of_the_user(raised_again(words))  # a test's file is none of the project's
