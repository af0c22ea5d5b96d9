"""Files inside a page."""

import base64


def data_address(mime: str, data: bytes) -> str:
    """``data:`` address of a file.

    Args:
        mime: media type of the content, ``image/png``.
        data: the file's bytes, which go in as base64.

    Returns:
        The address, as the ``src`` of an element of a page takes it.

    >>> data_address("text/plain", b"hi")
    'data:text/plain;base64,aGk='
    """
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
