"""A tracking server that is away: for a moment, for a while, for good."""

import pytest

from cross_modal_kd.tracking import outbox
from cross_modal_kd.tracking.outbox import Outbox


class Server:
    """Takes numbers; fails for the tries that it is told to."""

    def __init__(self, away=()):
        self.tries, self.away, self.taken = 0, set(away), []

    def take(self, number):
        def action(_):
            self.tries += 1
            if self.tries in self.away:
                raise ConnectionError("500")
            self.taken.append(number)
            return number

        return action


@pytest.fixture(autouse=True)
def impatient(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # a database of that name is made where the test runs
    monkeypatch.setattr(outbox, "DELAYS", (0.0, 0.0))
    monkeypatch.setattr(outbox, "LAST_DELAYS", (0.0, 0.0))


def sent(server, count=3):
    box = Outbox("sqlite:///nowhere.db")
    given = [box.send(f"number {number}", server.take(number)) for number in range(count)]
    return box, given


def test_a_server_that_is_away_for_a_moment_is_tried_again(caplog):
    server = Server(away={1, 2})
    _, given = sent(server)
    assert given == server.taken == [0, 1, 2] and not caplog.text


def test_what_could_not_be_sent_is_sent_at_the_end_in_its_order_with_one_warning(caplog):
    server = Server(away=range(4, 8))
    box, given = sent(server, 2)
    assert given == [0, 1]
    server.away = set(range(3, 6))
    given = [box.send(f"number {number}", server.take(number)) for number in (2, 3, 4)]
    assert given == [None, None, None] and server.taken == [0, 1]
    box.close()
    assert server.taken == [0, 1, 2, 3, 4]
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_a_server_that_answers_again_is_given_what_waits_first(monkeypatch):
    monkeypatch.setattr(outbox, "PAUSE", 0.0)
    server = Server(away={1, 2, 3})
    _, given = sent(server)
    assert given == [None, 1, 2] and server.taken == [0, 1, 2]


def test_what_no_try_can_mend_is_said_and_holds_nothing_up(caplog):
    def missing(_):
        raise FileNotFoundError("report.html")

    server = Server()
    box = Outbox("sqlite:///nowhere.db")
    assert box.send("report.html", missing) is None and box.send("a number", server.take(1)) == 1
    assert "report.html could not be logged" in caplog.text


def test_a_server_that_is_away_at_the_end_is_told_with_what_is_lost(caplog):
    box, _ = sent(Server(away=range(100)))
    box.close()
    assert "3 messages are lost (number 0, number 1, number 2)" in caplog.text
