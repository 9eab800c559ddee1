"""What must not be shown: which names stand for secrets, and texts without the secrets in them.

`plugins show`, errors and the inspector all ask here. Better too much is hidden than too little. Every pattern takes
time in proportion to the text: texts may be long, and somebody else's.
"""

from __future__ import annotations

import re

__all__ = ["hides", "hides_parameter", "masked"]

_SECRET = re.compile(
    r"secret|passw|passphrase|token(?!i[sz])|credential|private|cookie$|authori[sz]ation|bearer|signature|salt|"
    r"(api|access|account|signing|encryption|auth)[-_]?key|session[-_]?id|auth[-_]users|"
    r"(^|[-_])(keys?|pwd?|dsn)([-_]|$)|(^|[-_])(pass|auth|sid|otp|pin|jwt|csrf|xsrf|sig)$",
    re.IGNORECASE,
)
# Names that look like it, and say only where or how.
_HARMLESS = re.compile(r"sec-websocket-key$|(\w*_)?key_(prefix|func|name|length|size|bits)$", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"(auth[-_]?)?code$", re.IGNORECASE)

_WORD = re.compile(r"\S+")
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,30}://"
_PASSWORD = re.compile(rf"(?P<before>{_SCHEME})(?P<name>[^/?#:]*+):(?!\d{{1,5}}(?:[/?#]|$))")
_USER = re.compile(rf"({_SCHEME})[^/?#]*@")
_NAME = re.compile(r"""(?<![\w.%-])(?P<name>[\w.%-]{1,80})(?:["'\]]?\s{0,5}=(?!=)|["']\s{0,5}:)\s{0,5}""")
_VALUE = re.compile(
    r""""(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)|'(?:[^'\\]|\\.)*+(?:'|\Z|\\\Z)|\{(?:[^}]|\}\}){0,300}\}|[^\s&;]+""", re.DOTALL
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)", re.DOTALL
)


def hides(name: str) -> bool:
    """Whether what stands under this name (of a setting, a field, a header) is a secret."""
    return bool(_SECRET.search(name)) and not _HARMLESS.match(name)


def hides_parameter(name: str) -> bool:
    """The same for a parameter of a query string, where `code` is what a sign-in is finished with."""
    return hides(name) or bool(_SECRET_PARAMETER.match(name))


def masked(text: str, hidden: str = "…") -> str:
    """A text without passwords of addresses, values after `password=` and their like, and private keys.

    hidden  what stands in their place.
    """
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(hidden, text)
    if "://" in text and "@" in text:
        text = _WORD.sub(lambda match: _without_password(match[0], hidden), text)
    return _without_values(text, hidden)


def _without_password(word: str, hidden: str) -> str:
    """A password may have any character in it: it goes as far as the last @."""
    last = word.rfind("@")
    for match in _PASSWORD.finditer(word):
        if match.end() > last:
            break
        name = hidden if "@" in match["name"] else match["name"] + ":" + hidden
        return _USER.sub(rf"\1{hidden}@", word[: match.start()]) + match["before"] + name + word[last:]
    return _USER.sub(rf"\1{hidden}@", word)


def _without_values(text: str, hidden: str) -> str:
    parts: list[str] = []
    done = 0
    for match in _NAME.finditer(text):
        start = match.start()
        in_query = start > 0 and text[start - 1] in "?&"
        if start < done or not (hides_parameter if in_query else hides)(match["name"]):
            continue
        value = _VALUE.match(text, match.end())
        if value is not None:
            parts += text[done : match.end()], hidden
            done = value.end()
    return "".join(parts) + text[done:]
