-- The lines that are not text: invalid UTF-8, or NUL bytes.
-- reads  undecodable(object_id, is_shadow, line_number, unterminated, line), lent; line is binary
-- gives  rows of rejects
insert into rejects
select
    'malformed.invalid-utf8' as code,
    if(is_shadow = 1, 'shadow', 'production') as role,
    object_id,
    line_number,
    md5_number(line) as line_md5,
    sha256(line) as line_sha256,
    octet_length(line) as line_bytes
from undecodable;
