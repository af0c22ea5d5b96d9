"""A package whose version alone is asked for is not loaded, and is whole for whoever asks for more."""

import subprocess
import sys
from importlib import import_module

import pytest

from cross_modal_kd.compute.versions import version_alone


@pytest.fixture
def slow_package(tmp_path, monkeypatch):
    """An installed package ``slow_one`` 3.2.1 that says when it is loaded."""
    (tmp_path / "slow_one").mkdir()
    (tmp_path / "slow_one" / "__init__.py").write_text("print('loaded')\n__version__ = '3.2.1'\nanswer = 42\n")
    (tmp_path / "slow_one" / "part.py").write_text("answer = 21\n")
    (tmp_path / "slow_one-3.2.1.dist-info").mkdir()
    (tmp_path / "slow_one-3.2.1.dist-info" / "METADATA").write_text("Name: slow_one\nVersion: 3.2.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "slow_one"]:
        del sys.modules[name]


def test_the_version_loads_nothing(slow_package, capsys):
    with version_alone("slow_one"):
        module = import_module("slow_one")
        assert module.__version__ == "3.2.1" and module.__file__.endswith("__init__.py")
        assert not hasattr(module, "__no_such_name__")
    assert "slow_one" not in sys.modules
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("part", ["slow_one", "slow_one.part"])
def test_more_than_the_version_loads_the_package(slow_package, capsys, part):
    with version_alone("slow_one"):
        assert import_module(part).answer in (21, 42)
    assert capsys.readouterr().out == "loaded\n"
    assert sys.modules["slow_one"].answer == 42


def test_what_is_not_installed_stays_so():
    with version_alone("no_such_package_at_all"), pytest.raises(ModuleNotFoundError):
        import_module("no_such_package_at_all")


def test_a_device_costs_neither_torchmetrics_nor_torchvision():
    code = (
        "import sys; from cross_modal_kd.compute import make_fabric; from cross_modal_kd.config import TrainingConfig;"
        "make_fabric(TrainingConfig()); print({'torchmetrics', 'torchvision', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
