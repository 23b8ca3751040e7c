"""Taking secrets out of what is said: messages quote addresses and answers that may hold them.

In: a text that quotes what a user typed, or what a server answered. Out: the same text with every
password, signature, token and key in it replaced. It errs on the side of hiding too much.
"""

from __future__ import annotations

import re

HIDDEN = "***"
_USER = re.compile(r"(?<=:/)(/?)[^/\s@]+@|(?<![^\s\"'`(=])[^/\s:@]{1,256}:[^/\s@]{1,2048}@")
"""`//user:password@`, where a path may have lost one slash; or `user:password@` by itself."""
_END = r"(?=[:;,.)]{0,8}(?:[\s&\"'`]|$))"
_PARAMETER = re.compile(rf"([?&][^=&?\s\"'`]*)=[^&\s\"'`]+?{_END}")
"""Values of a query string: a presigned address is nothing but them."""
_VALUE = rf"(?:(?:AWS4-[\w-]+|Bearer|Basic)\s+)?[^\s,&\"'`]+?{_END}"
_NAME = (
    "credential|signature|signedheaders|password|secret|token|authorization"
    "|(?:access|api)[_-]?key(?:[_-]?id)?"
)
"""How the names of fields end that hold a secret; any letters may stand before."""
_LINE = re.compile(r"(authorization(?:=|:[^\S\n]*))[^\n]+", re.IGNORECASE)
"""A header whose value is a scheme of anybody's and what belongs to it."""
_QUOTED = re.compile(
    rf"""((?:{_NAME})(["'])\s*:\s*(["']))(?:[^"'\\]|\\.|(?!\3)["'])+""", re.IGNORECASE | re.DOTALL
)
"""A field of a JSON object, or of a Python one."""
_FIELD = re.compile(rf"((?:{_NAME})=[\"']?|(?:security-token|api-key):\s*){_VALUE}", re.IGNORECASE)
"""Fields of a request as servers quote them in their answers."""
_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{8,}")


def without_secrets(text: str) -> str:
    """The text as it may be shown, logged and kept.

    >>> without_secrets("http://me:pw@host:9/a?X-Amz-Signature=0f&list-type=2: refused")
    'http://***@host:9/a?X-Amz-Signature=***&list-type=***: refused'
    >>> without_secrets("Authorization=AWS4-HMAC-SHA256 Credential=AKIA12345678/x, Signature=0f")
    'Authorization=***'
    >>> without_secrets('{"password": "a b", "user": "me"}, client_secret=x&')
    '{"password": "***", "user": "me"}, client_secret=***&'
    """
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _PARAMETER.sub(rf"\1={HIDDEN}", text)
    text = _QUOTED.sub(rf"\1{HIDDEN}", text)
    text = _LINE.sub(rf"\1{HIDDEN}", text)
    text = _FIELD.sub(rf"\1{HIDDEN}", text)
    return _KEY.sub(rf"\1{HIDDEN}", text)
