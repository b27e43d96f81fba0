"""Checkpoints: read without pickles, whatever the parts hold; a damaged one costs a line, never the run."""

import errno
import os

import numpy as np
import pytest
import torch
from small_runs import STEPS, fitted, played, same, trained

from tp_utils.training import checkpoint


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    return tmp_path / "runs"


def said(capsys, what):
    return [line for line in capsys.readouterr().out.splitlines() if what in line]


class Planted:
    """Whatever a pickle may do when it is read."""

    def __reduce__(self):
        return os.abort, ()


def damage(path, how):
    whole = path.read_bytes()
    if how == "a foreign pickle":
        torch.save({"key": Planted()}, path)
    elif how == "a list":
        torch.save([1, 2], path)
    else:
        path.write_bytes({"cut": whole[:len(whole) // 2], "empty": b"", "text": b"not a checkpoint"}[how])


@pytest.mark.parametrize("how", ["cut", "empty", "text", "a list", "a foreign pickle"])
def test_a_damaged_checkpoint_is_said_in_one_line_and_training_starts_anew(how, capsys):
    first = fitted()
    damage(checkpoint.path_of("run"), how)
    capsys.readouterr()
    assert same(fitted(), first)
    assert said(capsys, "cannot be read") == ["run: its checkpoint run.pt cannot be read; training starts anew."]


def test_a_checkpoint_of_other_parts_is_said_in_one_line_and_training_starts_anew(capsys):
    first = fitted()
    saved = torch.load(checkpoint.path_of("run"), weights_only=True)
    saved["parts"]["another network"] = saved["parts"].pop("network network")
    torch.save(saved, checkpoint.path_of("run"))
    capsys.readouterr()
    assert same(fitted(), first)
    (line,) = said(capsys, "other parts")
    assert line.startswith("run: ") and line.endswith("training starts anew.")


@pytest.mark.parametrize(("make", "parts"), [
    (fitted, {"network network", "optimiser network"}),
    (trained, {"network network", "network probe", "optimiser network", "optimiser probe"}),
    (played, {"network G", "network D", "optimiser G", "optimiser D", "after"}),
])
def test_checkpoints_hold_tensors_and_plain_values_only(make, parts):
    make()
    saved = torch.load(checkpoint.path_of("run"), weights_only=True)
    assert set(saved) == {"key", "step", "history", "parts"} and set(saved["parts"]) == parts


def test_a_full_disk_costs_one_line_and_never_the_run(capsys, monkeypatch, cache):
    monkeypatch.setenv("HAPPENS", "stop 8")
    fitted()  # keeps step 8
    monkeypatch.delenv("HAPPENS")
    before, real = checkpoint.path_of("run").read_bytes(), torch.save

    def full(state, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full)
    capsys.readouterr()
    run = fitted()
    assert run.step == STEPS and same(run, fitted(name=None))
    (line,) = said(capsys, "not kept")
    assert line.startswith("run: ") and "No space left" in line and "TP_CACHE" in line
    assert [path.name for path in cache.iterdir()] == ["run.pt"] and checkpoint.path_of("run").read_bytes() == before
    monkeypatch.setattr(torch, "save", real)
    assert same(fitted(), run)


def test_a_cache_that_is_no_folder_costs_one_line_too(capsys, cache):
    cache.write_text("a file where the folder should be")
    assert fitted().step == STEPS
    assert len(said(capsys, "not kept")) == 1


@pytest.mark.parametrize("name", ["../run", "a/b", "C:run", "run.", "NUL", "", "x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused_before_the_first_step(name, cache):
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        fitted(name=name)
    assert not cache.exists()


def test_names_of_experiments_are_names(cache):
    fitted(name="tp09-updates (D, G) = (1, 5), β₁ × 2-0")
    assert [path.name for path in cache.iterdir()] == ["tp09-updates (D, G) = (1, 5), β₁ × 2-0.pt"]


def test_numbers_of_numpy_in_an_optimiser_are_kept_as_python_s_own(capsys):
    def of_numpy():
        return fitted(lambda weights, lr: torch.optim.SGD(weights, np.float64(0.05), momentum=np.float32(0.5)))

    first = of_numpy()
    again = of_numpy()
    assert same(first, again)
    assert said(capsys, "loaded") == [f"run: {STEPS} steps trained before, loaded from the cache."]


def test_pictures_and_average_come_back_as_they_were(capsys):
    first = played(conditional=True)
    images = first.generate(6)[0]
    again = played(conditional=True)
    assert said(capsys, "loaded") and torch.equal(again.generate(6)[0], images)
    for (step, pictures), (other, others) in zip(first.history["pictures"], again.history["pictures"], strict=True):
        assert step == other and torch.equal(pictures, others)
