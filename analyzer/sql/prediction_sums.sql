-- What are the sums behind means, spreads, bias and agreement of the scores?
-- reads   predictions
-- gives   one row of whole numbers as text: fixed-point sums, which are the same whatever the
--         number of threads or the order of rows
-- params  $centre: subtracted from scores; $scale: steps per unit, $square_scale: per squared
--         unit; both such that no term exceeds 2^60
with
centred as (
    select
        production_score - $centre as production,
        shadow_score - $centre as shadow,
        shadow_score - production_score as change
    from predictions
    where code = 'same'
        and production_score is not null
)

select
    count(*) as scores,
    coalesce(sum(round(production * $scale)::bigint), 0)::varchar as production,
    coalesce(sum(round(shadow * $scale)::bigint), 0)::varchar as shadow,
    coalesce(sum(round(abs(change) * $scale)::bigint), 0)::varchar as distance,
    coalesce(sum(round(production * production * $square_scale)::bigint), 0)::varchar
        as production_squares,
    coalesce(sum(round(shadow * shadow * $square_scale)::bigint), 0)::varchar as shadow_squares,
    coalesce(sum(round(production * shadow * $square_scale)::bigint), 0)::varchar as products,
    coalesce(sum(round(change * change * $square_scale)::bigint), 0)::varchar as change_squares
from centred;
