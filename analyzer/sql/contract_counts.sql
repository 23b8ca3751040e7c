-- How many pairs were judged, changed, different in any byte, and how often do inputs repeat?
-- reads   contract_pairs, repeated_inputs
-- gives   one row; *_squares are sums of squared counts per distinct input payload, as text; where no
--         input was captured, nothing says that two pairs share one
with
answers as (
    select
        input_key,
        changed is not null as judged,
        coalesce(changed, false) as changed,
        relabelled,
        not ends_with(code, '-absent') as answered,
        not ends_with(code, '-absent') and not identical as mismatched
    from contract_pairs
),

totals as (
    select
        count(*) as pairs,
        count(*) filter (where judged) as judged,
        count(*) filter (where changed) as changed,
        count(relabelled) as labelled,
        count(*) filter (where relabelled) as relabelled,
        count(*) filter (where answered) as answered,
        count(*) filter (where mismatched) as mismatched
    from answers
),

shared as (
    select
        count(*) filter (where judged) as judged,
        count(*) filter (where answered) as answered
    from answers
    semi join repeated_inputs using (input_key)
    group by input_key
),

-- what an input of several pairs adds to the squares beyond one for each of its pairs
excess as (
    select
        coalesce(sum(judged::hugeint * judged - judged), 0) as judged,
        coalesce(sum(answered::hugeint * answered - answered), 0) as answered
    from shared
)

select
    totals.pairs,
    totals.judged as judged_pairs,
    totals.changed as changed_pairs,
    totals.labelled as labelled_pairs,
    totals.relabelled as relabelled_pairs,
    totals.answered as answered_pairs,
    totals.mismatched as mismatched_pairs,
    (totals.judged + excess.judged)::varchar as judged_squares,
    (totals.answered + excess.answered)::varchar as answered_squares
from totals, excess;
