-- How many predictions have production's most frequent label?
-- reads   prediction_label_counts
-- gives   one row (commonest_label)
select
    coalesce(max(predictions) filter (where role = 'production'), 0)::bigint as commonest_label
from prediction_label_counts;
