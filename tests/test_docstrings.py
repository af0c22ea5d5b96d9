"""Rooms that others import: every public function says what it takes, gives back and refuses."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "cross_modal_kd"
REWRITTEN = {"measured.py", "metric_set.py"}  # with the rooms that call them
FILES = sorted(
    file for room in ("losses", "metrics") for file in (PACKAGE / room).glob("*.py") if file.name not in REWRITTEN
)
SEES = ("See ``", "see ``")  # another docstring says it


def public_functions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef, ast.AST]]:
    """(name, function, where its docstring stands) of public functions and methods, and of classes with __init__."""
    found: list[tuple[str, ast.FunctionDef, ast.AST]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, node, node))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found += [(f"{node.name}.{each.name}", each, each) for each in methods if each.name != "__init__"]
            found += [(f"{node.name}.x", each, node) for each in methods if each.name == "__init__"]
    return [each for each in found if not each[0].split(".")[-1].startswith("_")]


def takes(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]


def gives(function: ast.FunctionDef) -> bool:
    """Whether it gives back what needs a word: a property's first line is its word."""
    property_ = any(isinstance(each, ast.Name) and each.id == "property" for each in function.decorator_list)
    return (
        function.name != "__init__" and not property_ and ast.unparse(function.returns or ast.Constant(None)) != "None"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_public_functions_have_their_sections(file):
    lacking = []
    for name, function, place in public_functions(ast.parse(file.read_text(encoding="utf-8"))):
        text = ast.get_docstring(place) or ""
        if any(words in text for words in SEES):
            continue
        refuses = any(isinstance(each, ast.Raise) and each.exc for each in ast.walk(function))
        refuses = refuses and "NotImplementedError" not in ast.unparse(function)
        wanted = {
            "Args:": bool(takes(function)),
            "Returns:": gives(function) and bool(takes(function)),
            "Raises:": refuses,
        }
        lacking += [f"{name}: {section}" for section, needed in wanted.items() if needed and section not in text]
        lacking += [f"{name}: {each}" for each in takes(function) if f"{each}: " not in text]
    assert not lacking
