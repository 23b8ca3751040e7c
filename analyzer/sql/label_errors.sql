-- What are the sums behind the mean and the mean squared distance from the labels?
-- reads   label_predictions
-- gives   one row of whole numbers as text: fixed-point sums, the same whatever the order of rows
-- params  $scale, $square_scale: steps per unit and squared unit, such that no term exceeds 2^60
with
errors as (
    select
        production_error,
        shadow_error,
        shadow_error - production_error as change
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
        as shadow_squares
from errors;
