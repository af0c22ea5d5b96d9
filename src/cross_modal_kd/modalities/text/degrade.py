"""Known damage to a text, seeded by the generator that is passed in."""

import numpy as np

from cross_modal_kd.modalities.degradation import Degradation


def _chosen(n_words: int, share: float, rng: np.random.Generator, at_most: int) -> set[int]:
    return set(rng.permutation(n_words)[: min(round(share * n_words), at_most)].tolist())


def drop_words(text: str, level: float, rng: np.random.Generator) -> str:
    """round(level * words) words left out, the others in their order; at least one word stays.

    Args:
        text: words between white space.
        level: share of the words, in [0, 1].
        rng: draws the words.

    Returns:
        The words that stay, with one blank between them.
    """
    found = text.split()
    dropped = _chosen(len(found), level, rng, at_most=max(len(found) - 1, 0))
    return " ".join(word for place, word in enumerate(found) if place not in dropped)


def misspell(text: str, level: float, rng: np.random.Generator) -> str:
    """round(level * words) words, in each of which one character is written twice: words that nobody has seen.

    Args:
        text: words between white space.
        level: share of the words, in [0, 1].
        rng: draws the words and the characters.

    Returns:
        All the words, with one blank between them.
    """
    found = text.split()
    for place in sorted(_chosen(len(found), level, rng, at_most=len(found))):
        word = found[place]
        at = int(rng.integers(len(word)))
        found[place] = word[: at + 1] + word[at:]
    return " ".join(found)


_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)

DEGRADATIONS: dict[str, Degradation] = {
    "dropped_words": Degradation(drop_words, _SHARES, "share of words", allowed=(0, 1)),
    "misspelt_words": Degradation(misspell, _SHARES, "share of words", allowed=(0, 1)),
}
