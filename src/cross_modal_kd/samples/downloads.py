"""What a download that failed leaves in place of a sample."""

import re
from collections.abc import Mapping
from typing import Any

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots

HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|\?xml[^>]*>\s*<error>)", re.IGNORECASE)
POINTER = b"version https://git-lfs.github.com/spec/"


def no_sample(roots: Roots, row: Mapping[str, Any]) -> str:
    """What a file that cannot be read holds instead of a sample.

    Args:
        roots: of the sources.
        row: of the samples table: ``source`` and ``path``.

    Returns:
        The reason, with what to do; empty where it is not known.
    """
    if not isinstance(row["path"], str):
        return ""
    try:
        begins = roots.beginning(row["source"], row["path"])
    except (OSError, SamplesError):
        return ""
    return no_beginning(begins)


def no_beginning(begins: bytes) -> str:
    """What content that cannot be read is instead of a sample.

    Args:
        begins: its first bytes.

    Returns:
        As ``no_sample``.
    """
    if not begins:
        return "the file is empty (0 bytes); copy it once more"
    if begins.startswith(POINTER):
        return "the file is a pointer of Git LFS, in place of what it points to; `git lfs pull` fetches that"
    if HTML.match(begins):
        return "the file is a page of HTML or XML, as a download that was refused leaves it; fetch it once more"
    return "the file is zeros, as a download that broke off leaves it; copy it once more" if not any(begins) else ""
