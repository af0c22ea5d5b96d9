"""Clean one text."""

from cross_modal_kd.modalities.text.read_input import cleaned
from cross_modal_kd.samples import UnreadableSampleError


def read_text(text: str, name: str) -> str:
    """The text with runs of white space made one blank.

    Args:
        text: any.
        name: of the sample, for errors.

    Returns:
        The cleaned text, not empty.

    Raises:
        UnreadableSampleError: the text is blank, of signs that cannot be seen (of no width, of control), or of
            punctuation alone.
    """
    try:
        return cleaned(text)
    except ValueError as error:
        raise UnreadableSampleError(name, str(error)) from error
