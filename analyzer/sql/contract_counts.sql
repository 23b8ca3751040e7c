-- How many pairs were judged, changed, different in any byte, and how often do inputs repeat?
-- reads   contract_pairs
-- gives   one row; *_squares are sums of squared counts per distinct input payload, as text
with
inputs as (
    select
        count(*) filter (where changed is not null) as judged,
        count(*) filter (where changed) as changed,
        count(*) filter (where not ends_with(code, '-absent')) as answered,
        count(*) filter (where not ends_with(code, '-absent') and not identical) as mismatched,
        count(*) as pairs
    from contract_pairs
    -- where no input was captured, nothing says that two pairs share one
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    coalesce(sum(pairs), 0)::bigint as pairs,
    coalesce(sum(judged), 0)::bigint as judged_pairs,
    coalesce(sum(changed), 0)::bigint as changed_pairs,
    coalesce(sum(answered), 0)::bigint as answered_pairs,
    coalesce(sum(mismatched), 0)::bigint as mismatched_pairs,
    coalesce(sum(judged::hugeint * judged), 0)::varchar as judged_squares,
    coalesce(sum(answered::hugeint * answered), 0)::varchar as answered_squares
from inputs;
