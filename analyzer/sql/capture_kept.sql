-- The records without those that repeat an event, and at first all of them unpaired.
-- reads  records, duplicates
-- gives  views kept_records and unpaired
create or replace temp view kept_records as
select *
from records
anti join duplicates using (record_id);

create or replace temp view unpaired as
select
    record_id,
    role,
    captured_at,
    event_key,
    has_event_id,
    inference_key,
    input_key
from kept_records;
