-- How does each number of the shadow compare with production's? Only code "same" is ever counted or
-- summed as a prediction. A number at or beyond 1e100 counts as infinite, so that no sum or square
-- of a finite one overflows.
-- reads   prediction_values
-- gives   predictions: one row a payload row of pairs whose rows line up
-- params  $label_at: decision threshold, null where there is none
--         $shares: whether numbers are shares of one
--         $atol, $rtol: a shift is |difference| > $atol + $rtol * |production|
with
cells as (
    select
        pair_id,
        input_key,
        captured_at,
        unnest(range(len(production_rows))) as row_index,
        unnest(production_rows) as production_cell,
        unnest(shadow_rows) as shadow_cell
    from prediction_values
    where production_form = shadow_form
        and len(production_rows) = len(shadow_rows)
),

numbers as (
    select
        *,
        try_cast(production_cell as double) as production_number,
        try_cast(shadow_cell as double) as shadow_number
    from cells
),

classes as (
    select
        *,
        case
            when isfinite(production_number) and abs(production_number) < 1e100 then 'finite'
            when isnan(production_number) then 'nan'
            when production_number > 0 then 'infinity'
            when production_number < 0 then '-infinity'
            else 'other'
        end as production_class,
        case
            when isfinite(shadow_number) and abs(shadow_number) < 1e100 then 'finite'
            when isnan(shadow_number) then 'nan'
            when shadow_number > 0 then 'infinity'
            when shadow_number < 0 then '-infinity'
            else 'other'
        end as shadow_class
    from numbers
),

coded as (
    select
        *,
        case
            when $shares and production_number between 0 and 1
                and shadow_number not between -1e-6 and 1 + 1e-6 and shadow_class = 'finite'
                then 'not-a-share'
            when production_class = 'finite' and shadow_class = 'finite' then 'same'
            when production_class = 'other' and production_cell is not distinct from shadow_cell
                then 'alike'
            when production_class = 'other' then 'production-undecodable'
            when shadow_class = 'other' and regexp_matches(shadow_cell, '^[\[{]|,') then 'shape'
            when shadow_class = 'other' then 'type'
            when production_class = shadow_class then 'alike'
            when production_class = 'finite' then 'non-finite'
            when shadow_class = 'finite' then 'production-non-finite'
            else 'non-finite'
        end as code
    from classes
),

compared as (
    select
        pair_id,
        input_key,
        captured_at,
        row_index,
        code,
        case when code = 'same' then production_number end as production_score,
        case when code = 'same' then shadow_number end as shadow_score
    from coded
),

predictions as (
    select
        pair_id,
        input_key,
        captured_at,
        row_index,
        code,
        production_score,
        shadow_score,
        cast(null as varchar) as production_label,
        cast(null as varchar) as shadow_label,
        abs(shadow_score - production_score) as difference,
        abs(shadow_score - production_score) > $atol + $rtol * abs(production_score) as shifted,
        (production_score >= $label_at) <> (shadow_score >= $label_at) as flipped
    from compared
)

select * from predictions;
