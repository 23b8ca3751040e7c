-- What are the sums behind means, spreads, bias and agreement of the scores, in every minute?
-- reads   predictions
-- gives   score_minutes(minute, ...): minutes since 1970 by production's time; fixed-point
--         sums, which are the same whatever the number of threads or the order of rows
-- params  $centre: subtracted from scores; $scale: steps per unit, $square_scale: per squared
--         unit; both such that no term exceeds 2^60
with centred as (
    select
        epoch_us(captured_at) // 60_000_000 as minute,
        production_score - $centre as production,
        shadow_score - $centre as shadow,
        shadow_score - production_score as change
    from predictions
    where code = 'same'
        and production_score is not null
)

select
    minute,
    count(*) as scores,
    sum(round(production * $scale)::bigint)::decimal(38) as production,
    sum(round(shadow * $scale)::bigint)::decimal(38) as shadow,
    sum(round(abs(change) * $scale)::bigint)::decimal(38) as distance,
    sum(round(production * production * $square_scale)::bigint)::decimal(38) as production_squares,
    sum(round(shadow * shadow * $square_scale)::bigint)::decimal(38) as shadow_squares,
    sum(round(production * shadow * $square_scale)::bigint)::decimal(38) as products,
    sum(round(change * change * $square_scale)::bigint)::decimal(38) as change_squares
from centred
group by minute;
