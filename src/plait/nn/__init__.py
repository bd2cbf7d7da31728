"""Parts that two methods share."""
