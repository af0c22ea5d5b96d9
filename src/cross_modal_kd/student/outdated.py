"""Is what was made of a student still of the one that was trained last?"""

from pathlib import Path

from cross_modal_kd.models import load_bundle, weights_of
from cross_modal_kd.storage import parse_json

# folder beside the trained one: (file that says of which student it is, key in it)
MADE = {"packaged": ("student.json", "weights"), "exported": ("export.json", "student")}


def beside_trained(trained: Path) -> list[Path]:
    """What lies beside a trained student and was made of another one: it was trained again since.

    The weights are compared, by their SHA-256, and no times: a training that came out the same changes nothing.

    Args:
        trained: the student's folder, ``<role>/student``; one that is not there or is damaged tells nothing.

    Returns:
        Folders of ``MADE``, those that are of another student.
    """
    try:
        weights = weights_of(load_bundle(trained, ["student"]))
    except (ValueError, OSError):
        return []
    return [trained.with_name(name) for name in MADE if _made_of(trained.with_name(name)) not in (weights, "")]


def _made_of(folder: Path) -> str:
    """The weights that it was made of; empty where it does not say."""
    file, key = MADE[folder.name]
    try:
        content = parse_json(folder / file)
    except (ValueError, OSError):
        return ""
    return str(content.get(key, "")) if isinstance(content, dict) else ""
