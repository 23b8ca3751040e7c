-- The same of the 200 commonest answers, each a row, and of all others together.
-- reads   label_answers
-- gives   label_selection(labelled, labelled_flips, unlabelled, unlabelled_flips)
with ranked as (
    select
        *,
        least(row_number() over (order by labelled + unlabelled desc, answer), 201) as place
    from label_answers
)

select
    sum(labelled)::bigint as labelled,
    sum(labelled_flips)::bigint as labelled_flips,
    sum(unlabelled)::bigint as unlabelled,
    sum(unlabelled_flips)::bigint as unlabelled_flips
from ranked
group by place
order by place;
