"""Clean one text."""

from cross_modal_kd.samples import UnreadableSampleError


def read_text(text: str, name: str) -> str:
    """The text with runs of white space made one blank.

    Args:
        text: any.
        name: of the sample, for errors.

    Returns:
        The cleaned text, not empty.

    Raises:
        UnreadableSampleError: the text is blank.
    """
    cleaned = " ".join(text.split())
    if not cleaned:
        raise UnreadableSampleError(name, "the text is blank")
    return cleaned
