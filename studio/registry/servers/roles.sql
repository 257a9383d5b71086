-- The roles of a shared registry. The owner of the database runs this once, after the tables exist:
--   studio registry roles | psql DATABASE
-- Then each person gets a role of the server and one of the three:
--   CREATE ROLE anna LOGIN; GRANT edgewright_operator TO anna;
-- Roles belong to the server: several registries on one server share the three names.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['edgewright_viewer', 'edgewright_operator', 'edgewright_approver']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO edgewright_viewer', current_schema());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO edgewright_viewer', current_database());
END $$;

GRANT edgewright_viewer TO edgewright_operator;
GRANT edgewright_operator TO edgewright_approver;

-- A viewer reads everything, and changes nothing.
GRANT SELECT ON models, variants, runs, versions, targets, releases, kept, actions, aliases, moves,
    identity, registry_lock, changes, plans, plan_answers TO edgewright_viewer;

-- An operator opens, packages and deploys. Runs, versions and releases can be added, not rewritten.
GRANT INSERT ON models, variants, runs, versions, targets, releases, kept, actions
    TO edgewright_operator;
GRANT UPDATE (options) ON variants TO edgewright_operator;
GRANT UPDATE, DELETE ON targets, kept TO edgewright_operator;
GRANT DELETE ON actions TO edgewright_operator;
GRANT UPDATE (taken) ON registry_lock TO edgewright_operator;

-- An operator shares plans. The server records whose role it was: nobody can name another one.
GRANT INSERT (digest, content, expires) ON plans TO edgewright_operator;
GRANT UPDATE (ended) ON plans TO edgewright_operator;

-- An approver also moves aliases, such as the one that production follows, and answers plans.
GRANT INSERT, UPDATE, DELETE ON aliases TO edgewright_approver;
GRANT INSERT ON moves TO edgewright_approver;
GRANT INSERT (plan, content) ON plan_answers TO edgewright_approver;
