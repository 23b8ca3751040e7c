-- What was read of each object, whatever the order of its lines?
-- reads  lines, undecodable, oversize, lent
-- gives  capture_sums(object_number, line_bytes, hash_sum, hash_product_sum): two sums over every
--        line's hash, as text
with
hashes as (
    select
        object_number,
        strlen(line) as line_bytes,
        hash(line) as line_hash
    from lines
    union all
    select
        object_number,
        octet_length(line) as line_bytes,
        hash(sha256(line)) as line_hash
    from undecodable
    union all
    select
        object_number,
        line_bytes,
        hash(line_sha256) as line_hash
    from oversize
),

capture_sums as (
    select
        object_number,
        sum(line_bytes)::bigint as line_bytes,
        sum(line_hash::hugeint)::varchar as hash_sum,
        -- a line put in another's place keeps no second sum
        sum((line_hash & 4294967295)::hugeint * (line_hash >> 32)::hugeint)::varchar
            as hash_product_sum
    from hashes
    group by object_number
)

select * from capture_sums;
