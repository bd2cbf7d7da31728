"""What others reached on MIT-BIH, and how many beats it has."""

import pandas as pd

from plait.datasets._published import published

_RECALLED = " (recalled, not checked at the source)"
_INTER = "DS1 to DS2, by record, classes N, S, V, F; balanced accuracy is the mean sensitivity"
_THREE = "DS1 to DS2, 3 classes, sequences of beats, SMOTE; far above all others: leakage between beats is likely"
_INTRA = "random split of beats, 5 AAMI classes; beats of one patient are in training and test"
_PAPERS = "the papers of the methods"

_FAIR = ("accuracy", "balanced_accuracy", "j_kappa")
_RECORDS = """
de Chazal et al. 2004, linear discriminants | .862 | .832 | .612
Mar et al. 2011 | .899 | .802 | .649
Zhang et al. 2014 | .883 | .868 | .663
"""
_SUPPORT_VECTORS = """
Mondejar-Guerra et al. 2019, single SVM | .884 | .696 | .640
Mondejar-Guerra et al. 2019, ensemble of SVMs | .945 | .703 | .773
"""
_BY_CLASS = ("sensitivity S", "positive predictivity S", "sensitivity V", "positive predictivity V")
_MOUSAVI = "Mousavi and Afghah 2019, CNN and sequence to sequence"


def mitbih_published() -> pd.DataFrame:
    """Public numbers of both protocols, one row a method and metric; shares, not percent."""
    tables = [
        published(_RECORDS, _FAIR, _INTER, "mondejar/ecg-classification"),
        published(_SUPPORT_VECTORS, _FAIR, _INTER + "; e and j counted as S", "mondejar/ecg-classification"),
        published(
            "de Chazal et al. 2004, linear discriminants | 75.9 | 38.5 | 77.7 | 81.9",
            _BY_CLASS,
            _INTER,
            "original paper" + _RECALLED,
            100.0,
        ),
        published(f"{_MOUSAVI} | 88.94 | 92.57 | 99.94 | 99.50", _BY_CLASS, _THREE, "abstract", 100.0),
        published(_RECALLED_RECORDS, ("accuracy", "f1 S"), "DS1 to DS2, by record", _PAPERS + _RECALLED),
        published(_RANDOM, ("accuracy",), _INTRA, "abstracts of the papers", 100.0),
        published(_TRANSFER, ("accuracy",), "5 AAMI classes; the split is not stated", "abstract", 100.0),
        published(
            f"{_MOUSAVI} | 100 | 96.46 | 97.40 | 98.68",
            ("sensitivity S", "positive predictivity S", "sensitivity F", "positive predictivity F"),
            _INTRA,
            "abstract",
            100.0,
        ),
        published(_TYPICAL, ("accuracy", "macro_f1"), _INTRA + ", the Kaggle files", "several" + _RECALLED),
    ]
    return pd.concat(tables, ignore_index=True)


_RECALLED_RECORDS = """
Garcia et al. 2017 | .924 | .57
Sellami and Hwang 2019 | .883 | .44
Niu et al. 2020 | .964 | .77
"""
_RANDOM = """
Kachuee et al. 2018, residual CNN | 93.4
Ahmad et al. 2021, GAF, RP and MTF images, fused | 99.7
GAF-FusionNet (Qin and Liu 2024), series and GAF | 99.6
"""
_TRANSFER = """
transfer learning against imbalance (doi 10.3233/JIFS-219305), before | 90.67
transfer learning against imbalance (doi 10.3233/JIFS-219305), after | 98.47
"""
_TYPICAL = """
plain 1-D CNN, lower end | .98 | .90
plain 1-D CNN, upper end | .987 | .92
"""

_COUNTS = {
    "all 48 records": (90631, 2781, 7236, 803, 8043),
    "all but the last beat of each record (the Kaggle set)": (90589, 2779, 7236, 803, 8039),
    "Kaggle training part": (72471, 2223, 5788, 641, 6431),
    "Kaggle test part": (18118, 556, 1448, 162, 1608),
    "DS1, 22 records": (45866, 944, 3788, 415, 8),
    "DS2, 22 records": (44259, 1837, 3221, 388, 7),
    "paced records 102, 104, 107, 217": (506, 0, 227, 0, 8028),
    "DS1, these files": (45837, 943, 3788, 414, 8),
    "DS2, these files": (44236, 1837, 3220, 388, 7),
}


def mitbih_counts() -> pd.DataFrame:
    """Beats of each class (columns N, S, V, F, Q) and `total`, by set of records."""
    counts = pd.DataFrame.from_dict(_COUNTS, orient="index", columns=list("NSVFQ"))
    return counts.assign(total=counts.sum(axis=1))
