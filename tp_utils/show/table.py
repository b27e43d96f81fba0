"""A small table."""

import html


class Table:
    """A small table that shows itself as HTML in a notebook and as aligned text elsewhere."""

    def __init__(self, columns, rows, caption=""):
        self.columns, self.caption = columns, caption
        self.rows = [[str(value) for value in row] for row in rows]

    def __str__(self):
        every = [self.columns, *self.rows]
        widths = [max(len(str(row[i])) for row in every) for i in range(len(self.columns))]
        lines = ["  ".join(str(v).ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() for row in every]
        return "\n".join([*([self.caption] if self.caption else []), *lines])

    __repr__ = __str__

    def _repr_html_(self):
        def row(values, tag):
            cells = (f'<{tag} style="text-align:left">{html.escape(str(value))}</{tag}>' for value in values)
            return f"<tr>{''.join(cells)}</tr>"

        return (f"<div>{html.escape(self.caption)}</div><table>" + row(self.columns, "th")
                + "".join(row(r, "td") for r in self.rows) + "</table>")

    def _repr_markdown_(self):
        lines = [[html.escape(str(v), quote=False).replace("|", "\\|").replace("\n", "<br>") for v in line]
                 for line in (self.columns, *self.rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], ["---"] * len(self.columns), *lines[1:]])
