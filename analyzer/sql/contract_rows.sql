-- Does the shadow's answer keep the form of production's? (scores, labels, vectors)
-- reads   prediction_values, predictions
-- gives   contract_pairs: one row a pair with its code; changed is null where production's own
--         output gives nothing to compare with, relabelled where answers hold no labels beside
with
row_codes as (
    select
        pair_id,
        min(code) filter (where code in ('non-finite', 'not-a-share', 'shape', 'type'))
            as worse,
        min(code) filter (where starts_with(code, 'production-')) as unknown
    from predictions
    where code not in ('same', 'alike')
    group by pair_id
),

coded as (
    select
        prediction_values.pair_id,
        prediction_values.input_key,
        prediction_values.captured_at,
        coalesce(prediction_values.identical, false) as identical,
        prediction_values.relabelled,
        case
            when production_absent and shadow_absent then 'both-absent'
            when production_absent then 'production-absent'
            when shadow_absent then 'shadow-absent'
            when production_rows is null and identical then 'same-undecodable'
            when production_rows is null and shadow_rows is null then 'both-undecodable'
            when production_rows is null then 'production-undecodable'
            when production_form <> shadow_form then 'format'
            when shadow_rows is null then 'shadow-undecodable'
            when len(production_rows) <> len(shadow_rows) then 'row-count'
            else coalesce(row_codes.worse, field_code, row_codes.unknown, 'same')
        end as code
    from prediction_values
    left join row_codes using (pair_id)
),

contract_pairs as (
    select
        pair_id,
        input_key,
        captured_at,
        identical,
        relabelled,
        code,
        case
            when code in ('same', 'same-undecodable') then false
            when code in ('both-absent', 'both-undecodable') then null
            when starts_with(code, 'production-') then null
            else true
        end as changed
    from coded
)

select * from contract_pairs;
