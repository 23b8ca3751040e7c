-- How alike are the two texts of each sampled pair?
-- reads   document_sample
-- gives   table document_likeness(pair_id, input_key, equal, cut, longer, production_json,
--         shadow_json, likeness): 1 is equal, 0 has nothing in common
-- params  $longest: characters of a text that are compared
create or replace temp table document_likeness as
with
measured as (
    select
        pair_id,
        input_key,
        production = shadow as equal,
        left(production, $longest) as production_start,
        left(shadow, $longest) as shadow_start,
        greatest(length(production), length(shadow)) > $longest as cut,
        ln((strlen(shadow) + 1) / (strlen(production) + 1)) as longer,
        is_json(production) as production_json,
        is_json(shadow) as shadow_json
    from document_sample
)

select
    * exclude (production_start, shadow_start),
    case
        when production_start = shadow_start then 1.0
        else 1 - levenshtein(production_start, shadow_start)
            / greatest(strlen(production_start), strlen(shadow_start))
    end as likeness
from measured;
