-- How often does either variant give each answer, and in how many of these predictions do they
-- differ?
-- reads   predictions, repeated_inputs
-- gives   answer_counts(answer, production, either, apart, squares): predictions to which production
--         gives it, to which either variant does, and of the latter those that flip; squares is the
--         sum of their squared counts per distinct input, as text
-- params  $label_at: decision threshold, null where there is none; $below, $above: names of its sides
--         $named: labels counted apart; $rare: the others, together
with
answers as (
    select
        pair_id,
        input_key,
        row_index,
        flipped,
        case
            when production_label is null then if(production_score >= $label_at, $above, $below)
            when list_contains($named::varchar[], left(production_label, 64))
                then left(production_label, 64)
            else $rare
        end as production_answer,
        case
            when shadow_label is null then if(shadow_score >= $label_at, $above, $below)
            when list_contains($named::varchar[], left(shadow_label, 64))
                then left(shadow_label, 64)
            else $rare
        end as shadow_answer
    from predictions
    where code = 'same'
        and flipped is not null
),

given as (
    select
        *,
        unnest(list_distinct([production_answer, shadow_answer])) as answer
    from answers
),

totals as (
    select
        answer,
        count(*) filter (where production_answer = answer) as production,
        count(*) as either,
        count(*) filter (where flipped) as apart
    from given
    group by answer
),

shared as (
    select
        answer,
        count(*) as predictions
    from given
    semi join repeated_inputs using (input_key)
    group by answer, input_key
),

rows_of_pairs as (  -- of inputs that one pair has: more than one only where a payload has rows
    select
        answer,
        count(*) as predictions
    from given
    anti join repeated_inputs using (input_key)
    where pair_id in (
        select pair_id
        from predictions
        where row_index > 0
    )
    group by answer, pair_id
),

excess as (  -- what these add to the squares beyond one for each prediction
    select
        answer,
        sum(predictions::hugeint * predictions - predictions) as squares
    from (
        select * from shared
        union all
        select * from rows_of_pairs
    )
    group by answer
)

select
    totals.*,
    (totals.either + coalesce(excess.squares, 0))::varchar as squares
from totals
left join excess using (answer)
order by answer;
