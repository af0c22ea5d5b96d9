"""The best and the worst samples by each measure, on one self-contained page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots, as_records, read_before

SPLIT = "test"


def gallery_page(samples: pd.DataFrame, measures: pd.DataFrame, scores: pd.DataFrame, roots: Roots, n: int) -> str:
    """HTML with the n best and the n worst test samples by each measure and by the score, images and sounds inline.

    Args:
        samples: the samples table.
        measures: sample_id, modality, one column a measure, as of the quality pipeline.
        scores: sample_id and quality in [0, 1], as of the quality pipeline.
        roots: where the files of the samples lie.
        n: samples shown at each end; the page grows with n times the measures.

    Returns:
        One self-contained page.
    """
    from jinja2 import Environment, select_autoescape

    table = measures.merge(scores[["sample_id", "quality"]].rename(columns={"quality": "score"}), on="sample_id")
    table = table.merge(samples.drop(columns="modality"), on="sample_id")
    table = table[table["split"] == SPLIT].sort_values("sample_id")
    names = [*(name for name in measures if name not in ("sample_id", "modality")), "score"]
    modalities: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {}
    for modality, rows in table.groupby("modality", sort=True):
        there = [name for name in names if rows[name].notna().any()]
        modalities[str(modality)] = {str(name): _sides(rows, str(name), roots, n) for name in there}
    template = Path(__file__).with_name("gallery.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=select_autoescape(default_for_string=True), trim_blocks=True).from_string(template)
    return page.render(split=SPLIT, modalities=modalities)


def _sides(rows: pd.DataFrame, name: str, roots: Roots, n: int) -> dict[str, list[dict[str, Any]]]:
    ordered = rows.sort_values(name, kind="stable")
    sides = {"best": ordered.iloc[::-1][:n], "worst": ordered[:n]}
    return {side: [_card(row, name, roots) for row in as_records(chosen)] for side, chosen in sides.items()}


def _card(row: Mapping[str, Any], name: str, roots: Roots) -> dict[str, Any]:
    with read_before():
        shown = modality_of(row["modality"]).preview(row, roots, large=True)
    return {"sample_id": row["sample_id"], "label": row["label"], "value": float(row[name]), "shown": shown}
