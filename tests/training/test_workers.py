"""Inputs read by processes of their own: the same numbers, errors with names, and nobody left behind."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress

import numpy as np
import psutil
import pytest
import soundfile
import torch

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.modalities import Item, load_inputs
from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.training import workers
from cross_modal_kd.training.loop import fit
from cross_modal_kd.training.plan import Plan
from cross_modal_kd.training.reader import BatchReader
from cross_modal_kd.training.workers import InputLoader, described, read_in_order, workers_for
from training_toys import CONFIG, data, module, norm_metric, same, train, weights_of

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # 4 workers on 2 cores


class Noise(Inputs):
    """Numbers (6,) that the draw and the row decide, in no memory of their own."""

    kept = False

    def __init__(self, count: int = 36) -> None:
        self.sample_ids = [str(row) for row in range(count)]

    def value(self, item: Item) -> np.ndarray:
        return np.random.default_rng((*(item.draw or (0, 0)), item.row)).normal(size=6)

    def __getitems__(self, items):
        values = np.stack([self.value(item) for item in items])
        return torch.tensor([item.row for item in items]), torch.from_numpy(values).float()


class Failing(Noise):
    """Noise, but for one row."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    def value(self, item: Item) -> np.ndarray:
        if item.row == 7:
            if self.error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            raise self.error
        return super().value(item)


class Slow(Noise):
    def value(self, item: Item) -> np.ndarray:
        time.sleep(0.005)
        return super().value(item)


def with_inputs(inputs: Inputs):
    given = data()
    return type(given)(**(vars(given) | {"inputs": inputs}))


def with_workers(count: int | None, **update):
    return CONFIG.model_copy(update={"workers": count, **update})


def jitter(inputs, generator):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)


def trained(count: int | None, **plan):
    made = module()
    history = train(made, with_inputs(Noise()), with_workers(count), augment=jitter, **plan)
    return weights_of(made), history


class Killed(Exception):
    pass


def kill(row, epoch):
    if epoch == 3:
        raise Killed


def children() -> list[psutil.Process]:
    """Of this process, without the server that ranks of other tests came from, and what Python tracks it with."""
    return [each for each in psutil.Process().children() if "from multiprocessing." not in " ".join(each.cmdline())]


def test_no_number_of_workers_changes_a_bit(tmp_path):
    alone = trained(0)
    for count in (1, 4):
        weights, history = trained(count)
        assert same(weights, alone[0]) and history == alone[1]
    with pytest.raises(Killed):
        trained(2, checkpoint=tmp_path / "c.safetensors", on_epoch=kill)
    weights, history = trained(0, checkpoint=tmp_path / "c.safetensors")
    assert same(weights, alone[0]) and history == alone[1]


def test_embeddings_are_the_same_from_workers_in_batches_of_the_same_size():
    inputs = Noise(37)
    for size in (36, 10, 3):
        (alone, many) = ([*read_in_order(inputs, size, count)] for count in (0, 2))
        assert [len(batch) for batch in many] == [len(batch) for batch in alone]
        assert all(torch.equal(one, other) for one, other in zip(alone, many, strict=True))
    assert torch.equal(torch.cat(alone), inputs.__getitems__([Item(row) for row in range(37)])[1])


def test_an_epoch_that_is_read_ahead_is_the_same_and_no_other_can_be_asked_for():
    made = with_inputs(Noise())
    plain, ahead = (BatchReader(made, with_workers(count), torch.device("cpu")) for count in (0, 2))
    list(ahead.epoch(0))
    ahead.ahead(1)
    with pytest.raises(ValueError, match="epoch 1 is being read ahead, found 2"):
        next(ahead.epoch(2))
    batches = [[batch.inputs for batch in reader.epoch(1)] for reader in (plain, ahead)]
    ahead.close()
    assert all(torch.equal(one, other) for one, other in zip(*batches, strict=True))


def test_reading_leaves_the_inputs_as_they_are(tmp_path):
    import pandas as pd

    from cross_modal_kd.config.encoder import InputConfig
    from cross_modal_kd.samples.roots import Roots

    soundfile.write(tmp_path / "a.wav", np.linspace(-0.5, 0.5, 9000), 8000)
    row = {"sample_id": "a", "modality": "speech", "source": "made", "path": "a.wav", "duration_s": 9000 / 8000}
    roots = Roots({"made": _source(tmp_path)})
    speech = {"sample_rate": 8000, "crop_s": 0.5, "eval_s": 0.5}
    for cache_mb in (0, 10):
        inputs = load_inputs("speech", pd.DataFrame([row]), roots, InputConfig(speech=speech, cache_mb=cache_mb))
        before = pickle.dumps(inputs)
        inputs.__getitems__([Item(0), Item(0, (1, 2))])
        assert pickle.dumps(inputs) == before


