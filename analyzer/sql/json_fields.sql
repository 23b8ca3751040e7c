-- Which fields of the sampled documents differ? A field is a scalar at its place in the document;
-- places of lists count as one, [*], when they are told.
-- reads   document_sample
-- gives   table json_fields(pair_id, input_key, field, code, difference), code being same, changed,
--         retyped, missing (in the shadow's document) or added
-- params  $atol, $rtol: numbers within $atol + $rtol * |production| are the same
create or replace temp table json_fields as
with
documents as (
    select *
    from document_sample
    where is_json(production_document) and is_json(shadow_document)
),

production_leaves as (
    select
        documents.pair_id,
        leaves.fullkey as place,
        min(leaf_kind(leaves.type)) as kind,
        min(leaves.atom::varchar) as value
    from documents, json_tree(documents.production_document) as leaves
    where leaves.type not in ('OBJECT', 'ARRAY')
    group by documents.pair_id, place
),

shadow_leaves as (
    select
        documents.pair_id,
        leaves.fullkey as place,
        min(leaf_kind(leaves.type)) as kind,
        min(leaves.atom::varchar) as value
    from documents, json_tree(documents.shadow_document) as leaves
    where leaves.type not in ('OBJECT', 'ARRAY')
    group by documents.pair_id, place
),

places as (
    select
        pair_id,
        place,
        production_leaves.kind as production_kind,
        shadow_leaves.kind as shadow_kind,
        production_leaves.value as production_value,
        shadow_leaves.value as shadow_value,
        case when production_leaves.kind = 'number' and shadow_leaves.kind = 'number'
            then try_cast(production_leaves.value as double) end as production_number,
        case when production_leaves.kind = 'number' and shadow_leaves.kind = 'number'
            then try_cast(shadow_leaves.value as double) end as shadow_number
    from production_leaves
    full join shadow_leaves using (pair_id, place)
),

coded as (
    select
        *,
        abs(shadow_number - production_number) as difference,
        case
            when shadow_kind is null then 'missing'
            when production_kind is null then 'added'
            when production_kind <> shadow_kind then 'retyped'
            when difference <= $atol + $rtol * abs(production_number) then 'same'
            when production_value is not distinct from shadow_value then 'same'
            else 'changed'
        end as code
    from places
)

select
    coded.pair_id,
    documents.input_key,
    regexp_replace(coded.place, '\[\d+\]', '[*]', 'g') as field,
    coded.code,
    case when isfinite(coded.difference) then coded.difference end as difference
from coded
inner join documents using (pair_id);
