"""What announces the name of a person, and what only looks as if it did."""

import re

from biobert.trust.identifiers._name_chain import CAPITAL_WORD, PARTICLE, UPPER
from biobert.trust.lists import alternatives, parted, spelled

TITLES = (
    "dr drs mr mrs ms miss mx prof professor rev reverend pastor rabbi imam fr sir lady dame lord "
    "officer detective deputy sheriff sergeant sgt captain capt lt judge justice coach nurse "
    "attorney frau herr mme mlle monsieur madame senor senora señor señora sr sra rn sister "
    "brother father"
).split()
# `16 Fr` is a size.
TITLE = re.compile(rf"(?<![\w-])(?!(?<=\d )fr){alternatives(TITLES)}\.? {{1,2}}(?=[^\W\d_])")
# Magnetic resonance, multiple sclerosis, sustained release and left are written so too, `has MS.`
# at the end of a sentence.
AMBIGUOUS_TITLE = re.compile(r"(?:MR|MS|DR|SR|L[Tt]|lt)\.? {1,2}")
PLAIN_TITLE = re.compile(r"(?:Dr|Drs|Mr|Mrs|Ms|Miss|Mx|Prof|Professor) {1,2}")
SMALL_TITLE = re.compile(r"(?:dr|mr|mrs|ms|miss|prof)\.? ")
ROLES = parted(
    "attending; attending physician; surgeon; assistant; first assistant; second assistant; "
    "anesthesia; anesthesiologist; phys; physician; provider; prescriber; ordering; "
    "ordering provider; ordering physician; referring; referring provider; referring physician; "
    "pcp; gp; consultant; clinician; therapist; pharmacist; rph; nurse; next of kin; nok; hcp; "
    "poa; proxy; emergency contact; emergency contact on file; contact; guarantor; subscriber; "
    "insured; spouse; guardian; caregiver; accepting; subject; author; sender; witness; "
    "interpreter; doula; pediatrician"
)
HEADINGS = "name re from to cc attn attention by aka a.k.a.".split()
DEED = alternatives(
    (
        "dictated transcribed reported signed reviewed verified prepared written interpreted read "
        "seen authored referred ref performed ordered"
    ).split()
)
HANDED = "(?:phoned|called|reported|given) to"
OWNERS = "patient pt client member real full first last maiden legal preferred provider".split()
OWNER = rf"{alternatives(OWNERS)}(?:'?s)?"
FIELD = re.compile(
    rf"(?<![\w-])(?:{OWNER}(?: name)?|{alternatives((*HEADINGS, *ROLES))}|{DEED}(?: by)?|{HANDED})"
    r"[ \t.]{0,12}(?:(?:is |was )?[:=] {0,12}|\t)(?=[^\W\d_])"
)
ANNOUNCED = re.compile(
    rf"(?<![\w-])(?:{OWNER} name (?:is |was )?|{DEED} by |{HANDED} |aka )(?=[^\W\d_])"
)
INVERTED_LINE = re.compile(rf"^[ \t|]{{0,4}}(?={CAPITAL_WORD}, ?{CAPITAL_WORD})", re.MULTILINE)
KIN = "mother father son daughter sister brother parent parents child aunt uncle".split()
COMPANIONS = parted(
    "wife; husband; niece; nephew; cousin; partner; girlfriend; boyfriend; spouse; room-mate; "
    "roommate; friend; neighbor; neighbour; guardian; caregiver; fiance; fiancee; fiancé; fiancée; "
    "mom; mum; dad; grandma; grandpa; twin; widow; boss; colleague; carer; baby; in-law; in law; "
    "counselor; counsellor; doula; teacher; interpreter; case manager"
)
RELATIVE = re.compile(
    rf"(?<![\w-])(?:(?:grand|great-grand|step|god|foster )?{alternatives(KIN)}|"
    rf"{alternatives(COMPANIONS)})"
    r"(?:'s name is| is called| named|,| \(| -| =|:)? ?\(?(?=[^\W\d_])"
)
GREETINGS = parted(
    "hi; hello; hey; dear; thanks; thank you; good morning; named; called; nicknamed; née"
)
GREETING = re.compile(rf"(?<![\w-]){alternatives(GREETINGS)},? (?=[^\W\d_])")
CLOSINGS = parted(
    "sincerely; sincerely yours; regards; respectfully; faithfully; truly; wishes; thanks; "
    "thank you; cheers; mahalo"
)
CLOSING = re.compile(rf"{alternatives(CLOSINGS)}[,!.]{{0,2}}\s{{1,6}}(?=[^\W\d_])")
DEALINGS = parted(
    "by; per; told; tell; ask; asked; call; calls; called; calling; contact; met; given to; "
    "notified"
)
SPOKEN_WITH = re.compile(
    rf"(?<![\w-])(?i:(?P<deed>{alternatives(DEALINGS)}|"
    r"(?:spoke|spoken|discussed|seen|reviewed|met) (?:to|with|by)|signed)|"
    rf"from|to|with|and|of|for|see|saw|w/) (?=[{UPPER}])"
)
BEFORE_CREDENTIAL = re.compile(
    rf"(?<![\w.'’-])(?P<name>(?:(?:{PARTICLE} )?(?:[{UPPER}]\.|{CAPITAL_WORD}) ?){{1,4}}+)"
    r"(?P<comma>,)? {0,2}$"
)
WORD_OF_NAME = re.compile(rf"{CAPITAL_WORD}|[{UPPER}]\.")
SMALL_WITH_CREDENTIAL = re.compile(
    r"(?<![\w.])((?:[a-z]\. ?|[a-z]{2,20} )[a-z]{3,20}),? (?:md|rn|np|msw|lcsw|phd)(?![\w])"
)
BEFORE_AGE = re.compile(
    rf"^[ \t]{{0,4}}((?:{CAPITAL_WORD} ?){{1,3}})(?=,? ?[(|]?\d{{1,3}} ?(?:-?y|[MF](?!\w)))",
    re.MULTILINE,
)
INITIALS_AND_NAME = re.compile(
    r"(?<![\w.])(?!(?<=\d[ -])(?:Y\. ?O|[AP]\. ?M)\.|P\.R\.N\.|[BTQ]\.I\.D\.)"
    rf"(?:[{UPPER}]\. ?){{1,2}}(?:{PARTICLE} )?{CAPITAL_WORD}(?!\w)"
)
LETTERED_LINE = re.compile(r"^[ \t]{0,8}(?P<letter>[A-Z])\. ", re.MULTILINE)
EPONYM_NOUN = re.compile(
    rf"(?:['’]s)?(?:[- ](?:[{UPPER}][\w'’-]{{1,20}}[- ])?)(?:and )?(?:[a-z]{{0,16}} ?)?"
    rf"{alternatives(spelled('eponym_nouns'))}s?(?![a-z])"
)
MET_AGAIN = re.compile(rf"(?<![\w-]){CAPITAL_WORD}")
# `Will` and `June` met again are persons before these, never before `call` or `you`.
SAYS = (
    "denies|denied|reports|reported|states|stated|says|said|complains|complained|endorses|endorsed|"
    "admits|tells|told us"
)
SPEAKS = re.compile(
    rf" (?:also |again |now |still )?(?:{SAYS})(?![a-z])(?! (?:be|are|were)(?![a-z]))"
)
IS_SOMEBODY = re.compile(
    rf"['’]s(?![a-z])| (?:also |again |now |still |currently )?(?:{SAYS}|was|is|has|had|feels|felt|"
    r"lives|takes|took|came|went|presents|presented|arrived|underwent|tolerated|received|wants|"
    r"appears|agreed|agrees|describes|described|remains|needs|works|walks|drinks|smokes|does|did)"
    r"(?![a-z])(?! (?:be|are|were)(?![a-z]))"
)
NO_INITIAL_BEHIND = re.compile(
    r"(?:degrees?|°|vitamin|hepatitis|type|group|grade|class|stage|factor) $"
)
