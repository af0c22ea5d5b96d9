"""What a tracking server did not take by the end of a run: kept in a file, and sent by one command.

``python -m cross_modal_kd.tracking.unsent FILE`` sends what a file holds, in its order, and removes it then.
"""

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# MLflow's entities that a message may hold, and the attributes that make them again
FIELDS = {
    "Dataset": ("name", "digest", "source_type", "source"),
    "DatasetInput": ("dataset", "tags"),
    "InputTag": ("key", "value"),
    "Metric": ("key", "value", "timestamp", "step", "model_id"),
    "Param": ("key", "value"),
}
# the calls that are kept: those that write to a run and give nothing back
CALLS = {"log_artifact", "log_batch", "log_dict", "log_inputs", "set_tag", "set_terminated"}

# of MLflow's errors, those that another try does not mend
FINAL = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"}

Action = Callable[[Any], Any]


def is_final(error: Exception) -> bool:
    """Whether another try would fail again, whatever the server does.

    Args:
        error: of a call of MLflow's client.

    Returns:
        True for what the server refuses for good, a file that is gone and a value that it does not take.
    """
    return getattr(error, "error_code", None) in FINAL or isinstance(error, TypeError | FileNotFoundError)


class UnsentError(ValueError):
    """A file that holds no messages of ``save_unsent``."""


class _Recorder:
    """Stands in for MLflow's client: what is called is written down."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in CALLS:
            raise UnsentError(f"{name}: not a call that can be kept")

        def record(*args: Any, **options: Any) -> None:
            self.calls.append({"call": name, "args": _plain(list(args)), "options": _plain(options)})

        return record


def save_unsent(file: Path, tracking_uri: str, messages: Iterable[tuple[str, Action]]) -> int:
    """Write down what the messages would say, after what the file holds already.

    Files that they would send are copied beside it, since the next run writes to where they lie.

    Args:
        file: JSON, written whole.
        tracking_uri: of the server that did not take them.
        messages: what each is, and its action on MLflow's client.

    Returns:
        How many could not be written down, since they ask the server for something first.
    """
    from cross_modal_kd.storage import write_whole

    calls, lost = list(_kept_in(file)[1]) if file.exists() else [], 0
    for _, action in messages:
        recorder = _Recorder()
        try:
            action(recorder)
        except (UnsentError, TypeError):
            lost += 1
        else:
            calls += recorder.calls
    if calls:
        file.parent.mkdir(parents=True, exist_ok=True)
        for number, call in enumerate(calls):
            _keep_file(call, _beside(file) / str(number))
        write_whole(file, json.dumps({"tracking_uri": tracking_uri, "calls": calls}, indent=1))
    return lost


def send_unsent(file: Path) -> int:
    """Send what a file holds; what was sent is taken out of it, so that another try goes on from there.

    What no try can mend is passed over with a warning, as in a run.

    Args:
        file: of ``save_unsent``.

    Returns:
        How many calls were sent.

    Raises:
        UnsentError: the file holds something else.
        Exception: of MLflow or the network, as it comes; the file then holds what is left.
    """
    from mlflow import MlflowClient

    from cross_modal_kd.storage import write_whole

    uri, calls = _kept_in(file)
    client, sent = MlflowClient(uri), 0
    try:
        for call in calls:
            try:
                getattr(client, call["call"])(*_made(call["args"]), **_made(call["options"]))
            except Exception as error:
                if not is_final(error):
                    raise
                logger.warning("%s: %s is passed over: %s", file, call["call"], error)
            sent += 1
    finally:
        if sent < len(calls):
            write_whole(file, json.dumps({"tracking_uri": uri, "calls": calls[sent:]}, indent=1))
        else:
            file.unlink()
            shutil.rmtree(_beside(file), ignore_errors=True)
    return sent


def _beside(file: Path) -> Path:
    """The folder of the files that its calls send."""
    return file.with_suffix(".files")


def _keep_file(call: dict[str, Any], folder: Path) -> None:
    """A copy of the file that a call sends, named in its place; nothing where it is kept already or gone."""
    if call["call"] != "log_artifact":
        return
    source = Path(call["args"][1])
    if source.is_file() and source.parent.parent != folder.parent:
        folder.mkdir(parents=True, exist_ok=True)
        call["args"][1] = str(shutil.copy(source, folder / source.name))


def _kept_in(file: Path) -> tuple[str, list[dict[str, Any]]]:
    """The server, and the calls."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        uri, calls = str(kept["tracking_uri"]), list(kept["calls"])
        if not all(call["call"] in CALLS and call["args"] is not call["options"] for call in calls):
            raise ValueError("a call that no run makes")
    except (ValueError, KeyError, TypeError) as error:
        raise UnsentError(
            f"{file}: expected what a run could not send to its tracking server, found {type(error).__name__}: {error}"
        ) from error
    return uri, calls


def _plain(value: Any) -> Any:
    """JSON of a value that may hold entities of MLflow."""
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    name = type(value).__name__
    if name in FIELDS:
        return {"entity": name, "fields": [_plain(getattr(value, each)) for each in FIELDS[name]]}
    raise TypeError(f"{name}: not a value that can be kept")


def _made(value: Any) -> Any:
    """What ``_plain`` was given."""
    if isinstance(value, list):
        return [_made(each) for each in value]
    if isinstance(value, dict):
        if value.keys() == {"entity", "fields"} and value["entity"] in FIELDS:
            import mlflow.entities

            names = FIELDS[value["entity"]]
            return getattr(mlflow.entities, value["entity"])(**dict(zip(names, _made(value["fields"]), strict=True)))
        return {key: _made(each) for key, each in value.items()}
    return value


def main(arguments: list[str]) -> int:
    """The command.

    Args:
        arguments: files of ``save_unsent``.

    Returns:
        The exit code: 1 where a file could not be sent, with the reason on stderr.
    """
    if not arguments:
        print("usage: python -m cross_modal_kd.tracking.unsent FILE...", file=sys.stderr)
        return 1
    from cross_modal_kd.storage import how_many

    failed = False
    for name in arguments:
        try:
            count = send_unsent(Path(name))
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"{name}: {how_many(count, 'message')} sent")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
