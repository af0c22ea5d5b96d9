"""Emoji drawn by several artists.

``concepts.csv`` has code, name, keywords, category, subcategory; ``images.parquet`` has code, style, png.
"""

import hashlib
import logging
import re
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from cross_modal_kd.config import EachOnce, Strict
from cross_modal_kd.samples import (
    Roots,
    SamplesError,
    first_few,
    member_path,
    read_csv,
    read_parquet,
    require_columns,
)
from cross_modal_kd.sources.listing import Listing, listing
from cross_modal_kd.storage import how_many

logger = logging.getLogger(__name__)

IMAGES, CONCEPTS = "images.parquet", "concepts.csv"


class EmojiOptions(Strict):
    """label: what is learnt, the concept or its subcategory.

    texts: the text views of a concept; ``category`` names its subcategory and category, for concepts as labels only.
    styles: the artists to use (null: all). exclude_subcategories: left out.
    min_concepts: of a subcategory that is kept. min_styles: artists that must have drawn a concept that is kept.
    variants: ``keep`` all, or only the ``first`` concept of each family (see ``family_of``).
    families: lie in one split ``together``; or ``apart``, by concept alone, so that near twins of test concepts are
    trained on: only to show what that does to the metrics.
    """

    label: Literal["concept", "subcategory"] = "concept"
    texts: Annotated[list[Literal["name", "keywords", "name_keywords", "category"]], EachOnce] = Field(
        ["name_keywords"], min_length=1
    )
    styles: list[str] | None = None
    exclude_subcategories: list[str] = []
    min_concepts: int = Field(1, ge=1)
    min_styles: int = Field(1, ge=1)
    variants: Literal["keep", "first"] = "keep"
    families: Literal["together", "apart"] = "together"

    @model_validator(mode="after")
    def _label_is_not_told(self) -> "EmojiOptions":
        if self.label == "subcategory" and "category" in self.texts:
            raise ValueError("texts: 'category' names the subcategory, which is the label; leave it out")
        return self


