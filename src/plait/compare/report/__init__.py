"""One HTML file that a scientist can send to a co-author: verdict, tables, pictures, settings."""

from plait.compare.report.content import Answer, ReportInput
from plait.compare.report.page import render, write_report

__all__ = ["Answer", "ReportInput", "render", "write_report"]
