-- Do the requests without a shadow answer have longer or shorter production outputs?
-- reads   missing_outputs, pairs
-- gives   missing_by_bytes(bucket, missing, present): quarters of a factor of two of the bytes
with
sizes as (
    select
        floor(4 * log2(1 + bytes))::integer as bucket,
        count(*) as missing,
        0 as present
    from missing_outputs
    where bytes is not null
    group by bucket
    union all
    select
        floor(4 * log2(1 + strlen(production_data)))::integer as bucket,
        0 as missing,
        count(*) as present
    from pairs
    where production_data is not null
    group by bucket
)

select
    bucket,
    sum(missing)::bigint as missing,
    sum(present)::bigint as present
from sizes
group by bucket
order by bucket;
