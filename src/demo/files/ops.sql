-- The operational database of the demo: its tables, its users, and a history of its own, which
-- Syncline neither reads nor writes.

create role ops_owner nologin;
create role desk login password '{password}';
create role integration login replication password '{password}' in role ops_owner;
grant create on database ops to ops_owner;

create table public.accounts (
    id uuid primary key default gen_random_uuid(),
    number varchar(40) not null,
    name varchar(255) not null,
    phone varchar(40),
    region varchar(80),
    notes varchar(32000)
);
-- Not unique, as so often: whether there are duplicates is for the judge to see.
create index on public.accounts (number);

create table public.contacts (
    id uuid primary key default gen_random_uuid(),
    email varchar(80) not null,
    last_name varchar(80) not null,
    first_name varchar(40),
    phone varchar(40),
    title varchar(128),
    department varchar(80),
    account_id uuid references public.accounts (id)
);
create index on public.contacts (email);
create index on public.contacts (account_id);

alter table public.accounts owner to ops_owner;
alter table public.contacts owner to ops_owner;
grant select, insert, update, delete on public.accounts, public.contacts to desk;

create schema history;
grant usage on schema history to desk, ops_owner;
create table history.change (
    seq int8 generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    txid xid8 not null default pg_current_xact_id(),
    author text not null,
    application text not null,
    op text not null,
    entity text not null,
    record uuid not null,
    before jsonb,
    after jsonb
);

create function history.note() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
begin
    insert into history.change (author, application, op, entity, record, before, after)
    values (
        session_user,
        current_setting('application_name'),
        tg_op,
        tg_table_name,
        case when tg_op = 'DELETE' then old.id else new.id end,
        case when tg_op = 'INSERT' then null else to_jsonb(old) end,
        case when tg_op = 'DELETE' then null else to_jsonb(new) end
    );
    return null;
end
$$;
create trigger note after insert or update or delete on public.accounts
for each row execute function history.note();
create trigger note after insert or update or delete on public.contacts
for each row execute function history.note();
