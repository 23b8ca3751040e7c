-- Which rows of the parsed files are this run's records and rejects, and whose are they?
-- reads  production_files, shadow_files: parsed files all of whose objects belong to one role
--        shared_files: those of which some objects belong, or to both roles
--        reject_files; shared_objects, reject_objects(file_index, object_number, role, object_id),
--        lent: what belongs of the files of that list
-- gives  views records and rejects; a record_id holds the role, the file's place and the row's
create or replace temp table captured_shared_objects as
select * from shared_objects;

create or replace temp table captured_reject_objects as
select * from reject_objects;

create or replace temp view records as
with
located as (
    select
        'production' as role,
        file_index::bigint << 32 as file_id,
        *
    from production_files
    union all
    select
        'shadow' as role,
        (1::bigint << 61) + (file_index::bigint << 32) as file_id,
        *
    from shadow_files
    union all
    select
        objects.role,
        if(objects.role = 'shadow', 3::bigint << 60, 1::bigint << 60)
            + (shared_files.file_index::bigint << 32) as file_id,
        shared_files.*
    from shared_files
    inner join captured_shared_objects as objects using (file_index, object_number)
)

select
    role,
    file_id + file_row_number as record_id,
    captured_at,
    has_time_zone,
    event_key,
    has_event_id,
    inference_key,
    inference_text,
    input_key,
    input_slices,
    input_content_type,
    output_content_type,
    output_encoding,
    output_data
from located
where captured_at is not null;

create or replace temp view rejects as
select
    reject_files.code,
    objects.role,
    objects.object_id,
    reject_files.line_number,
    reject_files.line_sha256,
    reject_files.line_bytes
from reject_files
inner join captured_reject_objects as objects using (file_index, object_number);
