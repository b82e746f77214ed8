"""Drugs, bones, imaging and organisms behind what looks like a title, an initial or a relative."""

import pytest

from biobert import Deidentifier
from tests.trust.finding import found


@pytest.mark.parametrize(
    "text",
    [
        "MR Angiography of the head, MR Enterography, MR Brain.",
        "Lt Humerus fracture, LT Arm, Lt Foot, lt Femur.",
        "MS Contin 15 mg BID; MS CONTIN; on ms contin; SR Verapamil; MS Exacerbation; DR Congo.",
        "She has MS. Gabapentin helps. Seen by MR. Hypothyroidism stays.",
        "A 16 Fr Foley catheter was placed, then a 12 Fr Pigtail and a MR Foley catheter.",
        "Mother: Hypothyroidism. Father: Glaucoma. Sister: Crohn's, brother: Alzheimer's.",
        "Seen by Gabapentin, to: Metoprolol, Dear Hypertension, anesthesia: Lidocaine.",
        "A. Gabapentin 300\nB. Duloxetine 60",
        "A. Qwyllander ointment\nB. Rest",
        "T. Bili 0.8, D. Bili 0.2, A. Fib, V. Tach, A. Flutter, O. Media",
        "P. Mirabilis, L. Pneumophila, S. Pyogenes, K. Oxytoca and T. Gondii grew.",
    ],
)
def test_clinical_language_is_no_name(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mr. Hypothyroidism, Dr. Gabapentin", ["Hypothyroidism", "Gabapentin"]),
        ("Dr Crohn, Mr Okwu, Ms Qwyllander", ["Crohn", "Okwu", "Qwyllander"]),
        ("MS SULLIVAN, DR QWYLL, MR OKWU", ["SULLIVAN", "QWYLL", "OKWU"]),
        ("MR Sullivan, Lt Sullivan, DR Sullivan", ["Sullivan"] * 3),
        ("Lt. Okwu, MR. Okwu", ["Okwu", "Okwu"]),
        ("Surgeon: Babinski; seen by Crohn", ["Babinski", "Crohn"]),
        ("Mother: Okonkwo. Father: Mary", ["Okonkwo", "Mary"]),
        ("J. Crohn rang, then T. Okwu", ["J. Crohn", "T. Okwu"]),
        ("A. Sullivan\nB. Alvarez", ["A. Sullivan", "B. Alvarez"]),
        ("A. Qwyllander\nrang", ["A. Qwyllander"]),
        ("Fr. Qwyll and Fr Qwyll", ["Qwyll", "Qwyll"]),
    ],
)
def test_a_person_is_found_where_clinical_language_may_stand(text: str, names: list[str]) -> None:
    assert [one for kind, one in found(text) if kind == "NAME"] == names


def test_a_drug_behind_an_initial_is_not_met_again() -> None:
    text = "T. Gabapentin stopped. Gabapentin helped; Dr. Okwu agreed, Okwu rang."
    done = Deidentifier().deidentify(text).document.text
    assert done == "T. Gabapentin stopped. Gabapentin helped; Dr. [NAME] agreed, [NAME] rang."
