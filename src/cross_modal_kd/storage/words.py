"""How many, in words."""


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
