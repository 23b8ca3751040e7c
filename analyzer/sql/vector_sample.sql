-- Which lists of numbers did both variants give in the sampled pairs?
-- reads   sampled_pairs, prediction_values
-- gives   table vector_sample(pair_id, input_key, production, shadow): finite lists of one length;
--         of longer ones than $longest the beginning
-- params  $longest: numbers of one list
create or replace temp table vector_sample as
with
cells as (
    select
        pair_id,
        input_key,
        production_form as form,
        unnest(production_rows) as production_cell,
        unnest(shadow_rows) as shadow_cell
    from prediction_values
    semi join sampled_pairs using (pair_id)
    where production_form = shadow_form
        and len(production_rows) = len(shadow_rows)
),

vectors as (
    select
        pair_id,
        input_key,
        try_cast(if(form = 'csv', '[' || production_cell || ']', production_cell) as double[])
            as production,
        try_cast(if(form = 'csv', '[' || shadow_cell || ']', shadow_cell) as double[]) as shadow
    from cells
)

select
    pair_id,
    input_key,
    production[:$longest] as production,
    shadow[:$longest] as shadow
from vectors
where vector_class(production) = 'finite'
    and vector_class(shadow) = 'finite'
    and len(production) = len(shadow);
