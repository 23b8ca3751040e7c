-- Of answers that hold several predictions: how do those in the same row of each compare?
-- reads   predictions
-- gives   row_counts(from_end, row, predictions, flipped, shifted, large_shifted, either): rows of
--         the payload from 0, once counted from the first, once from the last; either is how many
--         are at or above the threshold in one variant or both
-- params  $most: rows looked at from either end
--         $far: a large shift in score units; $atol, $rtol: nothing within them is large
--         $label_at: decision threshold; the first and the last are null where there is none
with
several as (
    select
        pair_id,
        max(row_index) as last_row
    from predictions
    where row_index > 0
    group by pair_id
),

placed as (
    select
        unnest([false, true]) as from_end,
        unnest([row_index, last_row - row_index]) as "row",
        flipped,
        shifted,
        difference > greatest($far, $atol + $rtol * abs(production_score)) as large,
        production_score >= $label_at or shadow_score >= $label_at as positive
    from predictions
    inner join several using (pair_id)
    where code = 'same'
)

select
    from_end,
    "row",
    count(*) as predictions,
    count(*) filter (where flipped) as flipped,
    count(*) filter (where shifted) as shifted,
    count(*) filter (where large) as large_shifted,
    count(*) filter (where positive) as either
from placed
where "row" < $most
group by from_end, "row"
order by from_end, "row";
