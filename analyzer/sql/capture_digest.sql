-- What was read, whatever the order of files and lines?
-- reads  records, rejects
-- gives  capture_digest(role, lines, line_bytes, upper_sum, lower_sum): sums of the two halves of
--        every line's hash
with hashes as (
    select
        role,
        line_md5,
        line_bytes
    from records
    union all
    select
        role,
        line_md5,
        line_bytes
    from rejects
),

capture_digest as (
    select
        role,
        count(*) as lines,
        sum(line_bytes)::bigint as line_bytes,
        sum((line_md5 >> 64)::ubigint)::varchar as upper_sum,
        sum((line_md5 & 18446744073709551615::uhugeint)::ubigint)::varchar as lower_sum
    from hashes
    group by role
)

select *
from capture_digest
order by role;
