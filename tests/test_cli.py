"""The command line: every verb, bad input (one line, exit status 2), and doctor on a broken machine."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import requests
from test_fetch import refused_port

from benchmarks import bench
from tp_utils import __main__ as cli
from tp_utils import lab, nets
from tp_utils.authoring import build, readme, run
from tp_utils.data import ImageSet, official, places

REPOSITORY = Path(__file__).resolve().parent.parent
VERBS = (["lab"], ["run"], ["outputs"], ["build"], ["data"], ["data", "status"], ["data", "export"], ["doctor"])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no mirror, the CPU, and no way to the network."""
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    for name in ("TP_MIRROR", "TP_PROFILE", "TP_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setattr(nets, "fetch", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(official, "PREPARE", dict.fromkeys(official.PREPARE, refuse))
    return tmp_path / "cache"


@pytest.fixture
def cats(cache):
    """A prepared data set in the cache; returns its file."""
    images = ImageSet.from_arrays("cats", {
        "train_images": np.zeros((500, 8, 8, 3), np.uint8), "train_labels": np.zeros(500, int),
        "test_images": np.zeros((0, 8, 8, 3), np.uint8), "test_labels": np.zeros(0, int),
        "classes": ["cat"], "source": "a test", "licence": "none"})
    places.save_set(images, cache / "cats.npz")
    places.remember_hash(cache / "cats.npz")
    return cache / "cats.npz"


def refused(capsys, *arguments):
    """The one line on stderr with which a command is refused."""
    assert cli.main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("tp_utils: ")
    return err


# ---- help and bad input


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help(verb, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([*verb, "--help"])
    assert end.value.code == 0
    assert " ".join(verb) in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = ("import sys, tp_utils.__main__ as m; m.parser().format_help(); "
            "print({'torch', 'numpy', 'jupytext', 'jupyterlab', 'IPython'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("arguments", ([], ["dance"], ["data"], ["data", "export"], ["lab", "--port", "many"]))
def test_arguments_that_argparse_refuses(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ("run", "outputs", "build"))
def test_unknown_practical(verb, capsys):
    line = refused(capsys, verb, "tp99")
    assert "tp99" in line and "tp07" in line


@pytest.mark.parametrize("verb", ("run", "outputs", "build"))
def test_no_solutions(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "SOLUTIONS", tmp_path)
    assert "instructor" in refused(capsys, verb)


def test_unknown_profile(capsys, monkeypatch):
    monkeypatch.setenv("TP_PROFILE", "huge")
    assert "smoke, cpu, full" in refused(capsys, "run", "tp07")


# ---- the verbs


@pytest.mark.parametrize("verb, function, status", (("run", "run_solutions", 1), ("run", "run_solutions", 0),
                                                    ("outputs", "store_outputs", True),
                                                    ("outputs", "store_outputs", False)))
def test_run_and_outputs_pass_name_and_status_through(verb, function, status, monkeypatch):
    monkeypatch.setattr(run, function, lambda only: status if only == "tp07" else 9)
    assert cli.main([verb, "tp07"]) == int(status)


def test_build_names_what_it_wrote(capsys, monkeypatch):
    monkeypatch.setattr(build, "write_notebooks", lambda only: [build.NOTEBOOKS / f"{only}_x.ipynb"])
    monkeypatch.setattr(readme, "update_readme", lambda: [readme.ROOT / "README.md"])
    assert cli.main(["build", "tp07"]) == 0
    assert capsys.readouterr().out == f"{Path('notebooks', 'tp07_x.ipynb')}\nREADME.md\n"


def test_lab_without_jupyterlab(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert "make lab" in refused(capsys, "lab")


def test_lab_flags(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    flags = lab.lab_flags(8889, "127.0.0.1")
    assert {"--ServerApp.ip=127.0.0.1", "--ServerApp.port=8889", f"--ServerApp.root_dir={REPOSITORY}"} < set(flags)
    assert not {"--no-browser", "--allow-root"} & set(flags)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert {"--no-browser", "--allow-root"} < set(lab.lab_flags(8889, "127.0.0.1"))


def test_lab_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JUPYTER_DATA_DIR", raising=False)
    assert lab.lab_environment() == {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}mine"}
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert Path(lab.lab_environment()["JUPYTER_DATA_DIR"]).parent.is_dir()


def test_data_status(cats, capsys):
    assert cli.main(["data", "status"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "embedded" in lines["mnist"]
    assert "cache" in lines["cats"] and lines["cats"].endswith(f"{cats.stat().st_size / 1e6:.1f} MB")
    assert "built-in sample" in lines["cifar10"] and "lfw" in lines["faces"]


def test_data_export(cats, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(nets, "available", lambda names: [])
    folder = tmp_path / "new" / "mirror"
    assert cli.main(["data", "export", str(folder), "cats", "mnist"]) == 0
    assert f"TP_MIRROR={folder}" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "cats.npz"]


def test_data_export_says_what_it_left_out(cats, capsys, tmp_path, monkeypatch):
    def offline():
        raise OSError("no network")

    monkeypatch.setattr(nets, "available", lambda names: [])
    for name in ("faces", "lfw"):
        monkeypatch.setitem(official.PREPARE, name, offline)
    assert cli.main(["data", "export", str(tmp_path / "mirror"), "cats", "faces"]) == 1
    assert capsys.readouterr().err.endswith("only a sample is to be had here: faces\n")


def test_data_export_of_an_unknown_set(capsys, tmp_path):
    line = refused(capsys, "data", "export", tmp_path / "mirror", "cats", "dogs")
    assert "dogs" in line and "cifar10" in line
    assert not (tmp_path / "mirror").exists()


def test_data_export_to_where_it_cannot(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "cannot write to" in refused(capsys, "data", "export", tmp_path / "file" / "mirror", "cats")


# ---- doctor


def test_doctor(cats, capsys, monkeypatch):
    monkeypatch.setenv("TP_PROFILE", "cpu")
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    for fact in ("Python 3.", f"course in {REPOSITORY}", "\n  torch ", "\n  jupyterlab ", "cpu, profile cpu",
                 "TP_PROFILE=cpu", f"{cats.parent}, ", "GB free", "none (TP_MIRROR is not set)", "mnist: embedded",
                 "cats: prepared before (cache)", "faces: from the official source", "squeezenet1_1: embedded",
                 "vgg16: from the official source"):
        assert fact in out
    assert "BROKEN" not in out


def test_doctor_compares_with_the_tested_versions(capsys, monkeypatch):
    monkeypatch.setattr("tp_utils.doctor.requested", lambda: ["torch", "numpy", "not-there"])
    monkeypatch.setattr("tp_utils.doctor.pins", lambda: {"torch": "1.0", "numpy": np.__version__, "not-there": "2.0"})
    cli.main(["doctor"])
    out = capsys.readouterr().out
    assert "(tested with 1.0)" in out
    assert f"numpy {np.__version__}\n" in out
    assert "not-there: NOT INSTALLED (tested with 2.0)" in out


def test_doctor_asks_a_dead_mirror_once(capsys, monkeypatch):
    asked = []
    get = requests.get
    monkeypatch.setattr(requests, "get", lambda *a, **k: asked.append(a) or get(*a, **k))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TP_MIRROR", f"http://127.0.0.1:{refused_port()}")
    assert cli.main(["doctor"]) == 0
    assert "not usable: " in capsys.readouterr().out
    assert len(asked) == 1


def test_doctor_without_torch(tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('libcudart.so is missing')")
    done = subprocess.run([sys.executable, "-m", "tp_utils", "doctor"], cwd=REPOSITORY, capture_output=True, text=True,
                          timeout=60, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1 and done.stderr == ""
    assert "BROKEN: ImportError: libcudart.so is missing" in done.stdout
    assert "Python 3." in done.stdout and "\n  torch " in done.stdout  # what can be said is said


# ---- the benchmarks


def test_every_benchmark_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "IMAGES", 2)
    monkeypatch.setattr(bench, "REPEAT", 1)
    monkeypatch.setattr(bench, "STEPS", 2)
    monkeypatch.setattr("tp_utils.runtime.measurements.ROOT", tmp_path)
    monkeypatch.setenv("TP_RESULTS", "")  # main sets it: put back afterwards
    bench.main()
    saved = json.loads((tmp_path / "results" / "bench.json").read_text())
    assert list(saved["benchmarks"]) == [step.__name__ for step in bench.BENCHMARKS]
    assert {"command", "date", "hardware", "versions", "threads"} < set(saved)
    assert "channels last" in capsys.readouterr().out
