-- The operational database of the example mappings, to try them with: psql -f ops.sql DATABASE

create table public.accounts (
    id bigint generated always as identity primary key,
    name varchar(255) not null,
    number varchar(40),
    domain varchar(255),
    phone varchar(40),
    notes text,
    revenue numeric(18, 0),
    score varchar(20),
    industry_code varchar(3),
    parent_id bigint references public.accounts (id)
);

create table public.customers (
    id bigint generated always as identity primary key,
    full_name varchar(121) not null,
    title varchar(10),
    email varchar(80),
    phone varchar(40),
    street varchar(255),
    city varchar(40),
    postal_code varchar(20),
    email_opt_out boolean not null default false,
    teaser varchar(40),
    account_id bigint references public.accounts (id),
    origin varchar(10)
);

create table public.work_orders (
    id uuid primary key default gen_random_uuid(),
    number varchar(20),
    title varchar(80) not null,
    state varchar(20) not null default 'draft',
    work_day date,
    hours numeric(6, 1),
    report text,
    parts text[],
    skill varchar(40),
    account_id bigint references public.accounts (id)
);

create table public.stock (
    id bigint generated always as identity primary key,
    sku varchar(40) not null unique,
    name varchar(80),
    on_hand integer,
    last_counted date,
    lead_days integer,
    price numeric(12, 2),
    currency char(3),
    size varchar(40)
);
