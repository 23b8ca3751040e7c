"""Taking secrets out of what is said: messages quote addresses and answers that may hold them.

In: a text that quotes what a user typed, or what a server answered. Out: the same text with every
password, signature, token and key in it replaced. It errs on the side of hiding too much.
"""

from __future__ import annotations

import re

HIDDEN = "***"
_USER = re.compile(r"(?<=:/)(/?)[^/\s@]+@|(?<![^\s\"'`(=])[^/\s:@]+:[^/\s@]+@")
"""`//user:password@`, where a path may have lost one slash; or `user:password@` by itself."""
_END = r"(?=[:;,.)]*(?:[\s&\"'`]|$))"
_PARAMETER = re.compile(rf"([?&][^=&\s\"'`]*)=[^&\s\"'`]+?{_END}")
"""Values of a query string: a presigned address is nothing but them."""
_VALUE = rf"(?:(?:AWS4-[\w-]+|Bearer|Basic)\s+)?[^\s,&\"'`]+?{_END}"
_FIELD = re.compile(
    r"\b((?:x-amz-)?(?:credential|signature|security-token|signedheaders|password|secret|token"
    rf"|authorization|awsaccesskeyid)=|(?:authorization|x-amz-security-token):\s*){_VALUE}",
    re.IGNORECASE,
)
"""Fields of a request as servers quote them in their answers."""
_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{8,}")


def without_secrets(text: str) -> str:
    """The text as it may be shown, logged and kept.

    >>> without_secrets("http://me:pw@host:9/a?X-Amz-Signature=0f&list-type=2: refused")
    'http://***@host:9/a?X-Amz-Signature=***&list-type=***: refused'
    >>> without_secrets("Authorization=AWS4-HMAC-SHA256 Credential=AKIA12345678/x, Signature=0f")
    'Authorization=***, Signature=***'
    """
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _PARAMETER.sub(rf"\1={HIDDEN}", text)
    text = _FIELD.sub(rf"\1{HIDDEN}", text)
    return _KEY.sub(rf"\1{HIDDEN}", text)
