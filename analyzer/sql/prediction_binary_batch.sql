-- question: what are the next binary outputs to decode?
-- reads:    prediction_binary
-- params:   $first, $last: positions, inclusive
select
    pair_id,
    role,
    data
from prediction_binary
where position between $first and $last
order by position;
