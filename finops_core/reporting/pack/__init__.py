"""The pack of a month: what a director forwards to finance, as PDF, workbook and Markdown; its figures are those of the pages."""

from finops_core.reporting.pack.content import Column, Part, Section, Table
from finops_core.reporting.pack.making import FORMS, Pack, make, sections

__all__ = ["FORMS", "Column", "Pack", "Part", "Section", "Table", "make", "sections"]
