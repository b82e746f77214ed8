"""Benchmark suites: recipes trained over seeds, scored on test sets, as one table."""
