-- How many pairs does each minute of the window hold, and when do their shadow records lie?
-- reads   matches
-- gives   pair_minutes(minute, pairs, first_shadow_at, last_shadow_at)
-- params  $start, $end: the window by production's time, half open, UTC
with pair_minutes as (
    select
        date_trunc('minute', production_at) as minute,
        count(*) as pairs,
        min(shadow_at) as first_shadow_at,
        max(shadow_at) as last_shadow_at
    from matches
    where production_at >= $start and production_at < $end
    group by minute
)

select *
from pair_minutes
order by minute;
