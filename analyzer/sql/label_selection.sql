-- How many predictions flip, answer by answer of production's, and for how many is the truth known?
-- reads   label_answers, label_truths
-- gives   label_selection: a row for each of the 200 answers that flip most, and one for all others.
--         A truth that neither variant ever answers, such as "pending", says nothing of who is right
-- params  $kind: of the outputs; a score answers neither truth by name
with
foreign_truths as (
    select label
    from label_truths
    where production_given + shadow_given = 0
        and $kind <> 'probability'
        and label not in (
            select answer
            from label_answers
            where answer is not null
        )
),

known as (
    select
        answers.*,
        answers.has_label and foreign_truths.label is null as is_known
    from label_answers as answers
    left join foreign_truths on foreign_truths.label = answers.truth
),

by_answer as (
    select
        answer,
        sum(predictions) filter (where flipped) as flips,
        sum(predictions) filter (where flipped and is_known) as known_flips,
        sum(predictions) filter (where is_known and shadow_right and not production_right)
            as shadow_right,
        sum(predictions) filter (where is_known and production_right and not shadow_right)
            as production_right,
        sum(predictions) filter (where not flipped) as others,
        sum(predictions) filter (where not flipped and is_known) as known_others
    from known
    group by answer
),

placed as (
    select
        *,
        least(row_number() over (order by flips desc nulls last, answer), 201) as place
    from by_answer
)

select
    coalesce(sum(flips), 0)::bigint as flips,
    coalesce(sum(known_flips), 0)::bigint as known_flips,
    coalesce(sum(shadow_right), 0)::bigint as shadow_right,
    coalesce(sum(production_right), 0)::bigint as production_right,
    coalesce(sum(others), 0)::bigint as others,
    coalesce(sum(known_others), 0)::bigint as known_others
from placed
group by place
order by place;
