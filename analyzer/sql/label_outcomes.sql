-- How often was which variant right, on how many inputs?
-- reads   label_predictions
-- gives   one row; prediction_squares is a sum of squared counts per distinct input, as text;
--         unusable: predictions whose label does not fit the kind of the outputs;
--         compared_pairs: pairs of which any prediction has a label
with
usable as (
    select *
    from label_predictions
    where production_right is not null or production_error is not null
),

inputs as (
    select
        count(*) as predictions,
        count(*) filter (where production_right and shadow_right) as both_right,
        count(*) filter (where production_right and not shadow_right) as production_right,
        count(*) filter (where not production_right and shadow_right) as shadow_right,
        count(*) filter (where not production_right and not shadow_right) as both_wrong
    from usable
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    coalesce(sum(predictions), 0)::bigint as predictions,
    coalesce(sum(both_right), 0)::bigint as both_right,
    coalesce(sum(production_right), 0)::bigint as production_right,
    coalesce(sum(shadow_right), 0)::bigint as shadow_right,
    coalesce(sum(both_wrong), 0)::bigint as both_wrong,
    coalesce(sum(predictions::hugeint * predictions), 0)::varchar as prediction_squares,
    (select count(*) from label_predictions) - coalesce(sum(predictions), 0)::bigint as unusable,
    (select count(distinct pair_id) from label_predictions) as compared_pairs
from inputs;
