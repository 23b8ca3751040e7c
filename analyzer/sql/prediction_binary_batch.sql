-- What are the next binary outputs to decode?
-- reads   prediction_binary
-- gives   prediction_binary_batch(pair_id, role, data)
-- params  $first, $last: positions, inclusive
select
    pair_id::varchar as pair_id,
    role,
    data
from prediction_binary
where position between $first and $last
order by position;
