"""The reference of the configuration is whole: every block, every field, every class of errors with its words."""

from collections.abc import Iterator

import configuration_reference as reference
import pytest
from pydantic import BaseModel, Field, ValidationError

from cross_modal_kd.config import Strict


def models() -> Iterator[type[BaseModel]]:
    """Every model on the page but the options of encoders, which are their libraries' own."""
    waiting = [*reference.blocks().values()]
    waiting += [model for where, model in reference.options().items() if not where.startswith("encoder.options")]
    seen: list[type[BaseModel]] = []
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.append(model)
            waiting += [
                inner for field in model.model_fields.values() for inner in reference.models_in(field.annotation)
            ]
    return iter(seen)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_field_has_a_description(model):
    said = reference.descriptions(model)
    assert set(said) == set(model.model_fields)
    assert all(3 < len(text) < 500 and "``" not in text for text in said.values()), said


def test_every_block_of_the_configuration_is_there():
    assert set(reference.blocks()) == set(reference.in_base())


def test_the_page_has_every_key_in_its_section():
    page = reference.page()
    for name, model in reference.blocks().items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for field in model.model_fields:
            assert f"| `{field}` |" in section, f"{name}.{field}"
    assert "### `ingestion.split`" in page and "### `arms.*.constraints.*`" in page
    assert "| `lr` | number > 0 | `0.005` |" in page  # of conf/base, not the model's default


class Inner(Strict):
    """Something within.

    deep: how deep.
    """

    deep: int = 1


class Toy(Strict):
    """A toy.

    one: the first of them, which says ``two: twice``. two: the second.
    three, four: both of these,
    on two lines.

    This is not of four.
    """

    one: int = Field(1, ge=1)
    two: float | None = Field(None, gt=0, lt=1)
    three: list[str] = []
    four: dict[str, int] = {}
    five: bool = Field(True, description="of its own")
    six: Inner = Inner()
    seven: int = 7


def test_words_are_found_in_every_form_and_none_is_made_up():
    assert reference.descriptions(Toy) == {
        "one": "the first of them, which says `two: twice`.", "two": "the second.",
        "three": "both of these, on two lines.", "four": "both of these, on two lines.",
        "five": "of its own", "six": "Something within.",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one", "whole number >= 1"),
        ("two", "number > 0 < 1, or null"),
        ("three", "list of: text"),
        ("four", "names, each with: whole number"),
        ("five", "true or false"),
        ("six", "a block, see below"),
    ],
)
def test_what_a_field_may_be_in_words(name, words):
    assert reference.kind_of(Toy.model_fields[name]) == words


def places(model: type[BaseModel], path: tuple[str, ...] = (), within: tuple[type, ...] = ()) -> Iterator[tuple]:
    """Where further models lie in a model, at any depth."""
    for name, field in model.model_fields.items():
        for inner in reference.models_in(field.annotation):
            if inner not in within:
                kept = () if inner.__name__ in BY_NAME else ((*path, name),)
                yield from kept
                yield from places(inner, (*path, name), (*within, inner)) if kept else ()


BY_NAME = ("ConstraintConfig", "SearchRange")  # entries of a mapping, whose names are the user's
PLACES = [(block, path) for block, model in reference.blocks().items() for path in places(model, within=(model,))]
PLACES += [("training", ("augmentation", name)) for name in ("image", "speech")]
PLACES += [("arms", ("constraints", "mine")), ("tuning", ("space", "soft", "lr"))]
PLACES += [("training", ("augmentation", "image", "rand_augment")), ("inputs", ("image",)), ("inputs", ("speech",))]


@pytest.mark.parametrize(
    ("block", "path"), PLACES, ids=lambda given: given if isinstance(given, str) else ".".join(given)
)
def test_what_is_wrong_at_any_depth_is_named_by_the_whole_of_its_key(block, path):
    wrong: dict = {"nothing_of_the_kind": 1}
    for name in reversed(path):
        wrong = {name: wrong}
    with pytest.raises(ValidationError) as raised:
        reference.blocks()[block].model_validate(wrong)
    said = {error["loc"]: error["msg"] for error in raised.value.errors()}
    assert "unknown key 'nothing_of_the_kind'" in said.get(path, ""), said
