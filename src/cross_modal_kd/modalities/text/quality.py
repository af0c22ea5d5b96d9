"""Quality measures of one text against the vocabulary of the training texts: one float out, higher is better."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

AT_LEAST = 2
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores of any script, in lower case.

    Args:
        text: any.

    Returns:
        The words in their order, repeats too.
    """
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Vocabulary:
    """Words that texts share, and how rare each is.

    Attributes:
        idf: log((1 + N) / (1 + texts with the word)) + 1 of each word that at least two of the N training texts have.
    """

    idf: dict[str, float]


def fit(texts: Iterable[str]) -> Vocabulary:
    """The vocabulary of the training texts.

    A word of a single text is left out: it ties that text to no other, and counting it would favour the training texts
    over new ones, whose own words nobody knows.

    Args:
        texts: those of the training split.

    Returns:
        The vocabulary.

    Raises:
        ValueError: there are no texts.
    """
    total, seen = 0, Counter[str]()
    for text in texts:
        total += 1
        seen.update(set(words(text)))
    if not total:
        raise ValueError("the vocabulary of text quality needs texts in the training split, found none")
    return Vocabulary({w: math.log((1 + total) / (1 + count)) + 1 for w, count in seen.items() if count >= AT_LEAST})


def information(text: str, vocabulary: Vocabulary) -> float:
    """Sum of the inverse document frequencies of the distinct words. A word outside the vocabulary adds nothing.

    Args:
        text: any.
        vocabulary: of the training texts.

    Returns:
        At least 0.
    """
    return sum(vocabulary.idf.get(word, 0.0) for word in sorted(set(words(text))))


def length(text: str, vocabulary: Vocabulary) -> float:
    """log(1 + number of words).

    Args:
        text: any.
        vocabulary: not used.

    Returns:
        At least 0.
    """
    return math.log1p(len(words(text)))


def known_share(text: str, vocabulary: Vocabulary) -> float:
    """Share of the words that are in the vocabulary (1 - out-of-vocabulary share).

    Args:
        text: any; repeated words count each time.
        vocabulary: of the training texts.

    Returns:
        In [0, 1]; 0 for a text without words.
    """
    found = words(text)
    return sum(word in vocabulary.idf for word in found) / len(found) if found else 0.0


MEASURES: dict[str, Callable[[str, Vocabulary], float]] = {
    "information": information,
    "length": length,
    "known_share": known_share,
}
