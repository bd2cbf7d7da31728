"""What flows: named modalities of the same samples, and what a method may know of them."""
