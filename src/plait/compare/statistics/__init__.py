"""Pure functions from held-out predictions to tables: scores, intervals, tests, ledger, redundancy, calibration."""
