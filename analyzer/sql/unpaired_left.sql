-- Which records has this rule, too, left without a partner?
-- reads   unpaired, matches
-- gives   rows of unpaired
-- params  $paired_by: the rule
with taken as (
    select production_id as record_id
    from matches
    where paired_by = $paired_by
    union all
    select shadow_id as record_id
    from matches
    where paired_by = $paired_by
)

select *
from unpaired
anti join taken using (record_id);
