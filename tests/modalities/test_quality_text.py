"""Text measures and damage."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from cross_modal_kd.modalities.text.degrade import DEGRADATIONS
from cross_modal_kd.modalities.text.quality import MEASURES, fit, words

TEXTS = ["red apple", "green apple", "red car", "Ein blaues Auto"]


def test_words_of_any_script():
    assert words("Hello, it's Ёлка №5!") == ["hello", "it", "s", "ёлка", "5"]


def test_information_is_the_sum_of_idf_over_distinct_known_words():
    vocabulary = fit(TEXTS)
    of_two = math.log(5 / 3) + 1
    assert vocabulary.idf == pytest.approx({"red": of_two, "apple": of_two})
    assert MEASURES["information"]("a RED red apple", vocabulary) == pytest.approx(2 * of_two)
    assert MEASURES["length"]("a RED red apple", vocabulary) == pytest.approx(math.log(5))
    assert MEASURES["known_share"]("a RED red apple", vocabulary) == pytest.approx(3 / 4)


def test_texts_without_words_score_lowest():
    vocabulary = fit(TEXTS)
    assert all(measure("?!", vocabulary) == 0 for measure in MEASURES.values())


def test_a_vocabulary_needs_texts():
    with pytest.raises(ValueError, match="needs texts in the training split, found none"):
        fit([])


@pytest.mark.parametrize(
    ("name", "damage", "bound"),
    [("information", "dropped_words", 0.9), ("length", "dropped_words", 0.95), ("known_share", "misspelt_words", 0.9)],
)
def test_each_measure_orders_its_damage_on_real_texts(name, damage, bound):
    concepts = pd.read_csv("data/01_raw/emoji/concepts.csv")
    texts = (concepts["name"] + " " + concepts["keywords"].fillna("").str.replace("|", " ")).tolist()
    vocabulary = fit(texts[::2])
    degradation = DEGRADATIONS[damage]
    long_enough = [text for text in texts[1::2] if len(text.split()) >= 8][:60]
    correlations = []
    for text in long_enough:
        damaged = [degradation(text, level, np.random.default_rng(0)) for level in degradation.levels]
        values = [MEASURES[name](each, vocabulary) for each in [text, *damaged]]
        correlations.append(spearmanr(values, -np.arange(len(values))).statistic if np.ptp(values) > 0 else 0.0)
    assert np.mean(correlations) >= bound


def test_words_are_dropped_by_number_and_in_order():
    text = " ".join(str(number) for number in range(20))
    left = DEGRADATIONS["dropped_words"](text, 0.25, np.random.default_rng(0)).split()
    assert len(left) == 15 and left == sorted(left, key=int)
    assert DEGRADATIONS["dropped_words"]("alone", 0.9, np.random.default_rng(0)) == "alone"
    assert DEGRADATIONS["dropped_words"]("", 0.9, np.random.default_rng(0)) == ""


def test_words_are_misspelt_by_number():
    text = "one two three four"
    changed = DEGRADATIONS["misspelt_words"](text, 0.5, np.random.default_rng(3)).split()
    differing = [(old, new) for old, new in zip(text.split(), changed, strict=True) if old != new]
    assert len(differing) == 2 and all(len(new) == len(old) + 1 for old, new in differing)
