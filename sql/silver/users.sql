-- One row: a row of the source's users, with the columns derived from it alone.
-- Inputs: {source}, the typed columns of public.users.
-- Parameters: none.
-- Rerun: a pure function of the row.
--
-- email_domain: the lower-case part after the last @; null where there is none.
-- row_flags: what looks wrong in the row; null flags are left out.
SELECT
    source.*,
    CASE
        WHEN source.email LIKE '%@%'
            THEN NULLIF(TRIM(LOWER(SUBSTRING_INDEX(source.email, '@', -1))), '')
    END AS email_domain,
    ARRAY_COMPACT(ARRAY(
        CASE WHEN source.email IS NULL OR source.email = '' THEN 'email: missing' END,
        CASE
            WHEN source.email <> '' AND source.email NOT RLIKE '^[^@ ]+@[^@ ]+[.][^@ ]+$' THEN 'email: malformed'
        END,
        CASE WHEN source.name IS NULL OR TRIM(source.name) = '' THEN 'name: missing' END,
        CASE WHEN source.updated_at < source.created_at THEN 'updated_at: before created_at' END
    )) AS row_flags
FROM {source} AS source
