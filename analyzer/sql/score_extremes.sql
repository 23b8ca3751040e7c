-- Where one variant puts a quantity far out, does the other do so, too?
-- reads   score_cells
-- gives   one row: far_above and far_below, predictions that either variant puts that far above or
--         below the centre; far_above_apart and far_below_apart, those of them that the other does
--         not put halfway there
-- params  $far, $halfway: buckets above the centre, as quantity_bucket counts them
select
    coalesce(sum(predictions) filter (where higher >= $far), 0)::bigint as far_above,
    coalesce(sum(predictions) filter (where higher >= $far and lower < $halfway), 0)::bigint
        as far_above_apart,
    coalesce(sum(predictions) filter (where lower < -$far), 0)::bigint as far_below,
    coalesce(sum(predictions) filter (where lower < -$far and higher >= -$halfway), 0)::bigint
        as far_below_apart
from (
    select
        predictions,
        greatest(production_bucket, shadow_bucket) as higher,
        least(production_bucket, shadow_bucket) as lower
    from score_cells
);
