-- What are the sums behind the mean and the mean squared distance from the labels?
-- reads   label_predictions
-- gives   one row of whole numbers as text: fixed-point sums, the same whatever the order of rows
-- params  $scale, $square_scale: steps per unit and squared unit, such that no term exceeds 2^60;
--         $largest: the largest error, above 0, by which errors are divided before they are raised
--         to the fourth power; $one: steps per fourth power of that
with
errors as (
    select
        production_error,
        shadow_error,
        shadow_error - production_error as change,
        (production_error / $largest) * (production_error / $largest) as production_part,
        (shadow_error / $largest) * (shadow_error / $largest) as shadow_part
    from label_predictions
    where production_error is not null
)

select
    count(*) as predictions,
    coalesce(sum(round(production_error * $scale)::bigint), 0)::varchar as production_error,
    coalesce(sum(round(shadow_error * $scale)::bigint), 0)::varchar as shadow_error,
    coalesce(sum(round(change * change * $square_scale)::bigint), 0)::varchar as error_squares,
    coalesce(sum(round(production_error * production_error * $square_scale)::bigint), 0)::varchar
        as production_squares,
    coalesce(sum(round(shadow_error * shadow_error * $square_scale)::bigint), 0)::varchar
        as shadow_squares,
    coalesce(sum(round(production_part * production_part * $one)::bigint), 0)::varchar
        as production_fourths,
    coalesce(sum(round(shadow_part * shadow_part * $one)::bigint), 0)::varchar as shadow_fourths,
    coalesce(sum(round(production_part * shadow_part * $one)::bigint), 0)::varchar as products
from errors;
