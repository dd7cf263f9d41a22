-- A process that starts while a system is out of reach binds its mappings to what the system
-- said last, and tells what it waits for.
create table syncline.description (
    mapping int4 not null references syncline.mapping (id),
    side int2 not null,
    system text not null,
    entity text not null,
    described bytea not null,
    described_at int8 not null,
    primary key (mapping, side)
);
comment on table syncline.description is
    'What the sides of mappings were last bound to: how each system described its entity.';
comment on column syncline.description.mapping is 'The mapping.';
comment on column syncline.description.side is '0 left, 1 right.';
comment on column syncline.description.system is 'The system.';
comment on column syncline.description.entity is 'The entity, as the mapping names it.';
comment on column syncline.description.described is
    'Version 1: that byte, then JSON of the schema and of what the side can do.';
comment on column syncline.description.described_at is 'When.';

create table syncline.awaited (
    kind int2 not null,
    name text not null,
    reason text not null,
    since int8 not null,
    primary key (kind, name)
);
comment on table syncline.awaited is
    'What the owner waits for: systems that have not answered since it started, and the mappings '
    'that cannot begin before something is mended.';
comment on column syncline.awaited.kind is '0 a system, 1 a mapping.';
comment on column syncline.awaited.name is 'Its name in the settings.';
comment on column syncline.awaited.reason is 'Why, with the remedy.';
comment on column syncline.awaited.since is 'Since when.';
