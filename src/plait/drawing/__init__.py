"""WHAT IT LOOKS LIKE: one look for all pictures and pages, whatever they show."""
