"""FINDINGS: what a search of pairs came to, as tables that reports, files and the command line read."""

from plait.skew.findings.container import Findings

__all__ = ["Findings"]
