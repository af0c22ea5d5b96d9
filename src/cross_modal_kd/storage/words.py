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
