-- How many predictions have either variant's most frequent label?
-- reads   prediction_label_counts
-- gives   one row (commonest_label of production, shadow_commonest_label)
select
    coalesce(max(predictions) filter (where role = 'production'), 0)::bigint as commonest_label,
    coalesce(max(predictions) filter (where role = 'shadow'), 0)::bigint as shadow_commonest_label
from prediction_label_counts;
