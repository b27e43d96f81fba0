"""Execute the solution notebooks; render them as pages with an index; say what ran, how long, on which data."""

import base64
import html
import io
import os
import re
import time
from dataclasses import dataclass

import nbformat

from ..runtime import ROOT, device, profile
from ..show import Table
from .build import solution_notebook, sources, tidy, write

PAGES = ROOT / "build" / "html"
TIMEOUT = 3600  # seconds a cell may take; nothing is measured by it
LARGE = 150_000  # characters of base64 above which a figure is kept as JPEG
WIDGET = "application/vnd.jupyter.widget-view+json"

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1.2rem}
.card{border:1px solid #ccc;border-radius:8px;overflow:hidden;text-decoration:none;color:inherit;display:block}
.card:hover,.card:focus{border-color:#0072B2}.card div{padding:.8rem 1rem}.card h2{font-size:1.05rem;margin:0 0 .4rem}
.card img{width:100%;height:11rem;object-fit:contain;background:#fff;border-bottom:1px solid #ddd}
.card p{margin:.3rem 0;font-size:.92rem}.card small{color:#555}"""


@dataclass
class Result:
    """One executed practical."""

    name: str
    notebook: nbformat.NotebookNode
    seconds: float
    error: str = ""

    @property
    def title(self):
        return re.search(r"^# (.+)$", self.notebook.cells[0].source, re.MULTILINE)[1]

    @property
    def goal(self):
        return plain(re.search(r"\*\*Goal\.\*\*(.+?)(?:\n\n|\Z)", self.notebook.cells[0].source, re.DOTALL)[1])

    @property
    def data(self):
        """["scenes: from the classroom mirror", …] as the notebook itself said it (see runtime.say)."""
        facts = [output.metadata["tp"] for output in outputs_of(self.notebook) if "tp" in output.get("metadata", {})]
        return sorted({f"{fact.get('data') or fact['network']}: {fact['place']}" for fact in facts})

    @property
    def picture(self):
        """The first figure, as a data URL; None without one."""
        figures = ((kind, o.data[kind]) for o in outputs_of(self.notebook) for kind in ("image/png", "image/jpeg")
                   if kind in o.get("data", {}))
        return next((f"data:{kind};base64,{data.strip()}" for kind, data in figures), None)


def outputs_of(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def plain(markdown):
    return re.sub(r"[*`]", "", " ".join(markdown.split()))


def execute(source):
    """Execute a source in its folder; returns a Result, with an error message if a cell fails."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = solution_notebook(source)
    client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(source.parent)}},
                            store_widget_state=False, coalesce_streams=True,
                            extra_arguments=["--IPKernelApp.log_level=40"])  # errors only
    start, error = time.perf_counter(), ""
    try:
        client.execute()
    except CellExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
        print(failure)
    except DeadKernelError:
        error = "the kernel died (out of memory?)"
    for output in outputs_of(notebook):
        slim(output.get("data", {}))
    return Result(source.stem, notebook, time.perf_counter() - start, error)


def slim(data):
    """Make an output fit to be kept: no widget (without a kernel its figure stays), large figures as JPEG."""
    from PIL import Image

    data.pop(WIDGET, None)
    if len(data.get("image/png", "")) > LARGE:
        out = io.BytesIO()
        Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))).convert("RGB").save(out, "JPEG", quality=85)
        data["image/jpeg"] = base64.b64encode(out.getvalue()).decode()


def run_solutions(only=None):
    """Execute the solutions and write build/html. Returns the exit status."""
    results = []
    for source in sources(only):
        print(f"{source.stem} …", flush=True)
        results.append(execute(source))
        write_page(results[-1])
    write_index(results)
    print(Table(["practical", "result", "seconds", "data and networks"],
                [[r.name, "failed" if r.error else "ran", f"{r.seconds:.0f}", "; ".join(r.data)] for r in results],
                caption=f"profile {profile()}, {device()}"))
    print(f"Pages: {(PAGES / 'index.html').relative_to(ROOT)}")
    return int(any(r.error for r in results))


def store_outputs(only=None):
    """Execute the solutions, save their results (TP_RESULTS=1) and store their outputs in solutions/."""
    os.environ["TP_RESULTS"] = "1"
    failed = 0
    for source in sources(only):
        print(f"{source.stem} …", flush=True)
        result = execute(source)
        failed |= bool(result.error)
        if not result.error:
            write(tidy(result.notebook, source.stem), source.with_suffix(".ipynb"))
            print(f"{source.stem}: {result.seconds:.0f} s")
    return failed


def write_page(result):
    """One practical as a page that needs nothing else."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(embed_images=True).from_notebook_node(
        result.notebook, resources={"metadata": {"name": result.title}})
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{result.name}.html").write_text(page, encoding="utf-8")


def write_index(results):
    """The index: a card for each practical."""
    def card(result):
        picture = f'<img alt="" src="{result.picture}">' if result.picture else ""
        state = "failed" if result.error else f"ran in {result.seconds:.0f} s"
        return (f'<a class="card" href="{result.name}.html">{picture}<div><h2>{html.escape(result.title)}</h2>'
                f"<p>{html.escape(result.goal)}</p>"
                f"<small>{state}; {html.escape('; '.join(result.data))}</small></div></a>")

    (PAGES / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Practicals in deep learning for images</title><style>{STYLE}</style>"
        f"<h1>Practicals in deep learning for images</h1><p>Executed in profile {profile()} on {device()}.</p>"
        f'<div class="cards">{"".join(map(card, results))}</div></html>', encoding="utf-8")
