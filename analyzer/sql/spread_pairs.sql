-- Which part does each pair go to, so that those of one input lie together?
-- reads   spreading: rows of pairs or label_pairs
-- gives   spread_pairs: the same columns, and part
-- params  $parts: how many there are
select
    *,
    (
        if(input_key is null, hash(pair_id), hash(input_key)) % $parts::ubigint
    )::integer as part
from spreading;
