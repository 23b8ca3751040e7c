-- How does each label of the shadow compare with production's? 1 and 1.0 are one label. JSON tells
-- "1" from 1 and the caller may care, so that a string for a number is a contract change, not a
-- flip.
-- reads   prediction_values
-- gives   predictions: one row a payload row of pairs whose rows line up
with
cells as (
    select
        pair_id,
        input_key,
        captured_at,
        production_form as form,
        unnest(range(len(production_rows))) as row_index,
        unnest(production_rows) as production_cell,
        unnest(shadow_rows) as shadow_cell
    from prediction_values
    where production_form = shadow_form
        and len(production_rows) = len(shadow_rows)
),

labels as (
    select
        *,
        case
            when form = 'csv' then 'text'
            else json_type(production_cell)
        end as production_json_type,
        case
            when form = 'csv' then 'text'
            else json_type(shadow_cell)
        end as shadow_json_type,
        label_text(production_cell) as production_text,
        label_text(shadow_cell) as shadow_text
    from cells
),

classes as (
    select
        *,
        case
            when production_text in ('', 'nan', 'inf', '-inf', 'null') then 'none'
            when production_json_type in ('OBJECT', 'ARRAY') then 'shape'
            when production_json_type in ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE') then 'number'
            else coalesce(production_json_type, 'none')
        end as production_class,
        case
            when shadow_text in ('', 'nan', 'inf', '-inf', 'null') then 'none'
            when shadow_json_type in ('OBJECT', 'ARRAY') then 'shape'
            when shadow_json_type in ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE') then 'number'
            else coalesce(shadow_json_type, 'none')
        end as shadow_class
    from labels
),

coded as (
    select
        *,
        case
            when production_class in ('none', 'shape')
                and production_cell is not distinct from shadow_cell then 'alike'
            when production_class in ('none', 'shape') then 'production-undecodable'
            when production_class = shadow_class then 'same'
            when shadow_text in ('nan', 'inf', '-inf') then 'non-finite'
            when shadow_class = 'shape' then 'shape'
            else 'type'
        end as code
    from classes
),

predictions as (
    select
        pair_id,
        input_key,
        captured_at,
        row_index,
        code,
        cast(null as double) as production_score,
        cast(null as double) as shadow_score,
        case when code = 'same' then production_text end as production_label,
        case when code = 'same' then shadow_text end as shadow_label,
        cast(null as double) as difference,
        cast(null as boolean) as shifted,
        case when code = 'same' then production_text <> shadow_text end as flipped
    from coded
)

select * from predictions;
