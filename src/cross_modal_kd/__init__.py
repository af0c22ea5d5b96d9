"""Cross-modal distillation with soft constraints: a teacher in one modality trains a student in another.

A room, a folder here, is imported through its face, its ``__init__``. Where that would be expensive the face is lazy:
what it promises stands in the stub beside it (``__init__.pyi``), and is imported when it is asked for.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_face(room: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The face of a room, of what its stub names.

    Args:
        room: the face's ``__name__``.
        file: the face's ``__file__``; the stub lies beside it.

    Returns:
        The room's ``__getattr__``, ``__dir__`` and ``__all__``.

    Raises:
        ValueError: the stub names something of another room, or by the name of one of the room's files.
    """
    lines = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8")).body
    places = {name.name: str(line.module) for line in lines if isinstance(line, ast.ImportFrom) for name in line.names}
    for name, place in places.items():
        if not place.startswith(f"{room}.") or Path(file).with_name(f"{name}.py").exists():
            raise ValueError(f"{file}i: {place}.{name}: expected what {room} holds, and no name of one of its files")

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}; it has {', '.join(sorted(places))}")
        return getattr(import_module(places[name]), name)

    return get, lambda: sorted(places), sorted(places)
