"""The method runs without the tools around it: neither Kedro nor MLflow is imported by what trains and measures."""

import os
import subprocess
import sys

BLOCKED = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("kedro", "kedro_datasets", "mlflow"):
            raise ImportError(f"{name} is blocked in this test")

sys.meta_path.insert(0, Blocker())
import cross_modal_kd

ROOMS = "compute evaluation losses metrics modalities models samples storage tasks training".split()
for room in ROOMS:
    package = importlib.import_module(f"cross_modal_kd.{room}")
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not each.name.endswith(".read_input"):  # it is exported, and runs beside a student
            importlib.import_module(each.name)
    print(room)
"""


def test_the_rooms_of_the_method_are_imported_without_kedro_and_mlflow():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", BLOCKED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.split()) == 10
