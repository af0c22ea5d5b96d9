"""What a modality does in its own way is asked of its object: nobody else looks at its name."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cross_modal_kd.config.registered import modality_names
from cross_modal_kd.modalities import modality_of

PACKAGE = Path(__file__).parents[2] / "src" / "cross_modal_kd"
NAMES = {*modality_names(), *(library for name in modality_names() for library in modality_of(name).libraries)}
OUTSIDE = sorted(file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "modalities")


def names_compared(tree: ast.AST) -> Iterator[str]:
    """Names of modalities and of their libraries that are compared with, matched, looked up, or keys of a mapping."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        if isinstance(node, ast.MatchValue):
            parts = [node.value]
        if isinstance(node, ast.Dict):
            parts = [*node.keys]
        for part in parts:
            for found in ast.walk(part) if part is not None else ():
                if isinstance(found, ast.Constant) and found.value in NAMES and not in_subscript(part, found):
                    yield str(found.value)


def in_subscript(part: ast.AST, constant: ast.Constant) -> bool:
    """Whether a constant names a column: ``rows["text"]``."""
    return any(isinstance(node, ast.Subscript) and constant in ast.walk(node.slice) for node in ast.walk(part))


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ('if modality == "image": pass', ["image"]),
        ('if row["modality"] in ("speech", "text"): pass', ["speech", "text"]),
        ('MOST = {"image": 7}', ["image"]),
        ('if library != "timm": pass', ["timm"]),
        ('if rows["text"].notna().all() == True: pass', []),
    ],
)
def test_the_rule_itself(code, caught):
    assert list(names_compared(ast.parse(code))) == caught


def test_no_other_room_asks_which_modality_it_is():
    found = {file.relative_to(PACKAGE).as_posix(): [*names_compared(ast.parse(file.read_text()))] for file in OUTSIDE}
    the_column_text = {
        "samples/schema.py": ["text", "text"],
        "sources/emoji.py": ["text"],
        "sources/voices.py": ["text"],
        "sources/any_table.py": ["text"],
        "sources/text_c10.py": ["text"],
        "sources/webdataset.py": ["text"],
        "sources/webdataset_shard.py": ["text"],
        "sources/published.py": ["speech", "speech"],  # a genre of CN-Celeb
        # what a layout of one modality holds
        "sources/cnceleb.py": ["speech"],
        "sources/image_folder.py": ["image"],
        # the table that the text libraries embed
        "student/teacher_side.py": ["text"],
        "training/named.py": ["text"],
        "evaluation/report/shelf.py": ["image", "text"],  # how a page shows a sample (`Preview.kind`)
    }
    # what it proposes for a folder, which the person changes: who is the teacher where there is a choice
    proposals = {"cli/new_task.py", "new_task/choice.py", "new_task/formats.py"}
    assert {file: names for file, names in found.items() if names and file not in proposals} == the_column_text


def test_no_other_room_imports_by_a_name_made_at_run_time():
    """losses/ and cli/ put off their own files, and so do the lazy faces; compute/ a package of others."""
    found = {file.relative_to(PACKAGE).parts[0] for file in OUTSIDE if "import_module(" in file.read_text()}
    assert found <= {"losses", "cli", "compute", "__init__.py"}


def test_the_door_of_the_modalities_imports_nothing_heavy():
    code = (
        "import sys, cross_modal_kd.modalities\n"
        "heavy = ('torch', 'PIL', 'scipy', 'soundfile', 'pandas', 'timm', 'speechbrain', 'sentence_transformers')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    path = str(PACKAGE.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path)
    assert done.stdout.strip() == "[]"
