-- The lines that are longer than the policy reads; hashed on the way past, never held as JSON.
-- reads  oversize(object_id, is_shadow, line_number, line_bytes, line_sha256, line_md5), lent
-- gives  rows of rejects
insert into rejects
select
    'malformed.oversize' as code,
    if(is_shadow = 1, 'shadow', 'production') as role,
    object_id,
    line_number,
    line_md5::uhugeint as line_md5,
    line_sha256,
    line_bytes
from oversize;
