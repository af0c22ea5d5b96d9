"""How many, in words."""

from collections import Counter
from collections.abc import Callable, Iterable


def how_many(number: int, one: str, several: str | None = None) -> str:
    """A number with its noun.

    Args:
        number: how many.
        one: the noun for one.
        several: for any other number; None adds an s to ``one``.

    Returns:
        Both, thousands parted by commas.

    >>> how_many(1, "file"), how_many(0, "file"), how_many(1234, "copy of a file", "copies of a file")
    ('1 file', '0 files', '1,234 copies of a file')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def counted_kinds(
    kinds: Iterable[str], most: int = 5, each: Callable[[int, str], str] = lambda count, kind: f"{count:,} x {kind}"
) -> str:
    """How many there are of each kind, the most frequent kinds first; the numbers add up to all.

    Args:
        kinds: the kind of each thing.
        most: kinds that are named.
        each: words for the things of a kind.

    Returns:
        The kinds, and how many things are of others; empty for nothing.

    >>> counted_kinds([".heic", ".txt", ".heic", ".mov"], most=2)
    '2 x .heic, 1 x .txt and 1 more'
    """
    counts = Counter(kinds)
    named = counts.most_common(most)
    rest = counts.total() - sum(count for _, count in named)
    return ", ".join(each(count, kind) for kind, count in named) + (f" and {rest:,} more" if rest else "")


def with_article(noun: str) -> str:
    """A noun with its article.

    Args:
        noun: as it is written; the article goes by its first letter.

    Returns:
        Both.

    >>> with_article("image"), with_article("speech sample")
    ('an image', 'a speech sample')
    """
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
