-- Which part does each record go to, so that those lie together that a rule of pairing may join?
-- reads   spreading: parsed files
-- gives   spread_records: the columns of capture_records, and part
-- params  $by: inference_id (a record without one goes by its event), payload (the same), or else the
--         event: a record that no rule can pair any more is still asked what it answered
--         $parts: how many there are
select
    *,
    (
        case $by
            when 'inference_id' then hash(coalesce(inference_key, event_key))
            when 'payload' then if(input_key is null, hash(event_key), hash(input_key))
            else hash(event_key)
        end % $parts::ubigint
    )::integer as part
from spreading
where captured_at is not null;
