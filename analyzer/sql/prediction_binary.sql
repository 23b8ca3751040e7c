-- Which captured outputs can only be decoded outside the database?
-- reads   pairs
-- gives   prediction_binary: NumPy arrays and BASE64 that is not strictly formed
with
outputs as (
    select
        pair_id,
        'production' as role,
        production_data as data
    from pairs
    where production_encoding = 'BASE64'
    union all
    select
        pair_id,
        'shadow' as role,
        shadow_data as data
    from pairs
    where shadow_encoding = 'BASE64'
),

prediction_binary as (
    select
        pair_id,
        role,
        data
    from outputs
    -- the eight letters are the magic of a NumPy file in BASE64
    where starts_with(data, 'k05VTVBZ')
        or try(from_base64(data)) is null
)

select
    row_number() over (order by role, pair_id) as position,
    pair_id,
    role,
    data
from prediction_binary
where data is not null;
