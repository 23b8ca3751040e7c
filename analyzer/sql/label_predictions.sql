-- Which prediction of each variant was right, and how far off was it?
-- reads   predictions, label_pairs
-- gives   label_predictions: one row a comparable prediction of a pair whose labels are as many as
--         its predictions; positive, right and error are null where the label cannot say
-- params  $kind: of the outputs; $label_at: decision threshold, null where there is none
with
sized as (
    select
        pair_id,
        count(*) as predictions
    from predictions
    group by pair_id
),

usable as (
    select
        label_pairs.pair_id,
        label_pairs.truth as truths
    from label_pairs
    inner join sized using (pair_id)
    where not label_pairs.ambiguous
        and len(label_pairs.truth) = sized.predictions
),

labelled as (
    select
        predictions.*,
        usable.truths[predictions.row_index + 1] as truth,
        try_cast(truth as double) as truth_number,
        case
            when truth_number = 1 or lower(truth) = 'true' then true
            when truth_number = 0 or lower(truth) = 'false' then false
        end as positive
    from predictions
    inner join usable using (pair_id)
    where predictions.code = 'same'
)

select
    pair_id,
    row_index,
    captured_at,
    input_key,
    production_score,
    shadow_score,
    label_text(production_label) as production_label,
    label_text(shadow_label) as shadow_label,
    truth,
    case when $kind = 'probability' then positive end as positive,
    case
        when $kind = 'probability' then (production_score >= $label_at) = positive
        when $kind in ('label', 'multiclass') then label_text(production_label) = truth
    end as production_right,
    case
        when $kind = 'probability' then (shadow_score >= $label_at) = positive
        when $kind in ('label', 'multiclass') then label_text(shadow_label) = truth
    end as shadow_right,
    case
        when $kind = 'regression' and isfinite(truth_number) and abs(truth_number) < 1e100
            then abs(production_score - truth_number)
    end as production_error,
    case
        when $kind = 'regression' and isfinite(truth_number) and abs(truth_number) < 1e100
            then abs(shadow_score - truth_number)
    end as shadow_error
from labelled
where truth is not null;
