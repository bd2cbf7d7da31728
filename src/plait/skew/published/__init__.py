"""The numbers that Hu et al. published on skew-pair fusion, as tables, and what can be checked on them.

They are the authors' numbers, not ours: "Skew-pair fusion theory: An interpretable multimodal fusion framework" (Hu,
Hong, Cai, Li, Ren, Ma, Jiang, Wang; Research Square preprint, doi 10.21203/rs.3.rs-5208094/v1, 2024), from their
repository Computational-social-science/Skew-pair_Fusion: supplementary tables S1 to S6, data of figures 5 to 13, and
grids in csv and xlsx files. A copy of its README states the licence CC BY 4.0. Nothing was recomputed; they were typed
in as printed, so that rounding and slips are theirs too. What a table is of, beyond its heading, was in part inferred.

`load_published(name)` reads them, tidy: a row a number, always with task, table (where it stands), metric and value.
Headlines are in percent, those of text-text are indices.

| name | what | further columns |
|---|---|---|
| layers | each tap alone; percent for three tasks, indices of a clustering for text-text | encoder, layer |
| sweeps | one encoder at its last tap, each tap of the other; shares | swept, row, column, d |
| skewness | windows of 5 or 3 pairs, and one pair, by skewness (figures); percent | pairs, d |
| headlines | the comparison: best tap, late, pairwise, best window, best pair | what, pairs, d, row, column |
| windows | text-text: windows of m pairs from the bottom, at d = 0 ("ladder") and for m = 3 at every d | pairs, d |
| grid | text-text: all 144 pairs, three indices, k-means anew for every pair (10,000 samples) | row, column, d |
| second_grid | the same of unknown origin; its Calinski-Harabasz index is additive in row and column | row, column, d |

Tasks are text-audio (IEMOCAP; ua is unweighted accuracy, the mean recall), audio-video (AVE, 402 test samples),
image-text (Hateful Memes) and text-text (C4EL, Latin and English, one encoder). `row` is the tap of the first, `column`
that of the second modality of d = row - column: text and audio, video and audio, text and image, Latin and English.
Those of the first three tasks were selected and reported on the same test samples, in one run, without intervals; those
of text-text have neither test samples nor labels. Pitfalls:

* bars of figures are truncated to one decimal, tables are rounded: 324 of 402 is .8060 in a table and 80.5 in a figure;
* the single-tap numbers of text-audio are accuracies, the fused ones mean recalls;
* table and figure of text-audio are of different runs (late fusion 76.06 and 75.4);
* the series of image-text are labelled the other way round in figures 7 and 12; `skewness` has the one that the table
  of single pairs agrees with as one pair;
* sweeps of audio-video have no taps 1 and 2.
"""

from plait.skew.published.numbers import PUBLISHED, load_published

__all__ = ["PUBLISHED", "load_published"]
