"""fit(events=…): event files hold the curves of a run, once, and change nothing."""

import sys

import pytest
import torch
from torch import nn

from tp_utils.training import fit
from tp_utils.training.events import Events


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def train(folder, steps=5, name=None):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    images, labels = torch.randint(0, 256, (20, 3, 2, 2), dtype=torch.uint8), torch.arange(20) % 2
    return fit(network, images, labels, optimiser, steps, batch_size=4, validate=lambda: 0.5, validate_every=2,
               name=name, events=folder, live=False)


def curves(folder):
    """{curve: [(step, value)]} of the event files in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_event_files_hold_the_curves_of_the_run(tmp_path):
    run = train(tmp_path / "events")
    found = curves(tmp_path / "events")
    assert [step for step, _ in found["loss"]] == [1, 2, 3, 4, 5]
    assert [value for _, value in found["loss"]] == pytest.approx(run.history["loss"])
    assert found["validation"] == run.history["validation"] == [(2, 0.5), (4, 0.5), (5, 0.5)]


def test_a_loaded_run_is_written_once_more_and_seen_once(tmp_path):
    train(tmp_path / "events", name="run")
    run = train(tmp_path / "events", name="run")
    found = curves(tmp_path / "events")
    assert [step for step, _ in found["loss"]] == [1, 2, 3, 4, 5]
    assert [value for _, value in found["loss"]] == pytest.approx(run.history["loss"])


def test_events_do_not_change_what_is_learnt(tmp_path):
    one, other = train(tmp_path / "events"), train(None)
    assert one.history == other.history and not (tmp_path / "none").exists()


def test_without_tensorboard_events_end_in_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        Events(tmp_path)


def test_event_files_that_cannot_be_written_cost_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    run = train(tmp_path / "file" / "events")
    assert run.step == 5
    assert len([line for line in capsys.readouterr().out.splitlines() if "not kept" in line]) == 1
