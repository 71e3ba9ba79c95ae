"""Rows as text: aligned columns for a terminal, or a table of Markdown."""

from collections.abc import Sequence

Rows = Sequence[Sequence[object]]


def table(names: Sequence[str], rows: Rows) -> str:
    """Aligned columns of text; numbers to the right."""
    texts = _texts(rows)
    widths = [max(len(name), *(len(row[i]) for row in texts), 0) for i, name in enumerate(names)]
    right = _numbers(names, rows)
    lines = [list(names), ["-" * width for width in widths], *texts]
    return "\n".join(
        "  "
        + "  ".join(
            t.rjust(w) if r else t.ljust(w) for t, w, r in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def markdown(names: Sequence[str], rows: Rows) -> str:
    """The same as a table of Markdown."""
    rules = ["--:" if right else "---" for right in _numbers(names, rows)]
    cells = [[text.replace("|", "\\|") for text in row] for row in _texts(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in ([*names], rules, *cells))


def _texts(rows: Rows) -> list[list[str]]:
    return [["" if value is None else str(value) for value in row] for row in rows]


def _numbers(names: Sequence[str], rows: Rows) -> list[bool]:
    """Of each column, whether all its values are numbers, but for those that are missing."""
    columns = [[row[i] for row in rows if row[i] is not None] for i in range(len(names))]
    return [bool(values) and all(isinstance(one, int | float) for one in values) for values in columns]
