"""Pages of a small world, made once."""

import pytest

from evaluation_world import CHIMERIC, CLASSIFICATION, VERIFICATION, world

TASKS = {"verification": VERIFICATION, "classification": CLASSIFICATION, "chimeric": CHIMERIC}


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The report of each task, by its name here."""
    return {name: world(task).report(tmp_path_factory.mktemp(name)) for name, task in TASKS.items()}
