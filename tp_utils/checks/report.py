"""What a check found, as text and as HTML."""

import html
from dataclasses import dataclass

# What is said to the reader.
RIGHT, NOT_DONE, WRONG = "right", "not done yet", "wrong"
SIGN = {RIGHT: "✔", NOT_DONE: "○", WRONG: "✘"}
COLOUR = {RIGHT: "#1b7837", NOT_DONE: "#5c5c5c", WRONG: "#b35806"}


@dataclass
class Report:
    """What a check found. Shows itself as text and as HTML."""

    exercise: str
    verdict: str
    expected: str = ""
    found: str = ""
    hint: str = ""
    follows: str = ""

    def lines(self):
        """(label, text) pairs, the empty ones left out."""
        rows = (("expected", self.expected), ("found", self.found), ("hint", self.hint), ("", self.follows))
        return [(label, text) for label, text in rows if text]

    def __str__(self):
        head = f"{SIGN[self.verdict]} Exercise {self.exercise}: {self.verdict}"
        return "\n".join([head, *(f"  {label + ': ' if label else ''}{text}" for label, text in self.lines())])

    def _repr_html_(self):
        colour = COLOUR[self.verdict]
        rows = "".join(f"<div style='margin-top:3px'><b>{label}</b> {html.escape(text)}</div>"
                       for label, text in self.lines())
        return (f"<div style='border-left:5px solid {colour};padding:4px 12px;margin:4px 0'>"
                f"<b style='color:{colour}'>{SIGN[self.verdict]} Exercise {self.exercise}: {self.verdict}</b>"
                f"{rows}</div>")


class Unfinished(Exception):
    """An unfinished exercise was used where no reference solution is at hand."""

    def _render_traceback_(self):  # IPython shows these lines in place of a traceback
        return [str(self)]


class WrongAnswer(Unfinished):
    """A wrong or missing answer under TP_STRICT=1 or nbgrader."""
