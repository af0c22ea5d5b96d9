"""The server of the page, on this machine alone."""

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from cross_modal_kd.demo.desk import Desk
from cross_modal_kd.demo.web import make_app

HOST = "127.0.0.1"


def serve(desk: Desk, port: int = 0, opened: bool = False, say: Callable[[str], object] = print) -> None:
    """Answer until Ctrl-C.

    Args:
        desk: that answers.
        port: of 127.0.0.1; 0 takes a free one.
        opened: show the page in the browser.
        say: is given the page's address, once it can be asked.

    Raises:
        OSError: the port is taken; the message says what to do.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise OSError(f"port {port} of {HOST} cannot be had ({error.strerror}): name another by --port") from error
        listening.listen()
        address = f"http://{HOST}:{listening.getsockname()[1]}/"
        say(address)
        if opened:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        with suppress(KeyboardInterrupt):  # is how it ends
            uvicorn.Server(uvicorn.Config(make_app(desk), log_level="warning")).run(sockets=[listening])