def _source(folder):
    from cross_modal_kd.config.ingestion import SourceConfig

    return SourceConfig(layout="folder", root=str(folder))


def test_workers_are_for_inputs_that_are_not_in_memory(monkeypatch):
    monkeypatch.setattr(workers, "workers_by_cores", lambda: 7)
    kept = data().inputs
    assert [workers_for(kept, None), workers_for(Noise(), None)] == [0, 7]
    assert [workers_for(kept, 3), workers_for(Noise(), 0)] == [3, 0]
    read = "not kept in memory (inputs.cache_mb), read as they are needed"
    assert described(Noise(), 7) == f"36 inputs: {read} by 7 workers"
    assert described(Noise(), 1) == f"36 inputs: {read} by 1 worker"
    assert described(Noise(), 0) == f"36 inputs: {read} in this process"
    for size, words in ((5 * 2**20, "5 MB"), (2000, "1.95 kB"), (154 * 2**30, "154 GB")):
        kept.size_bytes = size
        assert described(kept, 0) == f"36 inputs of {words}, decoded: kept in memory"


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (UnreadableSampleError("a/7.wav", "not a sound"), SamplesError, r"^a/7.wav: not a sound\. It could .* restore"),
        (OSError(5, "Input/output error", "/nfs/7.wav"), SamplesError, r"^/nfs/7.wav: the file cannot be read \(OSE"),
        (SamplesError("made: the file '7.wav' is missing"), SamplesError, "^made: the file '7.wav' is missing"),
        (KeyError("wrong"), KeyError, "wrong"),
    ],
)
def test_an_error_names_the_file_wherever_it_was_read(count, error, kind, message):
    with pytest.raises(kind, match=message) as raised:
        train(given=with_inputs(Failing(error)), config=with_workers(count))
    assert type(raised.value) is kind
    if count:
        assert "in a worker that reads inputs" in "".join(traceback.format_exception(raised.value))
    assert not children()


def test_a_worker_that_is_killed_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"worker that reads inputs has ended .*training.workers lower: there are 2"):
        train(given=with_inputs(Failing(None)), config=with_workers(2))
    assert not children()


def test_a_worker_that_ends_while_it_hands_over_a_batch_says_the_same():
    """Its end is then an error of the connection, and not torch's own; another such error stays what it is."""
    here, there = multiprocessing.Pipe()
    there.close()
    with pytest.raises(RuntimeError, match="worker that reads inputs has ended"), workers.lost_workers(2):
        here.recv_bytes()
    with pytest.raises(EOFError), workers.lost_workers(2):
        raise EOFError


def test_the_share_of_waiting_is_in_the_history():
    shares = []
    for inputs, count in ((Slow(), 0), (data().inputs, 0)):
        history = fit(
            module(), with_inputs(inputs), Plan(with_workers(count, epochs=2), norm_metric()), make_fabric(CONFIG)
        )
        shares.append([row["data_wait_share"] for row in history])
    slow, fast = shares
    assert all(0.5 < share < 1 for share in slow)
    assert all(0 <= share < 0.5 for share in fast)


def test_torchs_loader_has_no_part_in_what_this_process_reads_alone(monkeypatch):
    monkeypatch.setattr(workers.DataLoader, "__iter__", lambda _: pytest.fail("it was asked for a pass"))
    batches = [[Item(row) for row in range(first, first + 4)] for first in (0, 4)]
    assert [indices.tolist() for indices, _ in InputLoader(Noise(), batches)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(pytest.fail.Exception):
        next(iter(InputLoader(Noise(), batches, workers=2)))


def test_a_loader_that_is_closed_has_no_workers():
    loader = InputLoader(Noise(), [[Item(row)] for row in range(36)], workers=2)
    passing = iter(loader)
    next(passing)
    assert len(children()) == 2
    loader.close()
    assert not children()


def trains_for_long() -> None:
    """In a process of its own: a training that ends as ``kedro run`` does when it is asked to."""

    def stop(number, frame):
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config = with_workers(2, epochs=10_000)
    with suppress(KeyboardInterrupt):
        fit(module(), with_inputs(Slow()), Plan(config, norm_metric()), make_fabric(config))
    sys.exit(130)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "whole_group", "code"),
    [(signal.SIGTERM, False, 143), (signal.SIGTERM, True, 143), (signal.SIGINT, True, 130)],
)
def test_a_run_that_is_ended_leaves_no_worker(number, whole_group, code):
    command = f"import runpy; runpy.run_path({__file__!r})['trains_for_long']()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = subprocess.Popen(
        [sys.executable, "-c", command], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    process = psutil.Process(started.pid)
    until = time.monotonic() + 60
    while len(children := process.children()) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    (os.killpg if whole_group else os.kill)(started.pid, number)
    ended = started.wait(60)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert len(children) == 2 and not alive
    assert ended == code
