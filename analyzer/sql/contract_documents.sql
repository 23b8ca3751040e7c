-- Does the shadow's answer keep the form of production's? (text and JSON documents)
-- reads   prediction_texts
-- gives   contract_pairs: one row a pair with its code; changed is null where production's own
--         output gives nothing to compare with
-- params  $json_path: where the text is in the list holding the document, null for any document
with
signatures as (
    select
        pair_id,
        input_key,
        captured_at,
        production_text,
        shadow_text,
        document_signature(production_text, $json_path) as production_signature,
        document_signature(shadow_text, $json_path) as shadow_signature
    from prediction_texts
),

coded as (
    select
        pair_id,
        input_key,
        captured_at,
        coalesce(production_text = shadow_text, false) as identical,
        case
            when production_text is null and shadow_text is null then 'both-absent'
            when production_text is null then 'production-absent'
            when shadow_text is null then 'shadow-absent'
            when production_text = shadow_text and production_signature is null
                then 'same-undecodable'
            when production_signature is null and shadow_signature is null
                then 'both-undecodable'
            when production_signature is null then 'production-undecodable'
            when shadow_signature is null then 'shadow-undecodable'
            when production_signature = shadow_signature then 'same'
            when split_part(production_signature, ':', 1) = split_part(shadow_signature, ':', 1)
                then 'shape'
            else 'type'
        end as code
    from signatures
),

contract_pairs as (
    select
        pair_id,
        input_key,
        captured_at,
        identical,
        cast(null as boolean) as relabelled,
        code,
        case
            when code in ('same', 'same-undecodable') then false
            when code in ('both-absent', 'both-undecodable') then null
            when starts_with(code, 'production-') then null
            else true
        end as changed
    from coded
)

select * from contract_pairs;
