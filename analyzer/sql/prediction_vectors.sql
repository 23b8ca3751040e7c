-- How does each list of numbers of the shadow compare with production's? The difference of two
-- lists is that of their most different place.
-- reads   prediction_values
-- gives   predictions: one row a payload row of pairs whose rows line up
-- params  $atol, $rtol: a shift is any |difference| > $atol + $rtol * |production|
--         $by_largest: true when the place of the largest number is the label
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

vectors as (
    select
        *,
        case when form = 'csv' then '[' || production_cell || ']' else production_cell end
            as production_list,
        case when form = 'csv' then '[' || shadow_cell || ']' else shadow_cell end as shadow_list,
        try_cast(production_list as double[]) as production_vector,
        try_cast(shadow_list as double[]) as shadow_vector
    from cells
),

classes as (
    select
        *,
        vector_class(production_vector) as production_class,
        vector_class(shadow_vector) as shadow_class
    from vectors
),

coded as (
    select
        *,
        case
            when production_class in ('other', 'non-finite')
                and production_cell is not distinct from shadow_cell then 'alike'
            when production_class = 'other' then 'production-undecodable'
            when shadow_class = 'other' then 'type'
            when len(production_vector) <> len(shadow_vector) then 'shape'
            when production_class = 'non-finite' then 'production-non-finite'
            when shadow_class = 'non-finite' then 'non-finite'
            else 'same'
        end as code
    from classes
),

differences as (
    select
        *,
        case when code = 'same' then list_transform(
            list_zip(production_vector, shadow_vector),
            lambda pair: abs(pair[2] - pair[1])
        ) end as differences,
        case when code = 'same' then list_transform(
            list_zip(production_vector, shadow_vector),
            lambda pair: abs(pair[2] - pair[1]) > $atol + $rtol * abs(pair[1])
        ) end as shifts
    from coded
),

labels as (
    select
        *,
        case when $by_largest and code = 'same'
            then list_position(production_vector, list_max(production_vector)) - 1
        end as production_place,
        case when $by_largest and code = 'same'
            then list_position(shadow_vector, list_max(shadow_vector)) - 1
        end as shadow_place
    from differences
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
        production_place::varchar as production_label,
        shadow_place::varchar as shadow_label,
        list_max(differences) as difference,
        list_bool_or(shifts) as shifted,
        production_place <> shadow_place as flipped
    from labels
)

select * from predictions;
