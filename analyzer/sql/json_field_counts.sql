-- In how many sampled documents does any field differ, and how?
-- reads   json_fields
-- gives   one row; document_squares is the sum of squared counts per distinct input
with
documents as (
    select
        pair_id,
        any_value(input_key) as input_key,
        bool_or(code <> 'same') as differs,
        bool_or(code in ('missing', 'added', 'retyped')) as reshaped
    from json_fields
    group by pair_id
),

inputs as (
    select count(*) as documents
    from documents
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    count(*) as documents,
    count(*) filter (where differs) as differing_documents,
    count(*) filter (where reshaped) as reshaped_documents,
    (select coalesce(sum(documents * documents), 0) from inputs)::bigint as document_squares
from documents;
