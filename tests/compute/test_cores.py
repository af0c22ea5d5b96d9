"""How many processes may work at a time."""

import os

import pytest

from cross_modal_kd.compute import cores as cores_of
from cross_modal_kd.compute import workers_by_cores

cores_module = __import__("cross_modal_kd.compute.cores", fromlist=["cores"])


@pytest.mark.parametrize(
    ("affinity", "quota", "expected", "workers"),
    [
        (2, "max 100000", 2, 0),
        (8, "max 100000", 8, 7),
        (64, "max 100000", 64, 16),
        (64, "400000 100000", 4, 3),
        (64, "50000 100000", 1, 0),
        (8, "no quota", 8, 7),
        (3, None, 3, 2),
    ],
)
def test_cores_are_those_that_may_be_used(tmp_path, monkeypatch, affinity, quota, expected, workers):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    monkeypatch.setattr(cores_module, "QUOTA", tmp_path / "cpu.max")
    if quota is not None:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert (cores_of(), workers_by_cores()) == (expected, workers)
