"""Names of accounts in social networks (R): `@jo_92`, `Instagram: jo.bloggs`."""

import re
from collections.abc import Iterator

from biobert.trust.lists import alternatives, is_plain, parted
from biobert.trust.note import Candidate, Certainty, NoteText

NETWORKS = parted(
    "instagram; insta; twitter; facebook; tiktok; tik tok; snapchat; telegram; discord; linkedin; "
    "youtube; reddit; twitch; skype; venmo; cash app; mastodon; bluesky; whatsapp; wechat; "
    "username; user name; screen name; gamertag"
)
SHORT_NAMES = "ig fb x snap threads signal handle".split()
"""These mean other things too: behind them an account needs an @, or to look like one."""
VALUE = r"@?[a-z_](?:[\w-]|\.(?=\w)){2,29}"
LABELLED = re.compile(
    rf"(?<![\w@-])(?:(?P<network>{alternatives(NETWORKS)})|{alternatives(SHORT_NAMES)})(?![a-z])"
    r"(?P<between>(?: (?:handle|account|user ?name|user|id|name|profile|page|tag)(?![a-z]))?"
    rf"(?: (?:is|was)(?= )|[:=])? {{0,2}})(?P<value>{VALUE})(?![\w@]|\.\w|/)"
)
# `@willpenn1933`, not `@L4`, `@day3`, `@home`, and not the host of an address.
MENTION = re.compile(r"(?<![\w@.+/-])@([a-z_](?:\w|[.](?=\w)){3,29})(?![\w@]|\.\w)")
LIKE_AN_ACCOUNT = re.compile(r"[a-z]{2,30}(?:\d|[._](?=\w))|_[a-z]")
LETTERS = re.compile(r"[^\W\d_]{1,30}")
SAYS_NAME = re.compile(r"[:=]|handle|name|account|is |was ")


def find(note: NoteText) -> Iterator[Candidate]:
    """Behind the name of a network, and behind an @ where it is no unit and no place."""
    for match in LABELLED.finditer(note.lowered):
        if _is_account(match):
            yield Candidate("OTHER", *match.span("value"), Certainty.STATED)
    for match in MENTION.finditer(note.lowered):
        word = LETTERS.search(match[1])
        is_word = word is None or len(word[0]) < 3 or is_plain(word[0])
        if LIKE_AN_ACCOUNT.match(match[1]) and not is_word:
            yield Candidate("OTHER", *match.span(), Certainty.SHAPED)


def _is_account(match: re.Match[str]) -> bool:
    value = match["value"]
    if value.startswith("@") or LIKE_AN_ACCOUNT.match(value):
        return True
    return bool(match["network"] and SAYS_NAME.search(match["between"]) and not is_plain(value))
