-- Which records share an inference ID that names several events?
-- reads  unpaired
-- gives  rows of contenders: scope holds the records that may pair, equal payload within one ID
with
shared as (
    select inference_key
    from unpaired
    where inference_key is not null
    group by inference_key
    having count(distinct role) = 2
),

contenders as (
    select
        record_id,
        role = 'shadow' as is_shadow,
        md5_number(coalesce(input_key::varchar, 'none') || ' ' || inference_key::varchar) as scope,
        epoch_us(captured_at) // 1000000 as second,
        event_key
    from unpaired
    semi join shared using (inference_key)
)

select
    record_id,
    is_shadow,
    (scope >> 64)::ubigint as scope_upper,
    (scope & 18446744073709551615::uhugeint)::ubigint as scope_lower,
    second,
    event_key
from contenders;
