"""METRICS AND RESAMPLING: of one set of samples, and under many weightings of it."""
