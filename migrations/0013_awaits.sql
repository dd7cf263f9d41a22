-- A record waits for the one that it refers to: once a person was asked about it nothing looks for
-- it any more, and the arrival of the other wakes it (protocol 1.7).
create table syncline.awaits (
    system text collate "C" not null,
    entity text collate "C" not null,
    key text collate "C" not null,
    child_system text collate "C" not null,
    child_entity text collate "C" not null,
    child_key text collate "C" not null,
    primary key (system, entity, key, child_system, child_entity, child_key)
);
create index awaits_child on syncline.awaits (child_system, child_entity, child_key);
comment on table syncline.awaits is
    'Records that a person is asked about, since the one that they refer to has no partner: they '
    'are read again when it has.';
comment on column syncline.awaits.system is 'The system of the record that is referred to.';
comment on column syncline.awaits.entity is 'Its entity.';
comment on column syncline.awaits.key is 'Its name there.';
comment on column syncline.awaits.child_system is 'The system of the record that refers to it.';
comment on column syncline.awaits.child_entity is 'Its entity.';
comment on column syncline.awaits.child_key is 'Its name there.';
