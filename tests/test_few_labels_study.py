"""The study behind TP 11's table: rows × draws × seeds, each finished cell written at once; and its command."""

import json
import os
import signal
import time

import pytest
import torch
from few_labels import ROWS, SOLUTION, some_digits

from tp_utils import __main__ as cli
from tp_utils import tp11
from tp_utils.authoring import study
from tp_utils.checks import definitions


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


def fake_cell(row, draw, seed, threads):
    """In place of a training: takes no time, tells who did it."""
    time.sleep(0.05)
    return {"row": row, "draw": draw, "seed": seed, "profile": "smoke", "test_accuracy": 0.5, "seconds": 0.0,
            "process": os.getpid()}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(study, "cell", fake_cell)


def cells_in(file):
    return json.loads(file.read_text())["cells"]


def identities_in(file):
    return [(one["row"], one["draw"], one["seed"]) for one in cells_in(file)]


def test_a_study_measures_the_functions_of_the_notebook(monkeypatch):
    """A cell is what the row's function and exercise 11.1 of the solution notebook give."""
    monkeypatch.setattr(study, "digits", some_digits)
    assert study.study_rows() is definitions(11)["rows"] and list(study.study_rows()) == list(ROWS)
    found = study.cell("cnn-augmented", "balanced", 2, threads=1)
    function, augment = ROWS["cnn-augmented"]
    own = tp11.measure_row(function, tp11.drawn_case(some_digits(), "balanced", 2, SOLUTION["draw_labels"], augment))
    timed = ("seconds", "cpu_seconds")
    assert {key: found[key] for key in own if key not in timed} == {key: own[key] for key in own if key not in timed}
    assert (found["row"], found["draw"], found["seed"], found["profile"]) == ("cnn-augmented", "balanced", 2, "smoke")


def test_a_cell_has_the_entries_of_those_that_are_measured(monkeypatch):
    monkeypatch.setattr(study, "digits", some_digits)
    measured = json.loads(study.FILE.read_text())["cells"][0]
    assert list(study.cell("all-linear", "random", 0, threads=1)) == list(measured)


def test_a_study_writes_each_cell_and_goes_on_where_it_was(quick, tmp_path):
    file = tmp_path / "cells.json"
    lines = study.run_study(["cnn", "dcgan"], ["random", "balanced"], [0, 1], file=file)
    for count in (1, 2, 3):  # stopped after three
        next(lines)
        assert len(identities_in(file)) == count
    lines.close()
    before = cells_in(file)
    rest = list(study.run_study(["cnn", "dcgan"], ["random", "balanced"], [0, 1], file=file))
    assert len(rest) == 5 and "0 of 5 left" in rest[-1] and "50.00%" in rest[-1]
    assert len(identities_in(file)) == len(set(identities_in(file))) == 8
    assert all(one in cells_in(file) for one in before)
    assert list(study.run_study(["cnn"], ["random"], [0, 1], file=file)) == [study.NOTHING.format(total=2, file=file)]
    assert json.loads(file.read_text())["protocol"] == study.PROTOCOL


def test_cells_of_another_profile_are_not_taken_for_these(quick, tmp_path):
    file = tmp_path / "cells.json"
    file.write_text(json.dumps({"cells": [{**fake_cell("cnn", "random", 0, 1), "profile": "cpu"}]}))
    list(study.run_study(["cnn"], ["random"], [0], file=file))
    assert len(identities_in(file)) == 2


def test_a_study_in_two_processes(tmp_path):
    """The real cells: the smallest row there is."""
    file = tmp_path / "cells.json"
    lines = list(study.run_study(["all-linear"], ["random"], [0, 1], jobs=2, file=file))
    assert len(lines) == 2
    assert sorted(identities_in(file)) == [("all-linear", "random", 0), ("all-linear", "random", 1)]
    one = cells_in(file)[0]
    assert one["profile"] == "smoke" and one["versions"]["torch"] == torch.__version__ and one["hardware"]


def test_a_study_on_a_dask_cluster_survives_the_death_of_a_worker(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    file = tmp_path / "cells.json"
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            workers = list(client.run(os.getpid).values())
        lines = study.run_study(["all-linear"], ["random"], range(6), address=cluster.scheduler_address, file=file)
        done = [next(lines)]
        os.kill(workers[0], signal.SIGKILL)
        done += list(lines)
    assert len(done) == 6 and sorted(identities_in(file)) == [("all-linear", "random", seed) for seed in range(6)]


# ---- the command


def test_without_solutions_the_study_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tp_utils.checks.definitions", lambda number: {})
    assert cli.main(["study", "few-labels", "--to", str(tmp_path / "cells.json")]) == 2
    assert study.NO_SOLUTIONS in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--method", "cnn", "nothing"], "no method named nothing"), (["--seeds", "a-b"], "not 'a-b'"),
    (["--jobs", "0"], "--jobs"), ([], "smoke profile"),
])
def test_bad_input_is_one_line(arguments, message, capsys, tmp_path):
    to = ["--to", str(tmp_path / "cells.json")] if arguments else []
    assert cli.main(["study", "few-labels", *arguments, *to]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_the_command_prints_a_line_for_each_cell(quick, tmp_path, capsys):
    file = tmp_path / "cells.json"
    assert cli.main(["study", "few-labels", "--method", "cnn", "--seeds", "0,2-3", "--draw", "random", "--to",
                     str(file)]) == 0
    assert sorted(identities_in(file)) == [("cnn", "random", seed) for seed in (0, 2, 3)]
    assert capsys.readouterr().out.count("cnn, random, seed") == 3


def test_without_a_method_the_command_measures_every_row(quick, tmp_path, capsys):
    file = tmp_path / "cells.json"
    assert cli.main(["study", "few-labels", "--seeds", "0", "--draw", "random", "--to", str(file)]) == 0
    assert sorted(row for row, *_ in identities_in(file)) == sorted(ROWS)


def test_a_cluster_that_is_not_there_is_one_line(tmp_path, capsys):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        assert cli.main(["study", "few-labels", "--method", "cnn", "--dask", "tcp://127.0.0.1:9", "--to",
                         str(tmp_path / "cells.json")]) == 2
    assert "no Dask cluster at tcp://127.0.0.1:9" in capsys.readouterr().err
