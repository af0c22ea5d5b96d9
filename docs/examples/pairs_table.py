"""A layout of the documentation: src/cross_modal_kd/sources/pairs_table.py."""

from typing import Any

from cross_modal_kd.config import Strict
from cross_modal_kd.samples import Roots, SamplesError, read_csv
from cross_modal_kd.sources.listing import Listing, listing

TABLE = "pairs.csv"


class PairsTableOptions(Strict):
    """label: the column that is learnt."""

    label: str = "label"


def read_pairs_table(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """An image and a text for each line of pairs.csv (image, text and a column of labels).

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``PairsTableOptions``.

    Returns:
        Two rows a line, bound by their group; lines without a text are rejected.

    Raises:
        SamplesError: the table is missing, lacks a column, or has no usable line.
        ValueError: an unknown or wrong option.
    """
    chosen = PairsTableOptions.model_validate(options)
    table = read_csv(roots.root(name) / TABLE, ["image", "text", chosen.label])
    rows, rejected = [], []
    for line in table.index:
        path, text = table.at[line, "image"], table.at[line, "text"].strip()
        if not text:
            rejected.append({"source": name, "path": path, "reason": f"no text ({TABLE}, line {line})"})
            continue
        shared = {"label": table.at[line, chosen.label], "group": path, "source": name}
        rows.append(shared | {"sample_id": f"{name}/{path}", "modality": "image", "path": path})
        rows.append(shared | {"sample_id": f"{name}/text/{path}", "modality": "text", "text": text})
    if not rows:
        raise SamplesError(f"sources.{name}.root: no line of {TABLE} has a text; add some")
    return listing(rows, rejected)
