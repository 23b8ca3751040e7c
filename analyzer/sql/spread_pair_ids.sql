-- Which part does each pair go to, so that it meets the label that names it?
-- reads   spreading: rows of pairs
-- gives   spread_pair_ids: what labels are joined by, and part
-- params  $by: label_id, the inference ID or else the event; or pair_id, the event
--         $parts: how many there are
select
    pair_id,
    input_key,
    inference_key,
    (
        hash(if($by = 'pair_id', pair_id, coalesce(inference_key, pair_id))) % $parts::ubigint
    )::integer as part
from spreading;
