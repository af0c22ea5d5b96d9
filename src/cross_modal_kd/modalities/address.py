"""Files inside a page."""

import base64


def data_address(mime: str, data: bytes) -> str:
    """``data:`` address of a file.

    >>> data_address("text/plain", b"hi")
    'data:text/plain;base64,aGk='
    """
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
