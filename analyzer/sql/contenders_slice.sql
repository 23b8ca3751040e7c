-- One slice of the contenders, equal payloads together, in time order. Content decides the order
-- among equals, so that neither files nor threads do.
-- reads   contenders
-- gives   contenders_slice(record_id, is_shadow, scope_upper, scope_lower, second)
-- params  $slices, $slice: records whose scope leaves this remainder
with contenders_slice as (
    select *
    from contenders
    where scope_lower % $slices::ubigint = $slice::ubigint
)

select
    record_id,
    is_shadow::bigint as is_shadow,
    scope_upper,
    scope_lower,
    second
from contenders_slice
order by
    scope_upper,
    scope_lower,
    second,
    is_shadow,
    event_key;
