-- Which records did their inference ID not pair?
-- reads  unpaired, pairings
-- gives  rows of unpaired
select *
from unpaired
where
    inference_key is null
    or inference_key in (
        select open_key
        from pairings
        where open_key is not null
    );
