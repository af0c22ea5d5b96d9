"""On what terms the data of a source may be used, as far as it is known."""

from pathlib import Path

from cross_modal_kd.config import SourceConfig

NOT_STATED = "not stated"
# Of the data that ship with the project or come in a package; data/NOTICE.md has the works and where they are from.
KNOWN = {
    "cnceleb": "CC BY-SA 4.0 (not confirmed at its origin)",
    "cub": "for non-commercial research (not confirmed at its origin)",
    "voices": "GPL-2 and GPL-2+ (recordings from four packages of free software)",
    "orl_faces": "AT&T Laboratories Cambridge, Database of Faces: no licence text; credit is asked for",
}
EMOJI = {
    "noto": "Apache-2.0",
    "openmoji": "CC BY-SA 4.0",
    "twemoji": "CC BY 4.0",
    "fluent3d": "MIT (not confirmed at its origin)",
    "fluentflat": "MIT",
    "emojione": "CC BY 4.0",
    "fxemoji": "Apache-2.0",
}
EMOJI_TEXTS = "texts: MIT and Unicode License v3"
NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


def licence_of(source: SourceConfig, root: Path | None = None) -> str:
    """The licence of a source's data: what its configuration says, else what is known of its layout.

    Args:
        source: its layout, options, and ``licence`` where one is stated.
        root: its folder; a file called LICENSE in it (or LICENCE, COPYING, NOTICE) is named where nothing is stated.

    Returns:
        The licence in words; ``not stated`` where none is.
    """
    if source.licence:
        return source.licence
    if source.layout == "emoji":
        styles = source.options.get("styles") or list(EMOJI)
        return "; ".join([*(f"{style}: {EMOJI.get(style, NOT_STATED)}" for style in styles), EMOJI_TEXTS])
    if source.layout in KNOWN:
        return KNOWN[source.layout]
    beside = [] if root is None or not root.is_dir() else sorted(each.name for each in root.iterdir() if each.is_file())
    found = [name for name in beside if name.upper().startswith(NAMES)]
    return f"{NOT_STATED} (beside the data lies {found[0]})" if found else NOT_STATED
