"""Every public function of the package says what it takes, gives back and refuses."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "cross_modal_kd"
PROGRAMS = ("run_student.py", "read_input.py")  # go with an exported student: no function is called from elsewhere
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file.name not in PROGRAMS)
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):\n((?:[ ]+\S.*(?:\n|$)|\n)+)", re.MULTILINE)
ENTRY = re.compile(r"^ {4}(?:\*{0,2})(\w+)(?: \(.*?\))?: *\S", re.MULTILINE)
SEES = re.compile(r"\b[Ss]ee ``(\w+\.(\w+))``")  # the docstring of the method that it implements says it


def public_functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """(name, function, docstring) of public functions and methods; the arguments of __init__ stand in the class's."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not is_command(node):
            yield node.name, node, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in [each for each in node.body if isinstance(each, ast.FunctionDef)]:
                if method.name == "__init__":
                    yield node.name, method, ast.get_docstring(node) or ""
                elif not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method, ast.get_docstring(method) or ""


def is_command(function: ast.FunctionDef) -> bool:
    """Whether its docstring is a command's --help, where each option says itself what it is."""
    return any(ast.unparse(each).startswith(("click.command", "click.group")) for each in function.decorator_list)


def takes(function: ast.FunctionDef) -> list[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *([given.vararg] if given.vararg else []), *given.kwonlyargs]
    named += [given.kwarg] if given.kwarg else []
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def gives(function: ast.FunctionDef) -> bool:
    """Whether it gives back what needs a word, beyond its first line, which is enough where it takes nothing."""
    returns = ast.unparse(function.returns) if function.returns else "None"
    return function.name != "__init__" and returns != "None" and bool(takes(function))


def refuses(function: ast.FunctionDef) -> bool:
    """Whether it raises by itself; what a function inside it raises is raised where that one is called."""
    open_nodes: list[ast.AST] = list(function.body)
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.Raise) and node.exc and "NotImplementedError" not in ast.unparse(node.exc):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            open_nodes += ast.iter_child_nodes(node)
    return False


def sections(text: str) -> dict[str, str]:
    return dict(SECTION.findall(text + "\n"))


def lacks(function: ast.FunctionDef, text: str) -> list[str]:
    """What the sections of a docstring do not say, or say of a parameter that there is not."""
    there = sections(text)
    listed, taken = ENTRY.findall(there.get("Args", "")), takes(function)
    lacking = [f"no {name} in Args" for name in taken if name not in listed]
    lacking += [f"takes no {name}" for name in listed if name not in taken]
    if gives(function) and not {"Returns", "Yields"} & set(there):
        lacking.append("no Returns")
    if refuses(function) and "Raises" not in there:
        lacking.append("no Raises")
    return lacking


@cache
def documented() -> frozenset[str]:
    """Names of the methods whose own docstring lacks nothing: those that others may point to."""
    found = [each for file in FILES for each in public_functions(ast.parse(file.read_text(encoding="utf-8")))]
    return frozenset(name for name, function, text in found if text and not lacks(function, text))


def is_said_elsewhere(name: str, text: str) -> bool:
    return any(method == name.split(".")[-1] and which in documented() for which, method in SEES.findall(text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_public_functions_have_their_sections(file):
    found = public_functions(ast.parse(file.read_text(encoding="utf-8")))
    lacking = [
        f"{name}: {what}"
        for name, function, text in found
        if not is_said_elsewhere(name, text)
        for what in lacks(function, text)
    ]
    assert not lacking


SOUND = '''
def f(a, /, b, *c, d, **e):
    """It.

    Args:
        a: one,
            with a: in it.
        b (int): two.
        *c: three.
        d: four.
        **e: five.

    Returns:
        A number.

    Raises:
        ValueError: always.
    """
'''
BODY = "    raise ValueError\n"


@pytest.mark.parametrize(
    ("old", "new", "lacking"),
    [
        ("", "", []),
        ("        d: four.\n", "", ["no d in Args"]),
        ("        **e: five.\n", "", ["no e in Args"]),
        ("        a: one,\n            with a: in it.\n", "", ["no a in Args"]),
        ("It.", "It. a: one.\n\n    x: two.", []),  # only the entries of the section count
        ("        a: one,\n", "        x: one,\n            a: two,\n", ["no a in Args", "takes no x"]),
        ("    Returns:\n        A number.\n", "", ["no Returns"]),
        ("    Raises:\n        ValueError: always.\n", "", ["no Raises"]),
        ("    Args:\n", "    Arguments:\n", [f"no {name} in Args" for name in "abcde"]),
    ],
)
def test_the_check_sees_what_is_not_said(old, new, lacking):
    function = ast.parse(SOUND.replace(old, new, 1).replace("**e):", "**e) -> int:") + BODY).body[0]
    assert sorted(lacks(function, ast.get_docstring(function))) == sorted(lacking)


def test_what_a_function_inside_raises_is_not_its_own():
    inner = dedent("""
        def f():
            def g():
                raise ValueError
            return g
    """)
    assert not refuses(ast.parse(inner).body[0])
    assert refuses(ast.parse(inner + "    raise ValueError\n").body[0])
    assert not refuses(ast.parse(inner + "    raise NotImplementedError\n").body[0])


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        ("W x + b; see ``Classifier.logits``.", True),
        ("See ``Classifier.loss``.", False),  # another method
        ("See ``NoSuchHead.logits``.", False),
        ("See ``logits``.", False),
    ],
)
def test_only_the_same_method_of_another_class_may_say_it(text, is_said):
    assert is_said_elsewhere("LinearClassifier.logits", text) == is_said
