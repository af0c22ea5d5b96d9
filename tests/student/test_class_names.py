"""What a class is called that has but a code for a label."""

import pandas as pd
import pytest

from cross_modal_kd.student.class_names import class_names


def items(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["label", "key", "text"])
    return table.assign(sample_id=[str(row) for row in range(len(table))])


def test_a_code_is_called_by_its_shortest_text_and_the_first_of_two_as_short():
    table = items(
        ("2665", "2665", "suit of cards"), ("2665", "2665", "heart"), ("2665", "2665", "cards"),
        ("1f468-200d", "1f468-200d", "man"), ("ae", "ae", "registered"), ("1f525", "1f525", None), (None, "x", "lost"),
    )  # fmt: skip
    assert class_names(table) == {"2665": "heart", "1f468-200d": "man", "ae": "registered"}


@pytest.mark.parametrize(
    "table",
    [
        items(("001.Albatross", "001.Albatross", "a bird"), ("002.Auk", "002.Auk", "a white bird"), ("7", "7", "x")),
        items(("2665", "a film", "heart")),
        items(("2665", "2665", None)),
        items(),
    ],
    ids=["words", "texts of samples", "no text", "nothing"],
)
def test_labels_that_are_words_and_texts_of_single_samples_name_nothing(table):
    assert class_names(table) == {}


def test_two_classes_of_one_text_keep_their_codes():
    found = class_names(items(("3", "3", "cat"), ("4", "4", "cat"), ("5", "5", "dog")))
    assert found == {"5": "dog"}
