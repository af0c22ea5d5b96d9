"""Evaluation: the protocol, matching, the comparison of two students, plots and the report."""
