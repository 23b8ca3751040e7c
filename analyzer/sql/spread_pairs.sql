-- Which part does each pair go to, so that those of one input lie together?
-- reads   pairs
-- gives   spread_pairs: the columns of pairs, and part
-- params  $parts: how many there are
select
    *,
    (coalesce(hash(input_key), hash(pair_id)) % $parts::ubigint)::integer as part
from pairs;
