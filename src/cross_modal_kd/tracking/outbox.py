"""What is said to the tracking server: tried again where it is away for a moment, kept where it is away for longer."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Any

from cross_modal_kd.tracking.unsent import is_final, save_unsent

logger = logging.getLogger(__name__)

# seconds before another try of a message; between tries while the server is away; before the last tries, at the end
DELAYS: tuple[float, ...] = (0.5, 2.0)
PAUSE = 30.0
LAST_DELAYS: tuple[float, ...] = (0.0, 1.0, 3.0, 6.0)

Action = Callable[[Any], Any]


class Outbox:
    """Messages to one server, in their order. A training does not end for it: what cannot be sent waits for the end.

    Args:
        tracking_uri: address of the server or database.
    """

    def __init__(self, tracking_uri: str) -> None:
        self.tracking_uri = tracking_uri
        self._waiting: list[tuple[str, Action]] = []
        self._next_try = 0.0
        self._said = False
        self._lock = RLock()

    def send(self, what: str, action: Action, keep: bool = True) -> Any:
        """Send a message after those that wait.

        Args:
            what: it is, for warnings.
            action: takes MLflow's client.
            keep: it is worth sending later.

        Returns:
            What the action gives; None where it was not sent now.
        """
        with self._lock:
            if self._waiting and (time.monotonic() < self._next_try or not self._drain((0.0,))):
                self._keep(what, action, keep)
                return None
            try:
                return self._tried(what, action, (0.0, *DELAYS))
            except Exception as error:  # of a server, a database or a bucket: each has its own kinds
                self._keep(what, action, keep)
                self._next_try = time.monotonic() + PAUSE
                if not self._said:
                    self._said = True
                    logger.warning(
                        "the tracking server %s does not take %s (%s): the run goes on, and what it logs is kept and "
                        "sent when the server answers again",
                        *(self.tracking_uri, what, error),
                    )
                return None

    def close(self, keep_in: Path | None = None) -> None:
        """Send what waits, with some patience; if the server is still away, keep it in a file that a command sends.

        Args:
            keep_in: a file for what is left; None, and what is left is lost. A warning says so either way.
        """
        with self._lock:
            if self._waiting and self._drain(LAST_DELAYS):
                logger.info("what was kept for the tracking server %s is sent", self.tracking_uri)
            left, self._waiting = self._waiting, []
            if left:
                self._leave(left, keep_in)

    def _leave(self, left: list[tuple[str, Action]], keep_in: Path | None) -> None:
        from cross_modal_kd.storage import how_many

        names = ", ".join(sorted({what for what, _ in left})[:10])
        lost = len(left) if keep_in is None else save_unsent(keep_in, self.tracking_uri, left)
        if lost < len(left):
            logger.warning(
                "the tracking server %s is still away at the end of the run: %s kept in %s (%s). When it "
                "answers again, `python -m cross_modal_kd.tracking.unsent %s` sends them",
                *(self.tracking_uri, how_many(len(left) - lost, "message is", "messages are"), keep_in, names, keep_in),
            )
        if lost:
            logger.warning(
                "the tracking server %s is still away at the end of the run: %s lost (%s). Every "
                "result is in the task's data folders; the same command logs them again",
                *(self.tracking_uri, how_many(lost, "message is", "messages are"), names),
            )

    def _keep(self, what: str, action: Action, keep: bool) -> None:
        if keep:
            self._waiting.append((what, action))

    def _drain(self, delays: tuple[float, ...]) -> bool:
        """Whether all that waits is sent now."""
        while self._waiting:
            try:
                self._tried(*self._waiting[0], delays)
            except Exception:
                self._next_try = time.monotonic() + PAUSE
                return False
            self._waiting.pop(0)
        return True

    def _tried(self, what: str, action: Action, delays: tuple[float, ...]) -> Any:
        """What the action gives, at one of several tries; None, with a warning, for what no try can mend."""
        from mlflow import MlflowClient

        for number, delay in enumerate(delays, start=1):
            time.sleep(delay)
            try:
                return action(MlflowClient(self.tracking_uri))
            except Exception as error:
                if is_final(error):
                    logger.warning("%s could not be logged: %s", what, error)
                    return None
                if number == len(delays):
                    raise
        return None
