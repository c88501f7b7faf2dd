"""Tables inside a record's page: side by side on a desk, on a phone a card for each row under its own name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.utils.html import format_html, format_html_join

__all__ = ["record_table"]


def record_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[int] = (),
    *,
    lines: bool = False,
) -> str:
    """`rows` under `heads`; the first cell names its row. Columns of `numbers` stand to the right, and an
    empty cell is a dash that a phone leaves out; `lines` makes it a line for each row there instead of a card.
    A dash where there is no row."""
    body = format_html_join("", "<tr>{}</tr>", ((_cells(heads, row, numbers),) for row in rows))
    if not body:
        return "–"
    head = format_html_join(
        "",
        '<th scope="col" class="{}">{}</th>',
        (("num" if at in numbers else "", one) for at, one in enumerate(heads)),
    )
    return format_html(
        '<div class="jeoul-decide"><table class="jeoul-table jeoul-stack {}"><thead><tr>{}</tr>'
        "</thead><tbody>{}</tbody></table></div>",
        "jeoul-lines" if lines else "jeoul-record",
        head,
        body,
    )


def _cells(heads: Sequence[str], row: Sequence[str], numbers: Collection[int]) -> str:
    first = format_html('<th scope="row">{}</th>', row[0])
    rest = format_html_join(
        "",
        '<td data-label="{}" class="{}{}">{}</td>',
        (
            (
                heads[at],
                "num" if at in numbers else "",
                "" if row[at] else " jeoul-bare",
                row[at] or "–",
            )
            for at in range(1, len(heads))
        ),
    )
    return format_html("{}{}", first, rest)
