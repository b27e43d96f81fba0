"""What JupyterLab needs to be told on a laptop, on a server without a display and in a container."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # as in runtime, which is heavy to import


def lab_flags(port, ip):
    """JupyterLab's own flags, as a list: its folder, its first page, its address; no browser and root where need be."""
    flags = [f"--ServerApp.root_dir={ROOT}", "--LabApp.default_url=/lab/tree/notebooks",
             f"--ServerApp.ip={ip}", f"--ServerApp.port={port}"]
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        flags.append("--no-browser")  # the URL is printed in any case
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-root")
    return flags


def lab_environment():
    """Variables for JupyterLab and its kernels: this tp_utils; folders of our own where there is no home."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    if os.access(os.path.expanduser("~"), os.W_OK):
        return {"PYTHONPATH": path}
    own = tempfile.mkdtemp(prefix="tp-jupyter-")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR")
    return {"PYTHONPATH": path} | {name: os.environ.get(name) or f"{own}/{name}" for name in names}
