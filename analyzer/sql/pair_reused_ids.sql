-- The same, where the inference IDs have been gathered already.
-- reads  pairings
-- gives  repeated_ids(ids)
select count(*) as ids
from pairings
where events > 1;
