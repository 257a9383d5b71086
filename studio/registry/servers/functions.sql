-- What runs in a shared registry for every role, with the rights of its owner or against the role.
-- The studio runs this with each migration. {schema} is the schema of the registry.
-- No name is looked up where a role may put something: objects name their schema, and temporary
-- tables, which PostgreSQL otherwise searches first, are searched last.

-- The record of every change of a row, which no role can leave out.
CREATE OR REPLACE FUNCTION {schema}.note_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.changes (role, client, change, subject, key) VALUES (
        session_user, coalesce(current_setting('application_name', true), ''),
        lower(TG_OP), TG_TABLE_NAME,
        coalesce(to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[0], ''));
    RETURN NULL;
END $$;

-- Whoever may execute it could put it on a table of their own, and record what never happened.
REVOKE ALL ON FUNCTION {schema}.note_change() FROM PUBLIC;

-- Of a target labelled approval=required, only an approver changes more than facts, groups and
-- other labels.
CREATE OR REPLACE FUNCTION {schema}.keep_protected() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'edgewright_approver'
            AND pg_has_role(current_user, oid, 'MEMBER'))
        OR pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')
    THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - '{{settings,facts}}'::text[] = to_jsonb(OLD) - '{{settings,facts}}'::text[]
        AND NEW.settings::jsonb - '{{@labels,@groups}}'::text[]
            = OLD.settings::jsonb - '{{@labels,@groups}}'::text[]
        AND NEW.settings::jsonb -> '@labels' ->> 'approval' = 'required'
        AND NEW.settings LIKE '%"required"%' -- studios find the label by this text
    THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING MESSAGE =
        format('target %s is labelled approval=required: only an approver may do this', OLD.name);
END $$;

CREATE OR REPLACE TRIGGER keep_protected BEFORE UPDATE OR DELETE ON {schema}.targets FOR EACH ROW
    WHEN (OLD.settings::jsonb -> '@labels' ->> 'approval' = 'required')
    EXECUTE FUNCTION {schema}.keep_protected();

DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN
    NULL; -- the studio looks afterwards
END $$;
