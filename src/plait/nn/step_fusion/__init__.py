"""Step fusion: modalities that guide each other step by step (after Xu et al. 2023; reconstruction)."""
