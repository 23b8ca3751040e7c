-- Which records repeat an event that is already there? One of each is kept, chosen by content.
-- reads  records
-- gives  duplicates; and kept_records, the records without them
create or replace table duplicates as
with events as (
    select
        record_id,
        role,
        captured_at,
        line_md5,
        coalesce(md5_number(event_id), line_md5) as event_key
    from records
),

repeated as (
    select
        role,
        event_key
    from events
    group by role, event_key
    having count(*) > 1
),

copies as (
    select
        record_id,
        row_number() over (
            partition by role, event_key
            order by captured_at, line_md5, record_id
        ) as copy
    from events
    semi join repeated using (role, event_key)
),

duplicates as (
    select record_id
    from copies
    where copy > 1
)

select * from duplicates;

create or replace view kept_records as
select *
from records
anti join duplicates using (record_id);

create or replace view unpaired_records as
select kept_records.*
from kept_records
anti join (
    select production_id as record_id from matches
    union all
    select shadow_id from matches
) as paired using (record_id);
