-- The pairs that were found nearest in time.
-- reads   nearest(production_id, shadow_id), lent; unpaired
-- gives   rows of pairings
-- params  $paired_by: the rule that made the records contend
select
    nearest.production_id,
    nearest.shadow_id,
    production.captured_at as production_at,
    shadow.captured_at as shadow_at,
    $paired_by as paired_by,
    null::uuid as open_key,
    1::bigint as events
from nearest
inner join unpaired as production on nearest.production_id = production.record_id
inner join unpaired as shadow on nearest.shadow_id = shadow.record_id;
