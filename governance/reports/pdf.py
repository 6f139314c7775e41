"""The report on paper: PDF/A-3b, tagged, with the table of all rows attached.

A page takes long to set, about a second for 300 rows, so the PDF holds the summary and the worst cases.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from governance.reports import highlights

Document = dict[str, Any]


def write(data: Document, *, digest: str, table: bytes, table_name: str) -> bytes:
    """The PDF's bytes."""
    # Slow to load, and of all processes only the one that builds a report needs it.
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    context = {
        "report": data,
        "at": datetime.fromisoformat(data["at"]),
        "digest": digest,
        "table_name": table_name,
        **highlights.of(data),
    }
    html = render_to_string("governance/reports/pdf.html", context)
    attached = Attachment(
        file_obj=io.BytesIO(table),
        name=table_name,
        description="All rows of the report",
        relationship="Data",
    )
    written: bytes = HTML(
        string=html,
        url_fetcher=URLFetcher(allowed_protocols=()),  # nothing is loaded from anywhere
    ).write_pdf(pdf_variant="pdf/a-3b", pdf_tags=True, attachments=[attached])
    return written
