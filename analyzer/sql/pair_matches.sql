-- The record pairs among the pairings.
-- reads  pairings
-- gives  view matches
create or replace temp view matches as
select
    production_id,
    shadow_id,
    production_at,
    shadow_at,
    paired_by
from pairings
where open_key is null;
