"""One door a room: from outside it is imported through its face, its ``__init__``, and nothing else."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from cross_modal_kd import lazy_face

PACKAGE = Path(__file__).parents[1] / "src" / "cross_modal_kd"
ROOMS = sorted(
    ".".join(face.parent.relative_to(PACKAGE.parent).parts)
    for pattern in ("*/__init__.py", "studies/*/__init__.py", "pipelines/*/__init__.py")
    for face in PACKAGE.glob(pattern)
)
LAZY = [room for room in ROOMS if (PACKAGE.parent / room.replace(".", "/") / "__init__.pyi").exists()]

# inner file: why it is a door too
INNER_DOORS = {
    "cross_modal_kd.losses.kinds": "configuration is checked against it without torch, which the face's REDUCERS need",
}


def room_of(module: str) -> str:
    """The innermost room that a module lies in, "" for those of the package itself."""
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len, default="")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of every import of the package, at the top or within a function; "" for the module itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)


def is_file(room: str, name: str) -> bool:
    """Whether a name of a room is one of its files, and not what its face binds under that name."""
    folder = PACKAGE.parent / room.replace(".", "/")
    bound = {found for _, found in imports(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))}
    return (folder / f"{name}.py").exists() and name not in bound


def past_the_face(importer: str, code: str) -> list[str]:
    """What a module imports from within a room that it does not lie in."""
    found = []
    for module, name in imports(ast.parse(code)):
        room = room_of(module)
        if module.startswith("."):
            found.append(f"{module}{name}")  # a relative import does not say which room it is from
        elif room and not f"{importer}.".startswith(f"{room}.") and module not in INNER_DOORS:
            found += [f"{module} {name}".strip()] if module != room or is_file(room, name) else []
    return found


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("from cross_modal_kd.samples import Roots", []),
        ("from cross_modal_kd.samples.roots import Roots", ["cross_modal_kd.samples.roots Roots"]),
        ("from cross_modal_kd.samples import roots", ["cross_modal_kd.samples roots"]),
        ("def f():\n    import cross_modal_kd.samples.roots", ["cross_modal_kd.samples.roots"]),
        ("from cross_modal_kd.training.loop import fit", []),
        ("from cross_modal_kd.tracking import fingerprint", []),
        ("from cross_modal_kd.studies.regimes.plots import Look", ["cross_modal_kd.studies.regimes.plots Look"]),
        ("from ..samples import roots", ["..samplesroots"]),
        ("from cross_modal_kd.pipelines import teacher", []),
    ],
)
def test_the_rule_itself(code, caught):
    assert past_the_face("cross_modal_kd.training.student", code) == caught


def test_a_room_is_imported_from_outside_through_its_face_only():
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        found[module] = past_the_face(module, file.read_text(encoding="utf-8"))
    assert len(ROOMS) > 20 and len(found) > 200
    assert not {module: names for module, names in found.items() if names}


@pytest.mark.parametrize("door", INNER_DOORS)
def test_an_inner_door_is_used_from_outside(door):
    files = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != door.split(".")[1]]
    assert any(f"from {door} import" in file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize("room", LAZY)
def test_a_lazy_face_has_all_that_it_promises_and_says_so_of_what_it_has_not(room):
    face = import_module(room)
    assert dir(face) == face.__all__
    for name in face.__all__:
        assert getattr(face, name) is not None
    with pytest.raises(AttributeError, match=f"no attribute 'nothing_here'; it has {face.__all__[0]}, "):
        face.nothing_here  # noqa: B018


@pytest.mark.parametrize(
    "line", ["from cross_modal_kd.samples.roots import Roots as Roots", "from made.one import one as one"]
)
def test_a_face_promises_nothing_of_another_room_and_no_name_of_a_file(tmp_path, line):
    (tmp_path / "one.py").write_text("one = 1")
    (tmp_path / "__init__.pyi").write_text(line)
    with pytest.raises(ValueError, match="expected what made holds, and no name of one of its files"):
        lazy_face("made", str(tmp_path / "__init__.py"))
