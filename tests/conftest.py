"""Fixtures for every room: ``run_kedro`` runs this project's pipelines in the test's own process and folder."""

import gc
import io
import logging
import os
import pickle
import random
import shutil
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock

import cross_modal_kd.modalities  # noqa: F401 (registers the names that configurations may use)

PROJECT = Path(__file__).parents[1]
FOLDS = {"evaluation": {"folds": 3}}

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="module", autouse=True)
def what_stays_is_not_searched_again() -> Iterator[None]:
    """What libraries have loaded, and files before this one have left, is passed over by the garbage collector.

    Else each of its full rounds looks at a million objects that stay for good.
    """
    gc.collect()
    gc.freeze()
    yield


@pytest.fixture(scope="session")
def project_path() -> Path:
    """The project's folder, with Kedro set up for it."""
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(PROJECT)
    return PROJECT


@pytest.fixture(scope="session", autouse=True)
def configuration_parsed_once() -> Iterator[None]:
    """OmegaConf parses a text of YAML, and an interpolation, once in a process: hundreds of sessions read one conf/.

    What is kept goes by the text itself, so that a changed file is another one, and each reader has a copy of its own;
    a text that is no YAML is not kept. Kedro looks for Ibis at each of a thousand parameters: here it hears at once
    that there is none.
    """
    from omegaconf import OmegaConf, base

    read, kept = OmegaConf.load, dict[str, bytes]()

    def load(given: Any) -> Any:
        if not hasattr(given, "read"):
            return read(given)
        text = given.read()
        if text not in kept:
            kept[text] = pickle.dumps(read(io.StringIO(text)))
        return pickle.loads(kept[text])  # noqa: S301 (made above)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(load))
        patch.setattr(base, "parse", cache(base.parse))
        if find_spec("ibis") is None:
            patch.setitem(sys.modules, "ibis", None)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Any]], Path]:
    """``made_once(name, make)``: a folder that the first process that asks makes, for all of them."""
    base = tmp_path_factory.getbasetemp()

    def made(name: str, make: Callable[[Path], Any]) -> Path:
        folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
        with FileLock(f"{folder}.lock"):
            if not (folder / "whole").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                (folder / "whole").touch()
        return folder

    return made


@pytest.fixture(scope="session")
def empty_tracking_db(made_once: Callable[..., Path]) -> Path:
    """An MLflow database with its tables, made once: each test copies it."""
    import mlflow

    def make(folder: Path) -> None:
        mlflow.MlflowClient(f"sqlite:///{folder / 'empty.db'}").search_experiments()

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    return made_once("mlflow", make) / "empty.db"


@pytest.fixture
def tracking_uri(tmp_path: Path, empty_tracking_db: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An MLflow database of the test's own, where every kedro run of the test is tracked."""
    shutil.copy(empty_tracking_db, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def kedro_run(
    data_root: Path, pipeline: str = "__default__", env: str = "test", params: dict | None = None, **options: Any
) -> dict[str, Any]:
    """``kedro run`` in this process; the keywords that are not named are those of ``KedroSession.run``."""
    from kedro.framework.session import KedroSession

    runtime = {"data_root": str(data_root), **(params or {})}
    with KedroSession.create(PROJECT, env=env, runtime_params=runtime, save_on_close=False) as session:
        return session.run(pipeline_names=[pipeline], **options)


@pytest.fixture
def run_kedro(project_path: Path, tracking_uri: str, tmp_path: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """``run_kedro("distill", params={"training": {"epochs": 1}}, from_nodes=[...])`` is ``kedro run`` on conf/test.

    The catalog writes below ``tmp_path / "data"`` (``run_kedro.data_root``), MLflow to ``tracking_uri``; the rest of
    the keywords are those of ``KedroSession.run``. Several calls in one test share both.
    """

    def run(pipeline: str = "__default__", **options: Any) -> dict[str, Any]:
        return kedro_run(run.data_root, pipeline, **options)

    run.data_root = tmp_path / "data"
    yield run


@pytest.fixture(scope="session")
def distilled(project_path: Path, empty_tracking_db: Path, made_once: Callable[..., Path]) -> Path:
    """The data root of one ``distill`` on conf/test, for tests that look at what it left: not to be written to."""

    def make(folder: Path) -> None:
        tracked_run(folder, empty_tracking_db, "distill")

    return made_once("distilled", make) / "data"


@pytest.fixture(scope="session")
def evaluated_in_folds(distilled: Path, empty_tracking_db: Path, made_once: Callable[..., Path]) -> Path:
    """``distilled`` after ``evaluation`` with ``FOLDS``: not to be written to either."""

    def make(folder: Path) -> None:
        shutil.copytree(distilled, folder / "data")
        tracked_run(folder, empty_tracking_db, "evaluation", params=FOLDS)

    return made_once("evaluated_in_folds", make) / "data"


def tracked_run(folder: Path, empty_tracking_db: Path, pipeline: str, **options: Any) -> None:
    """``kedro_run`` on the folder's ``data``, tracked in a database that lies beside it."""
    shutil.copy(empty_tracking_db, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        kedro_run(folder / "data", pipeline, **options)


@pytest.fixture
def run_kedro_after(distilled: Path, run_kedro: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """``run_kedro`` on a copy of what ``distill`` left."""
    shutil.copytree(distilled, run_kedro.data_root)
    return run_kedro


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever opens an address fails the test, even where the library forgives it."""
    opened = []

    def refuse(*address: Any, **_: Any) -> None:
        opened.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert not opened


def pytest_addoption(parser: pytest.Parser) -> None:
    """``pytest -m faults --kills=40 --seed=1``."""
    parser.addoption("--kills", type=int, default=4, help="how often -m faults kills each pipeline")
    parser.addoption("--seed", type=int, default=0, help="of the moments and the inputs of -m faults")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long tests of faults only where ``-m`` names them; the files with most slow tests first.

    ``make test`` gives a file to one process: a long one that comes last would run alone.
    """
    if "faults" not in config.option.markexpr:
        long = [item for item in items if item.get_closest_marker("faults")]
        items[:] = [item for item in items if not item.get_closest_marker("faults")]
        config.hook.pytest_deselected(items=long)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every test, and every fixture made for it, draws the same numbers, whatever ran before it.

    A test whose weights or inputs come from nobody's seed would fail once in many runs, where nobody can repeat it.

    Before a property-based test speechbrain's modules of old names are taken out of the loaded ones: hypothesis looks
    through all of these between examples, and they load others when they are looked at, which hypothesis takes for a
    test that is not deterministic.
    """
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        for name, module in list(sys.modules.items()):
            if type(module).__name__ in ("LazyModule", "DeprecatedModuleRedirect"):
                del sys.modules[name]


@pytest.fixture(scope="module")
def ray_of_two_cores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A ``ComputeConfig`` for a Ray of this machine with two cores, which ends with the file of tests."""
    ray = pytest.importorskip("ray")
    from cross_modal_kd.compute.cluster import sigterm_kept
    from cross_modal_kd.config import ComputeConfig

    paths = [str(PROJECT / name) for name in ("src", "tests/toys")]
    with pytest.MonkeyPatch.context() as patch, sigterm_kept():
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            configure_logging=False,
            log_to_driver=False,
            object_store_memory=100 * 2**20,
            _node_ip_address="127.0.0.1",
        )
    yield ComputeConfig(engine="ray", address=None, retries=1)
    with sigterm_kept():
        ray.shutdown()
