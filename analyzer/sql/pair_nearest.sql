-- The pairs that were found nearest in time.
-- reads   nearest(production_id, shadow_id), lent
-- gives   rows of matches
-- params  $paired_by: the rule that made the records contend
insert into matches
select
    production_id,
    shadow_id,
    $paired_by as paired_by
from nearest;