def read_emoji(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Image rows (domain: the artist) and text rows; group: the concept; family: its near-identical variants.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources.
        options: the fields of ``EmojiOptions``.

    Returns:
        The candidate rows; nothing is rejected, since what the options leave out was not asked for.

    Raises:
        SamplesError: a file or column is missing, the two files do not fit together, an artist or subcategory in the
            options does not exist, or no concept is left.
        ValueError: an unknown or wrong option.
    """
    chosen = EmojiOptions.model_validate(options)
    concepts = read_csv(roots.root(name) / CONCEPTS, ["code", "name", "keywords", "category", "subcategory"])
    images = _read_images(name, roots, chosen.styles)
    _check_joined(name, concepts, images)
    concepts = concepts.assign(family=concepts["code"].map(_families(images)))
    kept = _select(concepts, images, chosen)
    images = images[images["code"].isin(kept["code"])]
    logger.info("%s: %d of %d concepts kept, %s", name, len(kept), len(concepts), how_many(len(images), "image"))
    rows: list[dict[str, Any]] = []
    by_code = kept.set_index("code").to_dict("index")
    label_of = {code: code if chosen.label == "concept" else found["subcategory"] for code, found in by_code.items()}
    for code, style in zip(images["code"], images["style"], strict=True):
        rows.append(
            {"sample_id": f"{name}/{style}/{code}", "modality": "image", "label": label_of[code], "group": code}
            | {"path": member_path(IMAGES, code, style), "domain": style, "family": by_code[code]["family"]}
        )
    for code, found in by_code.items():
        views = text_views(found["name"], found["keywords"]) | {
            "category": category_text(found["subcategory"], found["category"])
        }
        for view, text in views.items():
            if view in chosen.texts and text:
                rows.append(
                    {"sample_id": f"{name}/text/{code}/{view}", "modality": "text", "label": label_of[code]}
                    | {"group": code, "family": found["family"], "text": text}
                )
    table = pd.DataFrame(rows).assign(source=name)
    return listing(table if chosen.families == "together" else table.drop(columns="family"))


def category_text(subcategory: str, category: str) -> str:
    """Both in words.

    Args:
        subcategory: with hyphens between its words.
        category: as it is written.

    Returns:
        ``subcategory, category``.

    >>> category_text("animal-mammal", "Animals & Nature")
    'animal mammal, Animals & Nature'
    """
    return f"{subcategory.replace('-', ' ')}, {category}"


def text_views(name: str, keywords: str) -> dict[str, str]:
    """name, keywords and both, from the raw ``a_b|c|d``: blanks for underscores, no repeats, no repeat of the name.

    Args:
        name: of the concept.
        keywords: raw, with ``|`` between them; may be blank.

    Returns:
        The texts ``name``, ``keywords`` (lower case; empty where none is left) and ``name_keywords``.

    >>> text_views("hot dog", "hot_dog|food|hot-dog|food")["name_keywords"]
    'hot dog: food, hot-dog'
    """
    name = " ".join(name.replace("_", " ").split())
    words = dict.fromkeys(" ".join(word.replace("_", " ").split()).lower() for word in keywords.split("|"))
    joined = ", ".join(word for word in words if word and word != name.lower())
    return {"name": name, "keywords": joined, "name_keywords": f"{name}: {joined}" if joined else name}


def family_of(code: str) -> str:
    """Code of the plainest variant: the same person with no stated gender, whichever way it faces.

    Woman and man become person, girl and boy child; the signs of gender and of facing right go. All families with
    children are one, and so are all couples that hold hands.

    Args:
        code: code points of an emoji in lower-case hexadecimal, with hyphens between them.

    Returns:
        The family's code, which is ``code`` itself for most.

    >>> family_of("1f468-200d-1f680"), family_of("1f93c-200d-2642"), family_of("1f680")
    ('1f9d1-200d-1f680', '1f93c', '1f680')
    """
    neutral = re.sub(r"-200d-(2640|2642|27a1)\b", "", code)
    neutral = re.sub(r"\b(1f468|1f469)\b", "1f9d1", neutral)
    neutral = re.sub(r"\b(1f466|1f467)\b", "1f9d2", neutral)
    return _PLAIN.get("family" if "1f9d1-200d" in neutral and "1f9d2" in neutral else neutral, neutral)


_PLAIN = {
    "family": "1f46a",
    "1f9d1-200d-2764-200d-1f48b-200d-1f9d1": "1f48f",
    "1f9d1-200d-2764-200d-1f9d1": "1f491",
    "1f9d1-200d-1f91d-200d-1f9d1": "1f46b",
    "1f46c": "1f46b",
    "1f46d": "1f46b",
}


def _families(images: pd.DataFrame) -> dict[str, str]:
    """Family of each concept: ``family_of``, joined further where two concepts share one byte-identical picture."""
    family = {code: family_of(code) for code in images["code"].unique()}
    drawn = images[["sha256"]].assign(family=images["code"].map(family)).drop_duplicates()
    shared = drawn[drawn["sha256"].duplicated(keep=False)]
    joined: dict[str, str] = {}
    for _, families in shared.groupby("sha256")["family"]:
        roots = sorted({_root(joined, found) for found in families})
        joined.update(dict.fromkeys(roots[1:], roots[0]))
    return {code: _root(joined, found) for code, found in family.items()}


def _root(joined: dict[str, str], family: str) -> str:
    while family in joined:
        family = joined[family]
    return family


def _read_images(name: str, roots: Roots, styles: list[str] | None) -> pd.DataFrame:
    file = roots.file(name, IMAGES)
    images = read_parquet(file)
    require_columns(file, images.columns, ["code", "style", "png"])
    unknown = set(styles or []) - set(images["style"])
    if unknown:
        raise SamplesError(
            f"sources.{name}.options.styles: no images of {first_few(unknown)}; there are: "
            f"{first_few(images['style'].unique(), 20)}"
        )
    images = images if styles is None else images[images["style"].isin(styles)]
    digests = [hashlib.sha256(png).hexdigest() for png in images["png"]]
    return images[["code", "style"]].assign(sha256=digests)


def _check_joined(name: str, concepts: pd.DataFrame, images: pd.DataFrame) -> None:
    repeated = concepts.loc[concepts["code"].duplicated(), "code"]
    if len(repeated):
        raise SamplesError(f"{name}: {CONCEPTS} lists {first_few(repeated)} more than once")
    undescribed = set(images["code"]) - set(concepts["code"])
    if undescribed:
        raise SamplesError(f"{name}: {IMAGES} has concepts that {CONCEPTS} lacks: {first_few(undescribed)}")


def _select(concepts: pd.DataFrame, images: pd.DataFrame, chosen: EmojiOptions) -> pd.DataFrame:
    unknown = set(chosen.exclude_subcategories) - set(concepts["subcategory"])
    if unknown:
        raise SamplesError(
            f"exclude_subcategories: there is no {first_few(unknown)}; there are: "
            f"{first_few(concepts['subcategory'].unique(), 200)}"
        )
    styles = images.groupby("code")["style"].nunique().reindex(concepts["code"], fill_value=0).to_numpy()
    kept = concepts[(styles >= chosen.min_styles) & ~concepts["subcategory"].isin(chosen.exclude_subcategories)]
    if chosen.variants == "first":
        plainest = (kept["code"] != kept["family"]).rename("derived")
        kept = kept.assign(derived=plainest).sort_values(["derived", "code"]).drop_duplicates("family")
    sizes = kept["subcategory"].map(kept["subcategory"].value_counts())
    kept = kept[sizes >= chosen.min_concepts].sort_values("code")
    if kept.empty:
        raise SamplesError("no concept is left: lower min_concepts or min_styles, or exclude fewer subcategories")
    return kept
